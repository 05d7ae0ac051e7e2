"""Random rankings measured by pytrec_eval, ir_measures and ranx, for trec-cross-check.test.ts to compare with.

    python3 -m venv VENV && VENV/bin/pip install pytrec_eval-terrier==0.5.11 ir_measures==0.4.3 ranx==0.3.21
    VENV/bin/python test/parity/cross_check_measures.py --cases 10000 --output CASES.json
    SYNGLOT_CROSS_CHECK=CASES.json npx vitest run test/parity/trec-cross-check.test.ts

`--cases 40 --output test/fixtures/measures/cross-check.json` makes the sample that is committed. Cases hold
ties, scores that tie only as floats, documents listed twice, unjudged and negatively judged ones, ids beyond
ASCII; collections of ten cases lack some topics in the run and some in the judgments.
"""

import argparse
import json
import random
import struct

import ir_measures
import pytrec_eval
import ranx

IR = ["AP", "AP@5", "nDCG", "nDCG@10", "P@5", "R@10", "Rprec", "RR", "RR@10", "Success@5", "Judged@10"]
RANX = ["map", "map@5", "ndcg", "ndcg@10", "precision@5", "recall@10", "r-precision", "mrr", "mrr@10", "hit_rate@5"]
IR_MEANS = ["AP", "nDCG@10", "R@10", "RR"]
RANX_MEANS = ["map", "ndcg@10", "recall@10", "mrr"]
# Not numbers about a topic.
SKIPPED = {"runid", "relstring"}

IDS = [f"d{i}" for i in range(40)] + ["é1", "é2", "\uffee", "😀", "Ω", "D1"]


def case(rng: random.Random) -> dict:
    judged = rng.sample(IDS, rng.randint(1, 30))
    weights = rng.choice([(0, 6, 3, 1, 1), (1, 4, 4, 1, 1), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0)])
    qrels = {doc: rng.choices([-1, 0, 1, 2, 3], weights)[0] for doc in judged}
    kind = rng.choice(["few levels", "all equal", "almost equal", "distinct"])
    score = {
        "few levels": lambda: rng.randint(0, 4) / 2,
        "all equal": lambda: 0.25,
        # 1e-9 apart: equal as floats, different as doubles.
        "almost equal": lambda: 1 + rng.randint(0, 9) * 1e-9,
        "distinct": lambda: rng.uniform(-1, 1),
    }[kind]
    run = [[doc, score()] for doc in rng.sample(IDS, rng.randint(1, len(IDS)))]
    if rng.random() < 0.2:
        run += [[doc, score()] for doc, _ in rng.sample(run, rng.randint(1, len(run)))]
    return {"qrels": qrels, "run": run, "level": rng.choice([1, 1, 2])}


def as_float(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]


def in_order(run: dict) -> dict:
    """ranx sorts ties as its sort happens to: it gets trec_eval's order, as scores without ties."""
    ranked = sorted(run, key=lambda doc: (as_float(run[doc]), doc.encode()), reverse=True)
    return {doc: float(len(ranked) - i) for i, doc in enumerate(ranked)}


def by_pytrec_eval(qrels: dict, run: dict, level: int, names=None) -> dict:
    evaluator = pytrec_eval.RelevanceEvaluator(
        qrels, names or pytrec_eval.supported_measures, relevance_level=level
    )
    return evaluator.evaluate(run)


def ir_measure(name: str, level: int):
    parsed = ir_measures.parse_measure(name)
    if level == 1 or parsed.NAME in ("nDCG", "Judged"):
        return parsed
    return parsed(rel=level)


def by_ir_measures(qrels: dict, run: dict, level: int) -> dict:
    measures = {ir_measure(name, level): name for name in IR}
    values = {topic: {} for topic in qrels}
    for metric in ir_measures.iter_calc(list(measures), qrels, run):
        values[metric.query_id][measures[metric.measure]] = metric.value
    return values


