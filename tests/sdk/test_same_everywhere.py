"""A domain version has one context for a question, whichever machine built its index."""

from __future__ import annotations

import random
from pathlib import Path

from harness import Harness
from harness.testing import HashEmbedder

TOPICS = ("card", "transfer", "fee", "loan", "refund", "limit", "cash", "rate", "top-up", "PIN")


def said(number: int) -> str:
    dice = random.Random(number)
    words = [*dice.sample(TOPICS, 2), *(f"w{dice.randrange(300)}" for _ in range(6))]
    return f"{' '.join(words)} number {number}"


def test_two_homes_have_equal_messages(write_domain, tmp_path: Path) -> None:
    """An approximate store built twice finds other neighbours, and ties fall otherwise."""
    rows = "".join(f"e{n},{said(n)},{TOPICS[n % 10]}\n" for n in range(1500))
    folder = write_domain(
        "twice",
        **{"domain.yaml": "answer: {kind: label}\n", "examples/a.csv": f"id,input,output\n{rows}"},
    )
    asked = [said(n) for n in range(5000, 5020)]
    seen = []
    for home in ("one", "other"):
        with Harness(folder, home=tmp_path / home, embedder=HashEmbedder()) as harness:
            packed = [harness.preview(text, budget=8000) for text in asked]
            seen.append([(one.messages, one.items) for one in packed])
    assert seen[0] == seen[1]
