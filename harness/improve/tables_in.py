"""A table or list of examples from elsewhere: what would be added, and what is wrong with it.

Nothing is written before somebody has seen this. Rows that are sound and new become a CSV file
of examples; the others are named, each with its line and what to do.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.domain.formats import AnswerSettings
from harness.domain.itemfiles import read_example_file
from harness.errors import UsageError
from harness.values import Example, Problem
from harness.words import TwinIndex, words

__all__ = ["Import", "ImportRow", "RowVerdict", "read_import", "written_table"]

RowVerdict = Literal["new", "near", "there", "taken"]
"""New; a near-duplicate of an example; the same input and output; its id is another's."""

MAX_BYTES = 50 * 1024 * 1024
COLUMNS = ("id", "input", "output", "why", "steps", "source", "tags", "files")
FIELDS = (*COLUMNS, "status", "author", "date")
USUAL_NAMES: Mapping[str, str] = {
    "question": "input",
    "text": "input",
    "prompt": "input",
    "case": "input",
    "answer": "output",
    "label": "output",
    "category": "output",
    "response": "output",
    "expected": "output",
    "reason": "why",
    "explanation": "why",
    "comment": "why",
    "tag": "tags",
    "document": "source",
}


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """One row, read.

    Attributes:
        example: What it says.
        verdict: What becomes of it.
        near: Id of the example that it is like, or whose id it has.
    """

    example: Example
    verdict: RowVerdict
    near: str = ""


@dataclass(frozen=True, kw_only=True)
class Import:
    """A file of examples, looked at.

    Attributes:
        name: Of the file.
        rows: Those that can be read.
        problems: What is wrong with the others, by line.
        columns: Which of its columns were read as which field, where the names differ; "" for
            one that is left out.
        unknown: Columns that are no field: say which field each is, or leave it out.
        written: The file of the domain that they were put into; empty in a preview.
        added: How many were.
    """

    name: str
    rows: tuple[ImportRow, ...]
    problems: tuple[Problem, ...]
    columns: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    written: str = ""
    added: int = 0

    def to_add(self, *, near: bool = True) -> tuple[Example, ...]:
        """Return what would be added.

        Args:
            near: Near-duplicates of what is there, too.
        """
        wanted = ("new", "near") if near else ("new",)
        return tuple(row.example for row in self.rows if row.verdict in wanted)


