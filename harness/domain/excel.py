"""Excel sheets as entries: each cell as the text that Excel shows.

Every sheet that is not hidden and not empty is read. A formula counts with the result that
Excel stored; one without is an error that names the cell.
"""

from __future__ import annotations

import dataclasses
import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from harness.domain.entries import Entry
from harness.domain.files import DomainFile
from harness.domain.formats import CaseItem, ExampleItem
from harness.domain.tables import Row, is_notes, rows_to_entries
from harness.values import Place, Problem

__all__ = ["read_xlsx"]

MAX_UNPACKED = 500 * 1024 * 1024
"""Bytes that a workbook may unpack to."""


def read_xlsx(
    file: DomainFile, data: bytes, schema: type[ExampleItem | CaseItem]
) -> tuple[list[Entry], list[Problem]]:
    """Read an Excel workbook.

    Args:
        file: Where the bytes come from.
        data: The workbook.
        schema: What each row is.

    Raises:
        Unusable: It is none, protected by a password, or unpacks to too much.
    """
    _refuse(file, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations that are not read anyway
        try:
            sheets = list(_sheets(data))
        except Exception as error:  # openpyxl raises whatever broke inside of it
            raise file.unusable(
                "damaged",
                f"`{file.name}` can't be opened as an Excel file ({type(error).__name__})."
                " Open it in Excel and save it anew as .xlsx.",
            ) from error
    entries: list[Entry] = []
    problems: list[Problem] = []
    notes = [bool(rows) and is_notes(rows[0][1], schema) for _, rows, _ in sheets]
    for (title, rows, wrong), is_note in zip(sheets, notes, strict=True):
        name = title if len(sheets) > 1 else ""
        if is_note and not all(notes):
            problems.append(_not_read(file, title, rows[0][0]))
            continue
        head = Entry(data={}, file=file.name, sheet=name)
        for line, column, code, message in wrong:
            cell = dataclasses.replace(head, line=line, column=column)
            problems.append(cell.problem(code, message))
        found, bad = rows_to_entries(file, rows, schema, name)
        problems += bad
        entries += found
    return entries, problems


def _not_read(file: DomainFile, title: str, line: int) -> Problem:
    says = (
        f"The sheet `{title[:60]}` is not read: its first row names no field. If it holds notes,"
        " hide it; else name its columns."
    )
    place = Place(file=file.name, line=line)
    return Problem(place=place, code="not-read", message=says, severity="warning")


def _refuse(file: DomainFile, data: bytes) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise file.unusable(
            "password",
            f"`{file.name}` is protected by a password, or an old .xls file. Save it as .xlsx"
            " without a password.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):
        raise file.unusable(
            "damaged",
            f"`{file.name}` is no Excel file, whatever its name says. Save it as .xlsx, or name"
            " it rightly.",
        ) from None
    if unpacked > MAX_UNPACKED:
        raise file.unusable(
            "zip-bomb",
            f"`{file.name}` unpacks to {unpacked / 2**20:,.0f} MB. Split it into several files.",
        )


Wrong = tuple[int, int, str, str]


def _sheets(data: bytes) -> Iterator[tuple[str, list[Row], list[Wrong]]]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True)
    stored = None
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        sheet.reset_dimensions()  # what a file says of its size may be wrong
        cells = [row for row in sheet.iter_rows() if any(cell.value is not None for cell in row)]
        if any(cell.data_type == "f" for row in cells for cell in row):
            stored = stored or load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            results = stored[sheet.title]
            results.reset_dimensions()
            known = _results(results)
        else:
            known = {}
        rows, wrong = _rows(cells, known)
        if rows:
            yield sheet.title, rows, wrong
    book.close()
    if stored:
        stored.close()


def _results(sheet: Any) -> dict[str, Any]:
    """Return the cells that hold a stored result; a formula may well result in an empty text."""
    return {
        cell.coordinate: cell
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None or cell.data_type == "str"
    }


def _rows(cells: list[Any], known: dict[str, Any]) -> tuple[list[Row], list[Wrong]]:
    rows: list[Row] = []
    wrong: list[Wrong] = []
    for row in cells:
        line = next(cell.row for cell in row if cell.value is not None)
        texts = []
        for number, written in enumerate(row, start=1):
            cell = written
            if written.data_type == "f":
                cell = known.get(written.coordinate)
            if cell is None:
                wrong.append(
                    (line, number, "formula-without-value", _NO_RESULT.format(written.coordinate))
                )
            elif cell.data_type == "e":
                wrong.append(
                    (
                        line,
                        number,
                        "formula-without-value",
                        _FAILED.format(written.coordinate, cell.value),
                    )
                )
            texts.append(
                "" if cell is None else shown(cell.value, getattr(cell, "number_format", ""))
            )
        rows.append((line, texts))
    return rows, wrong


_NO_RESULT = (
    "The formula in cell {} has no stored result. Open the file in Excel and save it, or put"
    " the value in place of the formula."
)
_FAILED = "The cell {} shows the error {}. Mend the formula, or put a value in its place."

_SIMPLE_FORMAT = re.compile(r"(?:#,##)?(?P<whole>0+)(?:\.(?P<places>0+))?(?P<percent>%?)")


def shown(value: Any, number_format: str) -> str:
    """Return a cell's value as text, as Excel shows it.

    Numbers keep the leading zeros, decimal places and percent sign that their format gives
    them, but are never rounded and have no signs between the thousands; dates are written as
    ISO 8601 has them.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(Decimal(format(value, ".15g")), number_format)  # Excel keeps 15 digits
    return str(value)


def _number(value: Decimal, number_format: str) -> str:
    match = _SIMPLE_FORMAT.fullmatch(number_format or "")
    if not match:
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if match["percent"]:
        value *= 100
    exponent = value.normalize().as_tuple().exponent
    own = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    places = max(len(match["places"] or ""), own)  # padded, never rounded
    sign, digits = ("-" if value < 0 else ""), format(abs(value), f".{places}f")
    width = len(match["whole"]) + (places + 1 if places else 0)
    return sign + digits.zfill(width) + match["percent"]
