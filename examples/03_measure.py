"""Measure a domain, and see why near-duplicates have to be kept out of the context that is scored.

Run it: python examples/03_measure.py [number of cases]
"""

import sys

from harness import Harness

limit = int(sys.argv[1]) if len(sys.argv) > 1 else 100

with Harness("contract-clauses", model="baseline:nearest") as harness:
    for name, how in {
        "guard on (the honest score)": {},
        "guard on, policy nearest": {"policy": "nearest"},
        "guard off: twins leak the answer": {"guard": False},
    }.items():
        run = harness.evaluate(split="dev", limit=limit, **how)
        score = run.score
        interval = f"95 % interval {score.low:.3f} to {score.high:.3f}, {score.method}"
        print(f"{name:<34}{score.mean:.3f}  ({interval}; {run.scored} cases)")
