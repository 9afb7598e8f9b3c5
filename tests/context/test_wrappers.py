"""Wrappers are cheap: on the shipped domains a one-line item costs eight tokens more at most."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.context.render import render_item
from harness.values import Check, EvalCase, Example, Place

ROOT = Path(__file__).parents[2]
HERE = Place(file="x")
count = TiktokenCounter().count


@pytest.mark.parametrize(
    "table",
    ["support-triage/examples/train.csv", "contract-clauses/examples/bank.csv"],
)
def test_a_one_line_item_costs_eight_tokens_at_most(table: str) -> None:
    path = ROOT / "domains" / table
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "\n" not in row["input"]]
    assert len(rows) > 6000
    worst = 0
    for row in random.Random(0).sample(rows, 2000):
        example = Example(id=row["id"], input=row["input"], output=row["output"], place=HERE)
        case = EvalCase(
            id=row["id"],
            input=row["input"],
            expected=row["output"],
            checks=(Check(grader="label", spec=None, place=HERE),),
            split="dev",
            place=HERE,
        )
        assert render_item(example) == render_item(case)
        own = count(row["input"]) + count(row["output"])
        worst = max(worst, count(render_item(example)) - own)
    print(f"{table}: {worst} tokens at most")
    assert worst <= 8


def test_an_item_of_several_lines_keeps_each_of_them() -> None:
    rendered = render_item(
        Example(
            id="e",
            input="first\nsecond",
            output="out",
            steps=("look", "weigh"),
            why="because",
            attached=(("note.txt", "a note"),),
            place=HERE,
        )
    )
    assert rendered == (
        '<example>\n<file from="note.txt">\na note\n</file>\n'
        "<input>\nfirst\nsecond\n</input>\n<steps>\n1. look\n2. weigh\n</steps>\n"
        "<why>\nbecause\n</why>\n<output>\nout\n</output>\n</example>\n"
    )
