"""Loads an adapter with PEFT, or makes one, and prints embeddings, for comparing.

Usage: python check_peft.py load BASE ADAPTER TEXT [TEXT ...]
       python check_peft.py make BASE ADAPTER TEXT [TEXT ...]
       python check_peft.py sentence-transformers FOLDER TEXT [TEXT ...]

`load` puts PEFT's PeftModel over BASE. `make` draws a random LoRA with trained layer norms over BASE,
saves it to ADAPTER, and computes with it. The third loads a whole folder, adapter included. Each prints
{"embeddings": one list of numbers a text (mean pooling, normalised), "names": what was loaded or saved}.

Needs peft and sentence-transformers 6; reads nothing from the network.
"""

import json
import os
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from peft import LoraConfig, PeftModel, get_peft_model  # noqa: E402
from transformers import AutoModel, AutoTokenizer  # noqa: E402


def embed(model, tokenizer, texts):
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    weights = batch["attention_mask"].unsqueeze(-1).float()
    pooled = (hidden * weights).sum(1) / weights.sum(1)
    return torch.nn.functional.normalize(pooled).tolist()


def main() -> None:
    # A tensor that PEFT does not find is only a warning there.
    warnings.filterwarnings("error", message=".*missing adapter keys.*")
    mode, base, *rest = sys.argv[1:]
    if mode == "sentence-transformers":
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(base, device="cpu").eval()
        names = sorted(name for name, _ in model.named_parameters() if "lora_" in name)
        print(json.dumps({"embeddings": model.encode(rest).tolist(), "names": names}))
        return
    folder, *texts = rest
    model = AutoModel.from_pretrained(base, add_pooling_layer=False).eval()
    tokenizer = AutoTokenizer.from_pretrained(base)
    if mode == "load":
        model = PeftModel.from_pretrained(model, folder).eval()
    else:
        torch.manual_seed(3)
        settings = LoraConfig(
            r=6, lora_alpha=9, use_rslora=True, target_modules=["key", "dense"], modules_to_save=["LayerNorm"]
        )
        model = get_peft_model(model, settings).eval()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name or "modules_to_save" in name:
                    parameter.add_(0.1 * torch.randn(parameter.shape))
        model.save_pretrained(folder)
    names = sorted(name for name, p in model.named_parameters() if "lora_" in name or "modules_to_save" in name)
    print(json.dumps({"embeddings": embed(model, tokenizer, texts), "names": names}))


if __name__ == "__main__":
    main()
