"""An Excel file as a table of rows, and the answers put beside them in the same workbook."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime, time, timedelta
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.sdk.rows import Table, columns_of

__all__ = ["excel", "read_excel"]

MOST_CHARACTERS = 32_767
"""Of a cell, says Excel."""

_FORMULA = re.compile(
    rb'<c r="(?P<at>[A-Z]+[0-9]+)"(?P<style>(?: s="[0-9]+")?)>'
    rb"(?P<formula><f(?: [^>]*)?(?:/>|>[^<]*</f>))<v ?(?:/>|></v>)</c>"
)
"""A formula's cell as openpyxl writes it: without a result."""
_NO_RESULT = (
    "The formula in cell {} has no stored result. Open the file in Excel and save it, or put the"
    " value in place of the formula."
)
_FAILED = "The cell {} shows the error {}. Mend the formula, or put a value in its place."


def read_excel(path: Path) -> Table:
    """Read the first sheet; a formula counts with the result that Excel stored.

    Of one without a result the row has the formula itself, and the table's problems say so.

    Raises:
        UsageError: It is no Excel file.
    """
    data = path.read_bytes()
    written = _cells(path, data)
    formulas = any(cell.data_type == "f" for line in written for cell in line)
    stored = _stored(_cells(path, data, results=True)) if formulas else {}
    head = [_name(cell.value) for cell in written[0]] if written else []
    columns = columns_of(path, head)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    problems: dict[tuple[int, str], str] = {}
    for line, cells in enumerate(written[1:], start=2):
        if all(cell.value in (None, "") for cell in cells):
            continue
        row: dict[str, Any] = {}
        for name, cell in zip(head, cells, strict=False):
            if not name:
                continue
            row[name], wrong = _value(cell, stored)
            if wrong:
                problems[len(rows), name] = wrong
        rows.append(row)
        lines.append(line)
    return Table(
        columns=columns, rows=tuple(rows), lines=tuple(lines), problems=problems, book=data
    )


def _name(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _cells(path: Path, data: bytes, *, results: bool = False) -> list[tuple[Any, ...]]:
    """Return the cells of the first sheet, line by line."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=results)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what a file says of its size may be wrong
            return list(sheet.iter_rows())
        finally:
            book.close()
    except Exception as error:  # openpyxl raises whatever broke inside of it
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path} is no Excel file: {said}.", "Save it as .xlsx.") from error


def _stored(lines: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the cells that hold a result; a formula may well result in an empty text."""
    return {
        cell.coordinate: cell
        for line in lines
        for cell in line
        if cell.value is not None or cell.data_type == "str"
    }


def _value(cell: Any, stored: dict[str, Any]) -> tuple[Any, str]:
    """Return what a cell holds, and why it can't be read."""
    result = cell
    if cell.data_type == "f":
        result = stored.get(cell.coordinate)
        if result is None:
            formula = getattr(cell.value, "text", None) or str(cell.value)
            return formula, _NO_RESULT.format(cell.coordinate)
    if result.data_type == "e":
        return result.value, _FAILED.format(cell.coordinate, result.value)
    return result.value, ""


def excel(table: Table) -> bytes:
    """Return the table as an Excel file: the workbook that it was read from, or a new one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not know in a sheet
        return _new(table) if table.book is None else _beside(table, table.book)


def _beside(table: Table, data: bytes) -> bytes:
    """Return the workbook as it was, with the added columns on the right of the rows."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), rich_text=True)
    sheet = book.worksheets[0]
    filled = (cell.column for line in sheet.iter_rows() for cell in line if cell.value is not None)
    merged = (one.max_col for one in sheet.merged_cells.ranges)
    last = max([*filled, *merged], default=0)
    pattern = sheet.cell(1, last)
    for column, name in enumerate(table.added, start=last + 1):
        _put(sheet.cell(1, column), name)
        if pattern.has_style:
            sheet.cell(1, column)._style = copy(pattern._style)
        for line, row in zip(table.lines, table.rows, strict=True):
            if row.get(name) not in (None, ""):
                _put(sheet.cell(line, column), row[name])
    return _with_results(_saved(book), data)


def _with_results(written: bytes, data: bytes) -> bytes:
    """Return the workbook with the results that its formulas had: openpyxl writes none.

    What only shows cells, or reads them, would have nothing there.
    """
    from openpyxl import load_workbook

    old = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheets = {
        f"xl/worksheets/sheet{number}.xml": sheet
        for number, sheet in enumerate(old.worksheets, start=1)
    }
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(written)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for entry in before.infolist():
            part = before.read(entry)
            if entry.filename in sheets and _FORMULA.search(part):
                sheet = sheets[entry.filename]
                sheet.reset_dimensions()
                results = {
                    cell.coordinate: cell
                    for line in sheet.iter_rows()
                    for cell in line
                    if cell.value is not None
                }
                part = _FORMULA.sub(partial(_resulting, results, old.epoch), part)
            after.writestr(entry, part)
    old.close()
    return out.getvalue()


def _resulting(results: Mapping[str, Any], epoch: datetime, found: re.Match[bytes]) -> bytes:
    """Return a formula's cell as XML, with its result where it had one."""
    from openpyxl.utils.datetime import to_excel

    cell = results.get(found["at"].decode())
    if cell is None:
        return found[0]
    value, kind = cell.value, "n"
    if isinstance(value, bool):
        value, kind = int(value), "b"
    elif isinstance(value, date | time | timedelta):
        value = to_excel(value, epoch)
    elif isinstance(value, str):
        kind = "e" if cell.data_type == "e" else "str"
    said = escape(str(value)).encode("utf-8", "replace")
    head = b'<c r="' + found["at"] + b'"' + found["style"] + b' t="' + kind.encode() + b'">'
    return head + found["formula"] + b"<v>" + said + b"</v></c>"


def _new(table: Table) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.append(list(table.columns))
    for row in table.rows:
        cells = []
        for name in table.columns:
            cells.append(WriteOnlyCell(sheet))
            _put(cells[-1], row.get(name))
        sheet.append(cells)
    return _saved(book)


def _put(cell: Any, value: Any) -> None:
    """Fill a cell; an answer that begins with = is text, never a formula."""
    cell.value = _fit(value)
    if cell.data_type == "f":
        cell.data_type = "s"


def _fit(value: Any) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if value == "":
        return None
    if isinstance(value, str):
        text = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)[:MOST_CHARACTERS]
        return text.encode("utf-8", "replace").decode()
    return value if isinstance(value, int | float | date | time | None) else str(value)


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
