"""Adds the values of sentence-transformers' InformationRetrievalEvaluator to a file of cross_check_measures.py.

    python test/parity/cross_check_sentence_transformers.py CASES.json

Apart from that script because it needs torch. Cases without a relevant document are left out, as there.
"""

import json
import sys

from sentence_transformers import __version__
from sentence_transformers.evaluation import InformationRetrievalEvaluator

NAMES = ["map@100", "map@5", "ndcg@10", "mrr@10", "accuracy@5", "precision@10", "recall@10"]


def measure(case: dict) -> list:
    relevant = {doc for doc, grade in case["qrels"].items() if grade >= case["level"]}
    evaluator = InformationRetrievalEvaluator(
        {"t": "text"},
        {doc: "text" for doc in case["qrels"]},
        {"t": relevant},
        mrr_at_k=[10],
        ndcg_at_k=[10],
        accuracy_at_k=[5],
        precision_recall_at_k=[10],
        map_at_k=[100, 5],
    )
    run = dict(map(tuple, case["run"]))
    values = evaluator.compute_metrics([[{"score": score, "corpus_id": doc} for doc, score in run.items()]])
    return [float(values[f"{family}@k"][int(k)]) for family, k in (name.split("@") for name in NAMES)]


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    data["names"]["sentence-transformers"] = NAMES
    data["versions"]["sentence-transformers"] = __version__
    for case in data["cases"]:
        if any(grade >= case["level"] for grade in case["qrels"].values()):
            case["values"]["sentence-transformers"] = measure(case)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
