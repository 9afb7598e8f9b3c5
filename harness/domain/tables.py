"""CSV and Excel as entries: one row an item, columns named as the fields.

A list field (`tags`, `files`, `steps`) is written with semicolons in a cell; a case's checks
stand in columns named `check:<grader>`. The place of a cell is its physical line and the number
of its column. A comma, a semicolon or a tab may stand between the cells of a CSV file,
whichever its first row uses, as Excel writes one or the other by country.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from harness.domain.checks import COLUMN, split_cell
from harness.domain.entries import Entry
from harness.domain.explain import fields_of
from harness.domain.files import MAX_BYTES, DomainFile
from harness.domain.formats import GRADERS, CaseItem, ExampleItem
from harness.domain.problems import did_you_mean, listed
from harness.values import Place, Problem

__all__ = ["LIST_FIELDS", "is_notes", "read_csv", "rows_to_entries"]

LIST_FIELDS = frozenset({"tags", "files", "steps"})
NEEDED = {ExampleItem: ("id", "input", "output"), CaseItem: ("id", "input")}

Row = tuple[int, Sequence[str]]
"""A row's line and its cells."""


def read_csv(
    file: DomainFile, text: str, schema: type[ExampleItem | CaseItem]
) -> tuple[list[Entry], list[Problem]]:
    """Read a CSV file.

    Args:
        file: Where the text comes from.
        text: The text, line ends as they are.
        schema: What each row is.
    """
    # the module's own limit of 128 KB a cell is for the whole process: it is only ever raised
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    rows: list[Row] = []
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_delimiter(text, schema), strict=True
    )
    start, problems = 1, []
    try:
        for cells in reader:
            if cells:
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        problems.append(_broken(file, error, start, reader.line_num))
    entries, wrong = rows_to_entries(file, rows, schema)
    return entries, problems + wrong


def _delimiter(text: str, schema: type) -> str:
    head = text.split("\n", 1)[0].strip("\r")
    fields = set(fields_of(schema))

    def known(delimiter: str) -> int:
        cells = (cell.strip().strip('"') for cell in head.split(delimiter))
        return sum(cell in fields or cell.startswith(COLUMN) for cell in cells)

    return max((",", ";", "\t"), key=known)


def _broken(file: DomainFile, error: csv.Error, start: int, line: int) -> Problem:
    if "unexpected end" in str(error):
        says = (
            "A quotation mark is opened in this row and never closed, so the rest of the file"
            " belongs to it. Close it; a quotation mark within a quoted cell is written twice."
        )
        line = start
    elif "expected after" in str(error):
        says = (
            "Text follows a closing quotation mark. Put the whole cell in quotation marks, and"
            " write those within it twice."
        )
    else:
        says = f"The table can't be read from here on ({error})."
    return Problem(place=Place(file=file.name, line=line), code="csv-syntax", message=says)


def rows_to_entries(
    file: DomainFile, rows: Iterable[Row], schema: type[ExampleItem | CaseItem], sheet: str = ""
) -> tuple[list[Entry], list[Problem]]:
    """Return the rows below the first, which names the columns, as entries.

    Args:
        file: The table.
        rows: All rows that are not empty.
        schema: What each row is.
        sheet: The sheet's name, where there are several.
    """
    lines = iter(rows)
    first = next(lines, None)
    if first is None:
        return [], []
    head = Entry(data={}, file=file.name, line=first[0], columns={}, sheet=sheet)
    names, problems = _columns(head, first[1], schema)
    if problems:
        return [], problems
    columns = {name: number for number, name in enumerate(names, start=1) if name}
    lists = [(number, name) for number, name in enumerate(names) if name in LIST_FIELDS]
    entries: list[Entry] = []
    for line, cells in lines:
        if not any(cells):
            continue
        data: dict[str, Any] = {
            name: cell for name, cell in zip(names, cells, strict=False) if cell
        }
        for number, name in lists:
            if name in data:
                data[name] = split_cell(cells[number])
        entry = Entry(data=data, file=file.name, line=line, columns=columns, sheet=sheet)
        if "" in data or any(cells[len(names) :]):
            problems.append(_extra(entry, names, cells))
        else:
            entries.append(entry)
    return entries, problems


def _extra(entry: Entry, names: Sequence[str], cells: Sequence[str]) -> Problem:
    beyond = next(
        cell
        for number, cell in enumerate(cells)
        if cell and not "".join(names[number : number + 1])
    )
    says = (
        f"The cell `{beyond[:40]}` stands under no column name. Put a text with commas in"
        " double quotes, or name the column."
    )
    return entry.problem("extra-cells", says)


def _columns(
    head: Entry, cells: Sequence[str], schema: type[ExampleItem | CaseItem]
) -> tuple[list[str], list[Problem]]:
    """Return the columns' names, and what is wrong with them: once a table, not once a row."""
    fields = [name for name in fields_of(schema) if name != "checks"]
    names = [cell.strip() for cell in cells]
    known = fields if schema is ExampleItem else [*fields, *(COLUMN + name for name in GRADERS)]
    problems: list[Problem] = []
    for number, name in enumerate(names):
        at = Entry(data={}, file=head.file, line=head.line, column=number + 1, sheet=head.sheet)
        if name in names[:number] and name:
            problems.append(
                at.problem("duplicate-key", f"There are two columns `{name}`. Keep one.")
            )
        elif name and name not in known:
            problems.append(_unknown(at, name, known, schema))
    missing = [name for name in NEEDED[schema] if name not in names]
    if missing:
        *others, last = (f"`{name}`" for name in missing)
        named = f"columns {', '.join(others)} and {last}" if others else f"column {last}"
        says = (
            f"The table lacks the {named}. Add {'them' if others else 'it'} to the first row,"
            " which names the columns."
        )
        problems.append(head.problem("missing-column", says))
    return names, problems


def is_notes(cells: Sequence[str], schema: type[ExampleItem | CaseItem]) -> bool:
    """Say whether a table is none of items: nothing in its first row is nearly a column's name."""
    fields = fields_of(schema)
    names = [cell.strip() for cell in cells if cell.strip()]
    return not any(name.startswith(COLUMN) or did_you_mean(name, fields) for name in names)


def _unknown(
    at: Entry, name: str, known: list[str], schema: type[ExampleItem | CaseItem]
) -> Problem:
    if name.startswith(COLUMN) and schema is CaseItem:
        grader = name[len(COLUMN) :]
        says = f"No grader is called `{grader}`.{did_you_mean(grader, GRADERS)}"
        return at.problem("unknown-grader", f"{says} Known: {listed(GRADERS)}.")
    if name == "checks" and schema is CaseItem:
        says = (
            "In a table, checks stand in columns of their own: `check:number`,"
            " `check:contains_all` …"
        )
        return at.problem("unknown-column", says)
    says = f"The column `{name[:60]}` is no field.{did_you_mean(name[:60], known)}"
    return at.problem("unknown-column", f"{says} Known: {listed(known, most=20)}.")
