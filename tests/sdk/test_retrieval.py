"""What packing is for: the gold label stands among the demonstrations of a small budget.

On seeded samples; the figures of the whole sets are the benchmark's.
"""

from __future__ import annotations

import random

import pytest


@pytest.mark.parametrize(
    ("name", "tokens", "queries", "wanted"),
    [("contract-clauses", 500, 200, 0.90), ("support-triage", 150, 300, 0.97)],
)
def test_the_gold_label_is_shown(
    shipped, name: str, tokens: int, queries: int, wanted: float
) -> None:
    harness = shipped(name)
    domain = harness.domain
    dev = [case.id for case in domain.cases if case.split == "dev"]
    holdout = [case for case in domain.cases if case.split == "holdout"]
    labels = {one.id: one.output for one in domain.examples}
    found = 0
    for case in random.Random(0).sample(holdout, queries):
        packed = harness.preview(
            case.input, sections={"core": 0, "demonstrations": tokens}, exclude=dev
        )
        assert packed.by_section["demonstrations"] <= tokens
        assert packed.by_section["core"] == 0
        shown = {labels[item.id] for item in packed.shown("example")}
        found += case.expected in shown
    print(f"{name}: gold label shown in {found / queries:.1%} of {queries} at {tokens} tokens")
    assert found / queries >= wanted
