"""The training step of `step.ts` in PyTorch as sentence-transformers does it: what users would pick instead.

    node packages/bench/dist/step-batch.js --shape xlm-r-base --pairs 128 --lengths xquad-r --output batch.json
    python packages/bench/peers/sentence_transformers_step.py batch.json --precision fp32 --output step.json

Same shape, same token ids, weights drawn anew; SDPA attention, padding to the longest text of each side (as
sentence-transformers collates), mean or cls pooling, normalised, MultipleNegativesRankingLoss with scale 20, AdamW
(fused where there is a GPU), gradients clipped at 1. `--precision fp16` is autocast with a gradient scaler. `--beside`
takes results of `synglot bench step` on the same machine and says how fast synglot is beside it.
Needs torch, transformers and sentence-transformers.
"""

import argparse
import json
import os
import platform
import statistics
import time

import torch
from sentence_transformers import SentenceTransformer, losses, models
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel


class Tokens(torch.nn.Module):
    """The encoder as a module of sentence-transformers: token ids in, token embeddings out."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, features):
        output = self.encoder(input_ids=features["input_ids"], attention_mask=features["attention_mask"])
        return {**features, "token_embeddings": output.last_hidden_state}


def model_of(batch):
    e = batch["encoder"]
    roberta = e["family"] == "xlm-roberta"
    config = (XLMRobertaConfig if roberta else BertConfig)(
        vocab_size=e["vocabularySize"],
        hidden_size=e["hiddenSize"],
        num_hidden_layers=e["layers"],
        num_attention_heads=e["heads"],
        intermediate_size=e["intermediateSize"],
        max_position_embeddings=e["maxPositions"],
        type_vocab_size=e["typeVocabularySize"],
        layer_norm_eps=e["layerNormEpsilon"],
        hidden_dropout_prob=e["hiddenDropout"],
        attention_probs_dropout_prob=e["attentionDropout"],
    )
    config._attn_implementation = "sdpa"
    encoder = (XLMRobertaModel if roberta else BertModel)(config, add_pooling_layer=False)
    pooling = batch["pooling"]
    modules = [Tokens(encoder), models.Pooling(e["hiddenSize"], pooling_mode=pooling["mode"])]
    dense = pooling.get("dense")
    if dense:
        modules.append(models.Dense(dense["inFeatures"], dense["outFeatures"], bias=dense["bias"]))
    return SentenceTransformer(modules=[*modules, models.Normalize()])


def padded(texts, device):
    longest = max(map(len, texts))
    ids = torch.zeros(len(texts), longest, dtype=torch.long)
    mask = torch.zeros(len(texts), longest, dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def beside(path, shape, tokens, pairs_per_second):
    """Of a result of synglot: how many times as many pairs a second it has; an error unless it is of the same step."""
    with open(path, encoding="utf-8") as file:
        step = json.load(file)
    if step["tokens"] != tokens or f": {shape}, " not in step["benchmark"]:
        raise SystemExit(f"{path}: expected {shape} and {tokens} tokens but it is {step['benchmark']}, {step['tokens']} tokens")
    ratio = step["pairs_per_second"] / pairs_per_second
    print(f"{path}: synglot {step['pairs_per_second']:.1f} pairs/s, {ratio:.2f} of {pairs_per_second:.1f}")
    return {
        "benchmark": step["benchmark"],
        "commit": step["commit"],
        "device": step["device"]["name"],
        "tuned": "kernel_choices" in step,
        "unchecked": step.get("unchecked", False),
        "synglot_pairs_per_second": step["pairs_per_second"],
        "synglot_share": ratio,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batch")
    parser.add_argument("--precision", choices=["fp32", "tf32", "fp16", "bf16"], default="fp32")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--warm-ups", type=int, default=5)
    parser.add_argument("--output")
    parser.add_argument("--beside", nargs="*", default=[], help="those that are there are read")
    args = parser.parse_args()
    with open(args.batch, encoding="utf-8") as file:
        batch = json.load(file)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = args.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = args.precision == "tf32"
    model = model_of(batch).to(device).train()
    loss_of = losses.MultipleNegativesRankingLoss(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-5, weight_decay=0.01, fused=device == "cuda")
    scaler = torch.amp.GradScaler(device, enabled=args.precision == "fp16")
    autocast = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(args.precision)
    sides = [padded(batch["queries"], device), padded(batch["passages"], device)]
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    seconds, seen = [], []
    for run in range(args.warm_ups + args.runs):
        wait()
        begin = time.perf_counter()
        with torch.autocast(device, dtype=autocast or torch.float16, enabled=autocast is not None):
            loss = loss_of([dict(side) for side in sides], None)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        seen.append(loss.item())  # as our step reads it back
        wait()
        if run >= args.warm_ups:
            seconds.append(time.perf_counter() - begin)
    if not seen[-1] < seen[0]:
        raise SystemExit(f"the loss did not fall: {seen[0]} to {seen[-1]}")
    ordered = sorted(seconds)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    pairs = len(batch["queries"])
    tokens = sum(map(len, batch["queries"] + batch["passages"]))
    pairs_per_second = pairs / statistics.median(seconds)
    result = {
        "library": "sentence-transformers",
        "versions": {"torch": torch.__version__, "cuda": torch.version.cuda, "python": platform.python_version()},
        "device": torch.cuda.get_device_name() if device == "cuda" else platform.processor() or "cpu",
        "shape": batch["shape"],
        "precision": args.precision,
        "pairs": pairs,
        "tokens": tokens,
        "seconds": {"median": statistics.median(seconds), "p10": at(0.1), "p90": at(0.9), "runs": len(seconds)},
        "pairs_per_second": pairs_per_second,
        "loss": {"first": seen[0], "last": seen[-1]},
    }
    print(json.dumps(result))
    result["beside"] = [
        beside(path, batch["shape"], tokens, pairs_per_second) for path in args.beside if os.path.exists(path)
    ]
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)


if __name__ == "__main__":
    main()
