"""Loads a saved model with sentence-transformers and prints what it finds there, for comparing.

Usage: python check_sentence_transformers.py FOLDER TEXT [TEXT ...]

Prints one JSON object:
  embeddings      one list of numbers per text
  tokens          the token ids of each text, as the loaded tokenizer makes them
  max_seq_length  tokens, special ones included
  modules         class names in order
  weights_sha256  SHA-256 of the little-endian float32 bytes of every loaded tensor, by parameter name

Needs sentence-transformers 6 (torch, transformers 5); reads nothing from the network.
"""

import hashlib
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

from sentence_transformers import SentenceTransformer  # noqa: E402


def main() -> None:
    folder, *texts = sys.argv[1:]
    model = SentenceTransformer(folder, device="cpu")
    encoder = model[0].auto_model
    tensors = dict(encoder.state_dict())
    for module in model:
        if type(module).__name__ == "Dense":
            tensors.update({f"dense.{name}": value for name, value in module.linear.state_dict().items()})
    digests = {
        name: hashlib.sha256(value.detach().float().contiguous().numpy().astype("<f4").tobytes()).hexdigest()
        for name, value in tensors.items()
        # The pooler is not saved: transformers makes one up, and no embedding uses it.
        if not name.startswith("pooler.") and value.is_floating_point()
    }
    result = {
        "embeddings": model.encode(texts, convert_to_numpy=True).tolist() if texts else [],
        "tokens": [model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"] for text in texts],
        "max_seq_length": model.max_seq_length,
        "modules": [type(module).__name__ for module in model],
        "weights_sha256": digests,
    }
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