def read_import(
    name: str,
    data: bytes,
    *,
    known: Sequence[Example],
    taken: Iterable[str],
    answer: AnswerSettings,
    columns: Mapping[str, str] | None = None,
) -> Import:
    """Read a file of examples and hold it against those that are there.

    Args:
        name: Of the file; its ending says what it is: csv, xlsx, jsonl, yaml.
        data: Its bytes.
        known: The domain's examples.
        taken: Every id of the domain.
        answer: The domain's.
        columns: Which column is which field, where the names differ: `{"Frage": "input"}`; ""
            leaves a column out.

    Raises:
        UsageError: It is too big.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"{name} has {len(data) / 2**20:,.0f} MB; the limit is {MAX_BYTES / 2**20:,.0f} MB.",
            "Split it into several files.",
        )
    name, data, renamed, unknown = _with_our_columns(Path(name).name, data, columns)
    found, problems = read_example_file(name, data, answer)
    rows = tuple(_judged(found, known, set(taken)))
    return Import(name=name, rows=rows, problems=tuple(problems), columns=renamed, unknown=unknown)


def _judged(
    found: Sequence[Example], known: Sequence[Example], taken: set[str]
) -> Iterable[ImportRow]:
    index = TwinIndex(one.input for one in known)
    held = list(known)
    for example in found:
        said = words(example.input)
        twins = [held[row] for row in index.twins(said)]
        same = [one for one in twins if (one.input, one.output) == (example.input, example.output)]
        if same:
            yield ImportRow(example=example, verdict="there", near=same[0].id)
            continue
        if example.id in taken:
            yield ImportRow(example=example, verdict="taken", near=example.id)
            continue
        taken.add(example.id)
        yield ImportRow(
            example=example,
            verdict="near" if twins else "new",
            near=twins[0].id if twins else "",
        )
        index.add(said)
        held.append(example)


def _with_our_columns(
    name: str, data: bytes, columns: Mapping[str, str] | None
) -> tuple[str, bytes, dict[str, str], tuple[str, ...]]:
    """Return a table with its columns named as the fields, and ids where it has none.

    Also which were renamed, and which are no field.

    Lines stay where they are, so that a problem names the line of the file that was given.
    """
    ending = Path(name).suffix.lower()
    if ending == ".xlsx" and columns is None and _knows(_excel_head(data)):
        return name, data, {}, ()
    if ending == ".xlsx":
        data = _as_csv(data) or data
    if ending not in (".csv", ".xlsx") or data.startswith(b"PK"):
        return name, data, {}, ()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return name, data, {}, ()  # the reader says what is wrong
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not rows:
        return name, data, {}, ()
    head = [cell.strip() for cell in rows[0]]
    fields = [_field(cell, columns or {}) for cell in head]
    if "id" in fields and fields == head and set(fields) <= set(FIELDS):
        return name, data, {}, ()
    renamed = {old: new for old, new in zip(head, fields, strict=True) if old != new}
    unknown = tuple(field for field in fields if field and field not in FIELDS)
    kept = [at for at, field in enumerate(fields) if field]
    if len(kept) < len(fields):
        rows = [[row[at] for at in kept if at < len(row)] for row in rows]
        fields, head = [fields[at] for at in kept], [head[at] for at in kept]
    stem = Path(name).stem
    if "id" not in fields:
        fields = [*fields, "id"]
        for number, row in enumerate(rows[1:], start=2):
            if any(row):
                row.extend([""] * (len(head) - len(row)))
                row.append(f"{stem}-{number}")
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([fields, *rows[1:]])
    said = table.getvalue().encode("utf-8")
    return str(Path(name).with_suffix(".csv")), said, renamed, unknown


def _field(cell: str, columns: Mapping[str, str]) -> str:
    if cell in columns:
        return columns[cell]
    folded = cell.casefold()
    return folded if folded in COLUMNS else USUAL_NAMES.get(folded, cell)


def _knows(head: Sequence[str]) -> bool:
    return {"id", "input", "output"} <= set(head) <= set(FIELDS)


def _excel_head(data: bytes) -> list[str]:
    rows = _excel_rows(data, most=1)
    return rows[0] if rows else []


def _as_csv(data: bytes) -> bytes:
    """Return the first sheet as CSV; nothing where it can't be read."""
    rows = _excel_rows(data)
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(rows)
    return table.getvalue().encode("utf-8") if rows else b""


def _excel_rows(data: bytes, most: int | None = None) -> list[list[str]]:
    from openpyxl import load_workbook

    from harness.domain.excel import shown

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        found = [
            [shown(cell.value, getattr(cell, "number_format", "")).strip() for cell in row]
            for row in sheet.iter_rows(max_row=most)
        ]
        book.close()
    except Exception:  # openpyxl raises whatever broke inside of it; the domain's reader says so
        return []
    return found


def written_table(examples: Iterable[Example], *, author: str, date: str, status: str) -> bytes:
    """Return examples as CSV, as a file of examples/ has them.

    Args:
        examples: What to write.
        author: Put where an example names none.
        date: Likewise.
        status: Of all of them.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([*COLUMNS, "status", "author", "date"])
    for one in examples:
        own = replace(one, author=one.author or author, date=one.date or date)
        cells = [getattr(own, name) for name in COLUMNS]
        writer.writerow(
            [cell if isinstance(cell, str) else "; ".join(cell) for cell in cells]
            + [status, own.author, own.date]
        )
    return table.getvalue().encode("utf-8")
