"""Tables of rows, read and written: .xlsx, .csv and .jsonl, each cell as it was."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

from harness.domain.excel import shown
from harness.errors import StateError, UsageError

__all__ = ["Table", "cell_text", "columns_of", "read_rows", "refuse_target", "write_rows"]

ENDINGS = (".xlsx", ".csv", ".jsonl")

_BEGINS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""With one of these a spreadsheet takes a CSV file's cell for a formula (OWASP, CSV injection)."""
_PLAIN = re.compile(r"[-+]?[0-9][0-9.,\u2019\u00a0\u202f ]*(?:[eE][-+]?[0-9]+)?\s?[%\u2030]?")
"""A number, which is no formula whatever it begins with."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under named columns; a cell is what the file has there, None where it is empty.

    Attributes:
        added: Columns that were not in the file that was read.
        lines: Of each row, its line in that file; empty where the rows come from no sheet.
        problems: Why a cell can't be read, by the row's index and the column.
        mark: Stands between the cells of a CSV file.
        book: The Excel file that was read, as it was; None for another file.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    added: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    problems: Mapping[tuple[int, str], str] = field(default_factory=dict)
    mark: str = ","
    book: bytes | None = field(default=None, repr=False)


def read_rows(path: Path) -> Table:
    """Read a table: of an Excel file its first sheet, of JSON lines one object a line.

    Raises:
        UsageError: It is no such file, or can't be read.
    """
    from harness.sdk.rows_excel import read_excel

    readers = {".xlsx": read_excel, ".csv": _read_csv, ".jsonl": _read_jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _no_table(path)
    try:
        table = reader(path)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}.") from error
    if not table.rows:
        raise UsageError(f"{path} has no row.", "Its first line names the columns.")
    return table


def refuse_target(source: Path, target: Path) -> None:
    """Make sure that a table can be written there without loss of the one that is read.

    Raises:
        UsageError: It is the same file, or no file of a table.
    """
    if target.suffix.lower() not in ENDINGS:
        raise _no_table(target)
    try:
        same = source.samefile(target)
    except OSError:  # one of them is not there
        same = source.resolve() == target.resolve()
    if same:
        raise UsageError(
            f"{target} is the table that is read: it would be written over.",
            "Choose another name for the table with the answers.",
        )


def write_rows(path: Path, table: Table) -> None:
    """Write a table, whole or not at all; the file's ending says as what.

    An Excel file that is written as one keeps all that it has: the added columns are put beside
    the rows of the sheet that was read.

    Raises:
        UsageError: The ending is none of a table.
        StateError: It can't be written.
    """
    from harness.sdk.rows_excel import excel

    writers = {".xlsx": excel, ".csv": _csv, ".jsonl": _jsonl}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise _no_table(path)
    content = writer(table)
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StateError(f"{path} can't be written: {error.strerror or error}.") from error


def cell_text(value: Any) -> str:
    """Return a cell as text: dates as ISO 8601 has them, "" where it is empty."""
    if value is None:
        return ""
    return shown(value, "") if isinstance(value, date | time) else str(value)


def _no_table(path: Path) -> UsageError:
    return UsageError(f"{path} is no table.", f"Give one of {', '.join(ENDINGS)}.")


def _read_csv(path: Path) -> Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error}.", "Save it as CSV UTF-8.") from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=mark, strict=True))
    except csv.Error as error:
        raise UsageError(f"{path} breaks off: {error}.", "Mend its quotation marks.") from error
    head = [cell.strip() for cell in lines[0]] if lines else []
    return Table(mark=mark, **_named(path, head, [line for line in lines[1:] if line]))


def _read_jsonl(path: Path) -> Table:
    rows, columns = [], dict[str, None]()
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}:{number} is no JSON: {error}.") from error
        if not isinstance(row, dict):
            raise UsageError(f"{path}:{number} is no object.", 'Write {"input": "…"}.')
        columns |= dict.fromkeys(map(str, row))
        rows.append(row)
    return Table(columns=tuple(columns), rows=tuple(rows))


def _named(path: Path, head: Sequence[str], lines: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return columns and rows, without the rows that are empty."""
    return {
        "columns": columns_of(path, head),
        "rows": tuple(
            {name: cell for name, cell in zip(head, line, strict=False) if name}
            for line in lines
            if any(cell not in (None, "") for cell in line)
        ),
    }


def columns_of(path: Path, head: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns.

    Raises:
        UsageError: One is there twice.
    """
    twice = [name for name in head if name and head.count(name) > 1]
    if twice:
        raise UsageError(f"{path} has the column {twice[0]!r} twice.", "Rename one of them.")
    return tuple(name for name in head if name)


def _csv(table: Table) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(
        out, table.columns, restval="", extrasaction="ignore", delimiter=table.mark
    )
    writer.writeheader()
    for row in table.rows:
        cells = {name: cell_text(value) for name, value in row.items()}
        cells |= {name: _no_formula(cells[name]) for name in table.added if _is_text(row, name)}
        writer.writerow(cells)
    return out.getvalue().encode("utf-8-sig", "replace")


def _is_text(row: Mapping[str, Any], name: str) -> bool:
    return isinstance(row.get(name), str)


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_BEGINS) and not _PLAIN.fullmatch(text) else text


def _jsonl(table: Table) -> bytes:
    lines = [json.dumps(dict(row), ensure_ascii=False, default=cell_text) for row in table.rows]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
