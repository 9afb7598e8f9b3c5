"""A table as questions, and its answers as new columns of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.evals import Generation
from harness.evals.graders import Work
from harness.evals.graders.cites import where_quoted
from harness.sdk.rows import Table, cell_text
from harness.values import EvalCase, Place

if TYPE_CHECKING:
    from harness.domain import Domain

__all__ = ["Question", "answered", "cases_of", "questions_of"]

NEW = ("answer", "confidence", "nearest_similarity", "citations", "cost_usd", "error")
"""Columns that are added; one that is there already gets `_2` and so on.

`confidence` only where the domain answers by label: elsewhere nothing says how sure an answer is.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a row asks.

    Attributes:
        case: Its id as a case.
        text: "" where it asks nothing.
        problem: Why it asks nothing, in plain words.
    """

    case: str
    text: str
    problem: str = ""


def questions_of(table: Table, column: str | None, source: Path) -> Sequence[Question]:
    """Return the question of each row, at least one of them with words.

    Raises:
        UsageError: There is no such column, or no question in it.
    """
    name = _column(table, column)
    found = []
    for index, row in enumerate(table.rows):
        problem = table.problems.get((index, name), "")
        text = "" if problem else cell_text(row.get(name)).strip()
        if not text and not problem:
            problem = f"The row has no question: its column `{name}` is empty."
        found.append(Question(case=f"row-{index + 1}", text=text, problem=problem))
    if not any(one.text for one in found):
        raise UsageError(
            f"{source} has no question: {found[0].problem}",
            "Fill the column, or name it: --column.",
        )
    return found


def _column(table: Table, column: str | None) -> str:
    names = [column] if column else ["input", "question"]
    found = next((name for name in names if name in table.columns), None)
    if found is None and column is None and len(table.columns) == 1:
        found = table.columns[0]
    if found is None:
        asked = f"no column {column!r}" if column else "no column `input` or `question`"
        raise UsageError(
            f"The table has {asked}.", f"Name one with --column: {', '.join(table.columns)}."
        )
    return found


def cases_of(questions: Sequence[Question], source: Path) -> list[EvalCase]:
    """Return the rows that ask something as cases."""
    return [
        EvalCase(
            id=one.case,
            input=one.text,
            checks=(),
            split="dev",
            place=Place(file=source.name, line=number + 1),
        )
        for number, one in enumerate(questions, start=1)
        if one.text
    ]


def answered(
    table: Table,
    questions: Sequence[Question],
    done: Mapping[str, Generation],
    domain: Domain,
    stopped: str = "",
) -> Table:
    """Return the table with the answers in new columns.

    Args:
        table: As it was read.
        questions: Of its rows.
        done: Answers, or why there is none, by case.
        domain: What was asked.
        stopped: Why not every row was asked.
    """
    by_label = domain.settings.answer.kind == "label"
    added = [name for name in NEW if by_label or name != "confidence"]
    names = {name: _free(name, table.columns) for name in added}
    sources = {
        f"{one.document}{f', {one.where}' if one.where else ''}": one.text
        for one in domain.passages
    }
    rows = []
    for row, asked in zip(table.rows, questions, strict=True):
        one = done.get(asked.case)
        new: dict[str, Any] = {"error": asked.problem}
        if one is not None and one.work is not None:
            new = _cells(one.work, sources)
        elif asked.text:
            new = {"error": one.error if one is not None else f"Not asked. {stopped}".strip()}
        rows.append({**row, **{names[name]: new.get(name) for name in added}})
    columns = tuple(names.values())
    return dataclasses.replace(
        table, columns=(*table.columns, *columns), rows=tuple(rows), added=columns
    )


def _cells(work: Work, sources: Mapping[str, str]) -> dict[str, Any]:
    cited = where_quoted(work.text, sources)
    return {
        "answer": work.text,
        "confidence": _rounded(work.confidence),
        "nearest_similarity": _rounded(work.nearest),
        "citations": "; ".join(f"“{quote}” ({where})" for quote, where in cited),
        "cost_usd": None if work.cost_usd is None else float(work.cost_usd),
        "error": "",
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _free(name: str, taken: tuple[str, ...]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
