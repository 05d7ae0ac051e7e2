"""Compares a run of `synglot eval` with sentence-transformers on the same weights and a BEIR folder.

    python test/parity/compare_retrieval.py --model FOLDER --data beir/scifact --max-length 128 \
        --run run.trec --report report.json --output result.json

FOLDER is in the sentence-transformers layout. The run and the report are those of

    synglot eval --task beir --data beir/scifact --model FOLDER --max-length 128 --save-run run.trec --json report.json

Fails unless nDCG@10 differs by at most 0.005 and every two documents that change places have scores that differ by
less than f32 rounding explains. Needs torch, sentence-transformers and numpy.
"""

import argparse
import gzip
import json
import math
import os

import numpy as np
import sentence_transformers
from sentence_transformers import SentenceTransformer

TIE = 2e-6


def rows(folder, name):
    path = os.path.join(folder, name)
    if os.path.exists(path + ".gz"):
        return [json.loads(line) for line in gzip.open(path + ".gz", "rt", encoding="utf8")]
    return [json.loads(line) for line in open(path, encoding="utf8")]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--model", "--data", "--run", "--report"):
        parser.add_argument(option, required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--output", help="JSON file for the result")
    options = parser.parse_args()

    documents = rows(options.data, "corpus.jsonl")
    queries = rows(options.data, "queries.jsonl")
    judgments = {}
    with open(os.path.join(options.data, "qrels", f"{options.split}.tsv"), encoding="utf8") as lines:
        next(lines)
        for line in lines:
            query, document, grade = line.rstrip("\n").split("\t")
            judgments.setdefault(query, {})[document] = int(grade)
    queries = [query for query in queries if query["_id"] in judgments]

    model = SentenceTransformer(options.model, device="cpu")
    model.max_seq_length = options.max_length
    texts = [f"{document.get('title', '')} {document['text']}".strip() for document in documents]
    scores = model.encode([query["text"] for query in queries]) @ model.encode(texts).T
    ids = [document["_id"] for document in documents]
    place = {document: index for index, document in enumerate(ids)}

    run = {}
    with open(options.run, encoding="utf8") as lines:
        for line in lines:
            query, _, document, _, score, _ = line.split()
            run.setdefault(query, []).append((document, float(score)))

    gains, identical, moved, worst_gap, worst_score = [], 0, 0, 0.0, 0.0
    for index, query in enumerate(queries):
        own = run[query["_id"]]
        # Equal scores: the later id first, as trec_eval does; without the query's own document, as BEIR does.
        order = sorted((d for d in range(len(ids)) if ids[d] != query["_id"]), key=lambda d: ids[d], reverse=True)
        order = sorted(order, key=lambda d: -scores[index, d])[: len(own)]
        grades = judgments[query["_id"]]
        gain = sum(max(0, grades.get(ids[d], 0)) / math.log2(rank + 2) for rank, d in enumerate(order[:10]))
        ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:10]
        best = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(ideal))
        gains.append(gain / best if best else 0.0)
        identical += [ids[d] for d in order] == [document for document, _ in own]
        for theirs, (ours, score) in zip(order, own):
            worst_score = max(worst_score, abs(scores[index, place[ours]] - score))
            if ids[theirs] != ours:
                moved += 1
                worst_gap = max(worst_gap, abs(scores[index, theirs] - scores[index, place[ours]]))
    with open(options.report, encoding="utf8") as file:
        ours = json.load(file)["reports"][0]["means"]["nDCG@10"]
    print(f"nDCG@10: sentence-transformers {np.mean(gains):.6f}, synglot {ours:.6f}")
    print(f"identical lists: {identical} of {len(queries)}; places that differ: {moved}, by scores up to {worst_gap:.1e}")
    print(f"scores differ by at most {worst_score:.1e}")
    if options.output:
        result = {
            "collection": os.path.basename(os.path.normpath(options.data)),
            "documents": len(documents),
            "queries": len(queries),
            "max_length": options.max_length,
            "ndcg@10": {"synglot": ours, "sentence_transformers": float(np.mean(gains))},
            "sentence_transformers_version": sentence_transformers.__version__,
            "identical_lists": identical,
            "list_length": len(own),
            "places_that_differ": moved,
            "largest_score_gap_of_those": float(worst_gap),
            "largest_score_difference": float(worst_score),
        }
        with open(options.output, "w", encoding="utf8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
    assert abs(np.mean(gains) - ours) <= 0.005
    assert worst_gap < TIE


if __name__ == "__main__":
    main()