def ranx_names(names, level: int):
    # nDCG's gain is the grade whatever the level, as in trec_eval.
    return [name if level == 1 or name.startswith("ndcg") else f"{name}-l{level}" for name in names]


def by_ranx(qrels: dict, run: dict, level: int) -> dict:
    ordered = ranx.Run({topic: in_order(documents) for topic, documents in run.items()})
    names = ranx_names(RANX, level)
    ranx.evaluate(ranx.Qrels(qrels), ordered, names)
    return {
        topic: {plain: float(ordered.scores[name][topic]) for plain, name in zip(RANX, names)} for topic in run
    }


def without_negative(qrels: dict) -> dict:
    """ranx and ir_measures know no negative grade."""
    return {t: {doc: grade for doc, grade in docs.items() if grade >= 0} for t, docs in qrels.items()}


def measure(cases: list) -> dict:
    names = {"ir_measures": IR, "ranx": RANX}
    for level in (1, 2):
        chosen = {f"t{i}": case for i, case in enumerate(cases) if case["level"] == level}
        if not chosen:
            continue
        qrels = {topic: case["qrels"] for topic, case in chosen.items()}
        run = {topic: dict(map(tuple, case["run"])) for topic, case in chosen.items()}
        pytrec = by_pytrec_eval(qrels, run, level)
        names["pytrec_eval"] = sorted(set(next(iter(pytrec.values()))) - SKIPPED)
        plain = {t: docs for t, docs in qrels.items() if min(docs.values()) >= 0}
        plain_run = {topic: run[topic] for topic in plain}
        others = {"ir_measures": by_ir_measures(plain, plain_run, level), "ranx": by_ranx(plain, plain_run, level)}
        for topic, case in chosen.items():
            case["values"] = {"pytrec_eval": [pytrec[topic][name] for name in names["pytrec_eval"]]}
            for tool, values in others.items():
                if topic in values:
                    case["values"][tool] = [values[topic].get(name) for name in names[tool]]
    return names


def collections(cases: list, rng: random.Random) -> list:
    """Means over topics, some of which are missing on one side."""
    result = []
    for start in range(0, len(cases) - 9, 10):
        topics = range(start, start + 10)
        unranked = rng.sample(topics, rng.randint(0, 3))
        unjudged = rng.sample([t for t in topics if t not in unranked], rng.randint(0, 3))
        qrels = without_negative({f"t{t}": cases[t]["qrels"] for t in topics if t not in unjudged})
        qrels = {topic: docs for topic, docs in qrels.items() if docs}
        run = {f"t{t}": dict(map(tuple, cases[t]["run"])) for t in topics if t not in unranked}
        pytrec = by_pytrec_eval(qrels, run, 1, {"map", "ndcg_cut.10", "recall.10", "recip_rank"})
        names = ["map", "ndcg_cut_10", "recall_10", "recip_rank"]
        measures = [ir_measures.parse_measure(name) for name in IR_MEANS]
        aggregate = ir_measures.calc_aggregate(measures, qrels, run)
        ordered = ranx.Run({topic: in_order(documents) for topic, documents in run.items()})
        comparable = ranx.evaluate(ranx.Qrels(qrels), ordered, RANX_MEANS, make_comparable=True)
        result.append(
            {
                "first": start,
                "judged": list(qrels),
                "ranked": list(run),
                "pytrec_eval": [sum(pytrec[t][name] for t in pytrec) / len(pytrec) for name in names],
                "ir_measures": [aggregate[m] for m in measures],
                "ranx": [float(comparable[name]) for name in RANX_MEANS],
            }
        )
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    cases = [case(rng) for _ in range(options.cases)]
    names = measure(cases)
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump(
            {
                "made_by": "test/parity/cross_check_measures.py",
                "versions": {"pytrec_eval-terrier": "0.5.11", "ir_measures": "0.4.3", "ranx": "0.3.21"},
                "names": names,
                "cases": cases,
                "collections": collections(cases, rng),
            },
            file,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        file.write("\n")


if __name__ == "__main__":
    main()
