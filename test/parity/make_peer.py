"""Makes test/fixtures/measures/peer.json: PEER of random rankings by peer_measure, and tails of chi-square by scipy.

  pip install peer_measure==0.0.1 ir_measures==0.3.1 scipy   # later ir_measures lack what peer_measure calls
  python test/parity/make_peer.py

Every topic has a judged passage that is not relevant: peer_measure 0.0.1 fails without one. A case whose value is NaN
there (all ranks equal) is drawn anew.
"""

import json
import pathlib
import random
import warnings

import ir_measures
import scipy.stats
from peer_measure import PEER

warnings.filterwarnings("ignore")
draw = random.Random(5)


def case():
    """A ranking by score, judgments by passage, languages, weights and a cutoff."""
    langs = ["en", "de", "fi", "zh", "ar"][: draw.choice([1, 2, 3, 3, 5, 5])]
    count = draw.choice([2, 12, 25, 25, 50])
    lang = {f"d{i}": draw.choice(langs) for i in range(count)}
    # Some languages are ranked higher than others.
    bias = {name: draw.choice([0, 0.5, 3]) for name in langs}
    retrieved = draw.sample(sorted(lang), draw.randint((count + 1) // 2, count))
    order = sorted(retrieved, key=lambda d: draw.random() - bias[lang[d]])
    grades = {d: draw.choice([0, 0, 1, 2]) for d in sorted(lang) if draw.random() < 0.6}
    lang["never"] = langs[0]
    grades["never"] = 0
    weights = draw.choice([{0: 0.5, 1: 0.5}, {1: 1}, {0: 0.25, 1: 0.25, 2: 0.5}, {0: 0, 1: 0.5, 3: 0.5}])
    return {"order": order, "lang": lang, "grades": grades, "weights": weights, "k": draw.choice([1, 10, 20, 20, 100])}


def value(drawn):
    """PEER@k of a case."""
    run = {"q": {d: 1000.0 - i for i, d in enumerate(drawn["order"])}}
    measure = PEER(weights=drawn["weights"], lang_mapping=drawn["lang"]) @ drawn["k"]
    (metric,) = ir_measures.iter_calc([measure], {"q": drawn["grades"]}, run)
    return float(metric.value)


cases = []
while len(cases) < 100:
    drawn = case()
    peer = value(drawn)
    if peer == peer:
        cases.append({**drawn, "peer": peer})
tails = [
    {"x": x, "freedom": freedom, "tail": float(scipy.stats.chi2.sf(x, freedom))}
    for freedom in [1, 2, 3, 4, 7, 10, 23, 111, 500]
    for x in [0, 1e-9, 0.01, 0.5, 1, 3.7, 10, 60, 110, 400, 900]
]
path = pathlib.Path(__file__).parent.parent / "fixtures/measures/peer.json"
lines = ",\n".join(json.dumps(each) for each in cases)
path.write_text(f'{{"chi_square": {json.dumps(tails)},\n"cases": [\n{lines}\n]}}\n')
