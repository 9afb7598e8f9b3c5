"""A comparison of two runs as HTML: the sentence, both runs side by side, cases that moved."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.evals.compare import Comparison
from harness.evals.compare_report import Q_NOTE, run_cells, slice_cells

__all__ = ["compared", "verdict"]

MOST_IDS = 50
"""Cases that are named; it says how many more there are."""


def verdict(found: Comparison) -> str:
    """Return the sentence."""
    kind = found.verdict.replace(" ", "-")
    return f'<p class="verdict {kind}">{escape(found.sentence)}</p>'


def compared(found: Comparison) -> str:
    """Return what stands behind the sentence."""
    parts = [f'<p class="note">! {escape(words)}</p>' for words in found.warnings]
    head = ("", "run", "model", "context", "right", "cost", "tokens in", "seconds")
    parts.append(
        _table(
            head,
            [
                run_cells("first", found.first, found.first_score),
                run_cells("second", found.second, found.second_score),
            ],
        )
    )
    difference = found.difference
    same = difference.n - difference.newly_passing - difference.newly_failing
    moved = [
        ("newly passing", found.newly_passing),
        ("newly failing", found.newly_failing),
        ("left out, only in the first", found.only_first),
        ("left out, only in the second", found.only_second),
        ("left out, changed between the runs", found.changed),
        ("left out, not scored in one of them", found.unscored),
    ]
    rows = [(what, f"{len(ids):,}", _ids(ids)) for what, ids in moved if ids or "newly" in what]
    parts.append(_table(("", "cases", ""), [*rows, ("same in both", f"{same:,}", "")], "narrow"))
    if found.slices:
        parts.append(_slices(found))
    return "\n".join(parts)


def _ids(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_IDS
    shown = ", ".join(" ".join(name.split())[:60] for name in ids[:MOST_IDS])
    return shown + (f" and {more:,} more" if more > 0 else "")


def _slices(found: Comparison) -> str:
    head = ("tag", "cases", "first", "second", "points", "q", "")
    table = _table(head, [slice_cells(one) for one in found.slices])
    return f'{table}<p class="note">{Q_NOTE}</p>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table class="{kind}"><tr>{names}</tr>{lines}</table></div>'
