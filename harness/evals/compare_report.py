"""A comparison told to a person in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evals.compare import Comparison, Slice
from harness.evals.results import EvalRun
from harness.values import in_dollars

__all__ = ["Q_NOTE", "compare_report", "run_cells", "slice_cells"]

MOST_IDS = 10
"""Cases that are named; it says how many more there are."""
Q_NOTE = "q: the test's p for so many tags; at most 5 % of what is called different is luck."


def compare_report(found: Comparison) -> str:
    """Return the comparison as text for a terminal: the verdict first, then what stands behind."""
    difference = found.difference
    blocks = [found.sentence]
    if found.warnings:
        blocks.append("\n".join(f"! {words}" for words in found.warnings))
    rows = [
        ("", "run", "model", "context", "right", "cost", "tokens in", "seconds"),
        run_cells("first", found.first, found.first_score),
        run_cells("second", found.second, found.second_score),
    ]
    blocks.append(_table(rows))
    moved = [
        _ids("newly passing", found.newly_passing),
        _ids("newly failing", found.newly_failing),
        f"same in both: {difference.n - difference.newly_passing - difference.newly_failing:,}",
    ]
    blocks.append("\n".join(moved))
    apart = [
        _ids("left out, only in the first", found.only_first),
        _ids("left out, only in the second", found.only_second),
        _ids("left out, changed between the runs", found.changed),
        _ids("left out, not scored in one of them", found.unscored),
    ]
    if said := [line for line in apart if not line.endswith(": 0")]:
        blocks.append("\n".join(said))
    if found.slices:
        blocks.append(_slices(found))
    return "\n\n".join(blocks) + "\n"


def run_cells(name: str, run: EvalRun, score: float) -> tuple[str, ...]:
    """Return a run's line in the table of both runs."""
    return (
        name,
        run.run,
        run.model,
        run.policy,
        f"{100 * score:.1f} %",
        in_dollars(run.usage.cost_usd),
        f"{run.usage.input_tokens:,}",
        f"{run.seconds:.1f}",
    )


def slice_cells(one: Slice) -> tuple[str, ...]:
    """Return a tag's line: tag, cases, both scores, the difference, its q and the verdict."""
    return (
        one.tag,
        f"{one.difference.n:,}",
        f"{100 * one.first:.1f} %",
        f"{100 * one.second:.1f} %",
        f"{100 * one.difference.mean:+.1f}",
        f"{one.q:.3f}",
        one.verdict,
    )


def _slices(found: Comparison) -> str:
    rows = [("tag", "cases", "first", "second", "points", "q", "")]
    return f"{_table([*rows, *map(slice_cells, found.slices)])}\n{Q_NOTE}"


def _ids(what: str, ids: Sequence[str]) -> str:
    if not ids:
        return f"{what}: 0"
    more = len(ids) - MOST_IDS
    shown = ", ".join(" ".join(name.split())[:60] for name in ids[:MOST_IDS])
    return f"{what}: {len(ids):,} ({shown}{f' and {more:,} more' if more > 0 else ''})"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
