"""Excel files: tables with numbers as numbers, formulas with their results."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.documents.blocks import (
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Rule,
    Table,
    legible,
    plain,
    right_to_left,
)
from harness.documents.cells import Cell, cell_of, unsafe_formula
from harness.documents.recalculate import Results, results_of
from harness.errors import DocumentError

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

__all__ = ["Sheet", "sheets_of", "xlsx_of"]

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
_NARROWEST, _WIDEST, _WIDE = 6, 60, 85  # characters of a column
_ROW = 15  # points of a line
MISSING = "\u2060result missing\u2060"
_NO_RESULT = re.compile(rb'<c([^>]*) t="str"(><f>[^<]*</f>)<v>%b</v>' % MISSING.encode())
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A sheet of a workbook, its cells as text; see `cells.cell_of` for what they become.

    Attributes:
        header: The first row names the columns.
        formulas: Texts that begin with `=` are formulas.
        wide: Its one column is text to be read, and wide.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]
    header: bool = True
    formulas: bool = False
    wide: bool = False


def xlsx_of(sheets: Sequence[Sheet], *, title: str = "", author: str = "") -> tuple[bytes, str]:
    """Return an Excel file, and what its reader should know; empty for nothing.

    Formulas are computed, so that a program that only reads has their results too.

    Args:
        sheets: In order; there has to be one.
        title: Of the file, for its properties.
        author: Likewise.

    Raises:
        DocumentError: A sheet is too large for Excel, or a formula may not be written.
    """
    if not sheets:
        raise DocumentError("An Excel file needs a sheet.", "Give at least one table.")
    for sheet in sheets:
        _check(sheet)
    sheets = [_cleaned(sheet) for sheet in sheets]
    content = _written(sheets, {}, title, author)
    if not any(_has_formulas(sheet) for sheet in sheets):
        return content, ""
    results, why = results_of(content)
    note = f"The formulas were written without results: {why}" if why else ""
    return _written(sheets, results, title, author), note


def sheets_of(blocks: Sequence[Block]) -> tuple[Sheet, ...]:
    """Return a document as sheets: each table one of its own, and the text, if any, before them."""
    tables: list[Sheet] = []
    lines: list[str] = []
    heading = ""
    for block in blocks:
        match block:
            case Table():
                rows = [block.header, *block.rows]
                cells = tuple(tuple(plain(cell) for cell in row) for row in rows)
                tables.append(Sheet(name=heading or f"Table {len(tables) + 1}", rows=cells))
                lines.append(f"[table {len(tables)}: a sheet of its own]")
            case Heading():
                heading = plain(block.spans)
                lines.append(heading)
            case Paragraph():
                lines.append(plain(block.spans))
            case Item():
                indent = "   " * (block.depth - 1)
                lines.append(f"{indent}{block.mark or ' '} {plain(block.spans)}")
            case Code():
                lines.extend(block.text.split("\n"))
            case Rule():
                lines.append("")
    if tables and all(isinstance(block, Table | Heading) for block in blocks):
        return tuple(tables)
    rows_ = tuple((line,) for line in lines) or (("",),)
    return (Sheet(name="Text", rows=rows_, header=False, wide=True), *tables)


def _cleaned(sheet: Sheet) -> Sheet:
    rows = tuple(tuple(legible(text) for text in row) for row in sheet.rows)
    return replace(sheet, name=legible(sheet.name), rows=rows)


def _has_formulas(sheet: Sheet) -> bool:
    return sheet.formulas and any(
        cell_of(text, formulas=True).kind == "formula" for row in sheet.rows for text in row
    )


def _check(sheet: Sheet) -> None:
    columns = max((len(row) for row in sheet.rows), default=0)
    if len(sheet.rows) > MOST_ROWS or columns > MOST_COLUMNS:
        raise DocumentError(
            f"Sheet {sheet.name!r} has {len(sheet.rows):,} rows and {columns:,} columns; Excel has"
            f" room for {MOST_ROWS:,} and {MOST_COLUMNS:,}.",
            "Split it.",
        )
    for number, row in enumerate(sheet.rows, 1):
        for text in row:
            if len(text) > MOST_CHARACTERS:
                raise DocumentError(
                    f"Sheet {sheet.name!r}, row {number} has a cell of {len(text):,} characters;"
                    f" Excel's limit is {MOST_CHARACTERS:,}.",
                    "Split it.",
                )
            unsafe = unsafe_formula(text.strip()) if _formula(sheet, text) else ""
            if unsafe:
                raise DocumentError(
                    f"Sheet {sheet.name!r}, row {number}: {unsafe}", "Write the value instead."
                )


def _formula(sheet: Sheet, text: str) -> bool:
    return sheet.formulas and text.lstrip().startswith("=")


def _written(
    sheets: Sequence[Sheet], results: Mapping[str, Results], title: str, author: str
) -> bytes:
    import xlsxwriter

    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_urls": False})
    book.set_properties({"title": legible(title)[:255], "author": legible(author)[:255]})
    names = _names([sheet.name for sheet in sheets])
    for sheet, name in zip(sheets, names, strict=True):
        _Drawing(book, sheet, results.get(name.casefold(), {})).draw(book.add_worksheet(name))
    book.close()
    return _without_missing(out.getvalue())


def _without_missing(content: bytes) -> bytes:
    """Return a workbook whose formulas without a result have none, rather than an empty text."""
    from zipfile import ZIP_DEFLATED, ZipFile

    with ZipFile(BytesIO(content)) as package:
        parts = {one: package.read(one) for one in package.infolist()}
    if not any(MISSING.encode() in part for part in parts.values()):
        return content
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as package:
        for one, part in parts.items():
            package.writestr(one, _NO_RESULT.sub(rb"<c\1\2", part))
    return out.getvalue()


def _names(wanted: Sequence[str]) -> list[str]:
    """Return names that Excel takes: short, without some signs, each once."""
    taken: set[str] = {"history"}
    names = []
    for one in wanted:
        bare = " ".join(_NOT_IN_NAMES.sub(" ", one).split()).strip("'")[:31].strip() or "Sheet"
        name, number = bare, 1
        while name.casefold() in taken:
            number += 1
            name = f"{bare[: 30 - len(str(number))]} {number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _widths(sheet: Sheet) -> list[int]:
    """Return how wide each column is, in characters."""
    if sheet.wide:
        return [_WIDE]
    widths: list[int] = []
    for row in sheet.rows:
        widths += [_NARROWEST] * (len(row) - len(widths))
        for column, text in enumerate(row):
            widths[column] = max(widths[column], *map(_room, text.split("\n")))
    return [min(width, _WIDEST) for width in widths]


def _room(text: str) -> int:
    """Return how many characters wide a text is; those of East Asia count twice."""
    return len(text) + sum(unicodedata.east_asian_width(one) in "WF" for one in text)


def _lines(text: str, width: int) -> int:
    """Return how many lines a text takes in a column."""
    return sum(max(math.ceil(_room(line) * 1.05 / (width + 2)), 1) for line in text.split("\n"))


class _Drawing:
    """Writes one sheet."""

    def __init__(self, book: Workbook, sheet: Sheet, results: Results) -> None:
        self._book = book
        self._sheet = sheet
        self._results = results
        self._forms: dict[tuple[str, bool], Any] = {}
        self._numbers: dict[int, str] = {}  # how the numbers of a column look: sums below do too

    def draw(self, drawn: Worksheet) -> None:
        """Write all cells, and make the sheet pleasant to read."""
        sheet = self._sheet
        widths = _widths(sheet)
        for column, width in enumerate(widths):
            drawn.set_column(column, column, width + 2)
        for row, texts in enumerate(sheet.rows):
            lines = max(map(_lines, texts, widths), default=1)
            if lines > 1:  # not every program finds the height of a row by itself
                drawn.set_row(row, min(_ROW * lines, 409))
            for column, text in enumerate(texts):
                self._put(drawn, row, column, text)
        if right_to_left(" ".join(sheet.rows[0]) if sheet.rows else ""):
            drawn.right_to_left()
        if sheet.header and len(sheet.rows) > 1:
            drawn.freeze_panes(1, 0)
            drawn.autofilter(0, 0, len(sheet.rows) - 1, max(len(widths) - 1, 0))
        drawn.hide_gridlines(1)
        drawn.fit_to_pages(1, 0)
        drawn.set_paper(9)
        if len(widths) > 5:
            drawn.set_landscape()

    def _put(self, drawn: Worksheet, row: int, column: int, text: str) -> None:
        head = self._sheet.header and row == 0
        cell = Cell(kind="text", text=text)
        if not (head or self._sheet.wide):
            cell = cell_of(text, formulas=self._sheet.formulas)
        if cell.kind == "number" and "." in cell.form and "%" not in cell.form:
            self._numbers.setdefault(column, cell.form)
        look = self._numbers.get(column, "") if cell.kind == "formula" else cell.form
        form = self._form(look, head)
        match cell.kind:
            case "number":
                drawn.write_number(row, column, cell.number, form)
            case "date":
                drawn.write_datetime(row, column, cell.date, form)
            case "formula":
                value = self._results.get((row + 1, column + 1), MISSING)
                drawn.write_formula(row, column, cell.text, form, value)
            case "text":
                drawn.write_string(row, column, text, form)
            case "blank":
                drawn.write_blank(row, column, None, form)

    def _form(self, form: str, head: bool) -> Any:
        """Return a cell's look, made once."""
        key = (form, head)
        if key not in self._forms:
            look: dict[str, Any] = {"text_wrap": True, "valign": "top"}
            if form:
                look["num_format"] = form
                look["text_wrap"] = False
            if head:
                look |= {"bold": True, "bg_color": "#E8EEF4", "bottom": 1}
            self._forms[key] = self._book.add_format(look)
        return self._forms[key]
