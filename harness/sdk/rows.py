"""Tables of rows, read and written: .xlsx, .csv and .jsonl, each cell as it was."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from harness.errors import StateError, UsageError

__all__ = ["Table", "read_rows", "write_rows"]

ENDINGS = (".xlsx", ".csv", ".jsonl")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under named columns; a cell is what the file has there, None where it is empty."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]


def read_rows(path: Path) -> Table:
    """Read a table: of an Excel file its first sheet, of JSON lines one object a line.

    Raises:
        UsageError: It is no such file, or can't be read.
    """
    readers = {".xlsx": _read_xlsx, ".csv": _read_csv, ".jsonl": _read_jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path} is no table.", f"Give one of {', '.join(ENDINGS)}.")
    try:
        table = reader(path)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}.") from error
    if not table.rows:
        raise UsageError(f"{path} has no row.", "Its first line names the columns.")
    return table


def write_rows(path: Path, table: Table) -> None:
    """Write a table, whole or not at all; the file's ending says as what.

    Raises:
        UsageError: The ending is none of a table.
        StateError: It can't be written.
    """
    writers = {".xlsx": _xlsx, ".csv": _csv, ".jsonl": _jsonl}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"{path} is no table.", f"Give one of {', '.join(ENDINGS)}.")
    content = writer(table)
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StateError(f"{path} can't be written: {error.strerror or error}.") from error


def _read_xlsx(path: Path) -> Table:
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UsageError(f"{path} is no Excel file: {error}.", "Save it as .xlsx.") from error
    try:
        sheet = book.worksheets[0]
        lines = [list(line) for line in sheet.iter_rows(values_only=True)]
    finally:
        book.close()
    head = [str(cell).strip() if cell is not None else "" for cell in lines[0]] if lines else []
    return _table(path, head, lines[1:])


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
    return _table(path, head, [line for line in lines[1:] if line])


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


def _table(path: Path, head: Sequence[str], lines: Sequence[Sequence[Any]]) -> Table:
    twice = [name for name in head if name and head.count(name) > 1]
    if twice:
        raise UsageError(f"{path} has the column {twice[0]!r} twice.", "Rename one of them.")
    rows = [
        {name: cell for name, cell in zip(head, line, strict=False) if name}
        for line in lines
        if any(cell not in (None, "") for cell in line)
    ]
    return Table(columns=tuple(name for name in head if name), rows=tuple(rows))


def _xlsx(table: Table) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("answers")

    def cell(value: Any) -> Any:
        if isinstance(value, str):
            text = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)[:32_767]
            return text.encode("utf-8", "replace").decode()
        return value if isinstance(value, int | float | date | datetime | None) else str(value)

    sheet.append(list(table.columns))
    from openpyxl.cell import WriteOnlyCell

    for row in table.rows:
        cells = []
        for name in table.columns:
            one = WriteOnlyCell(sheet, value=cell(row.get(name)))
            if one.data_type == "f":  # an answer that begins with = is text, never a formula
                one.data_type = "s"
            cells.append(one)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(table: Table) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, table.columns, restval="", extrasaction="ignore")
    writer.writeheader()
    for row in table.rows:
        writer.writerow({name: "" if row.get(name) is None else row[name] for name in row})
    return out.getvalue().encode("utf-8-sig", "replace")


def _jsonl(table: Table) -> bytes:
    lines = [json.dumps(dict(row), ensure_ascii=False, default=str) for row in table.rows]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
