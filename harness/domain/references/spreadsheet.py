"""Excel: each sheet as a table, its cells as they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from harness.domain.excel import shown
from harness.domain.references.structure import Block, Finding, Parsed, Section, tidied

__all__ = ["parse_xlsx"]

_Row = tuple[int, list[str]]
_NAMED_CELLS = 5  # how many cells a message names


def parse_xlsx(data: bytes) -> Parsed:
    """Return one section a sheet, and what formulas there are without a saved result."""
    from openpyxl import load_workbook

    values = load_workbook(BytesIO(data), read_only=True, data_only=True)
    formulas = load_workbook(BytesIO(data), read_only=True, data_only=False)
    sections: list[Section] = []
    findings: list[Finding] = []
    for stored, written in zip(values.worksheets, formulas.worksheets, strict=True):
        # Many programs write a wrong size of the sheet, and rows would be cut off at it.
        stored.reset_dimensions()
        written.reset_dimensions()
        rows, unsaved = _read(stored, written)
        if unsaved:
            findings.append(_formula_finding(stored.title, unsaved))
        sections.append(Section(where=f"sheet {stored.title}", blocks=tuple(_blocks(rows))))
    return Parsed(sections=tuple(sections), findings=tuple(findings))


def _read(stored: Any, written: Any) -> tuple[list[_Row], list[Any]]:
    rows: list[_Row] = []
    unsaved: list[Any] = []
    pairs = zip(stored.iter_rows(), written.iter_rows(), strict=True)
    for number, (values, formulas) in enumerate(pairs, 1):
        unsaved.extend(
            formula
            for value, formula in zip(values, formulas, strict=True)
            # A formula whose result is an empty text has no value either, but a type.
            if formula.data_type == "f" and value.value is None and value.data_type == "n"
        )
        texts = [_text(cell) for cell in values]
        while texts and not texts[-1]:
            texts.pop()
        rows.append((number, texts))
    return rows, unsaved


def _formula_finding(sheet: str, cells: Sequence[Any]) -> Finding:
    names = ", ".join(cell.coordinate for cell in cells[:_NAMED_CELLS])
    more = f" and {len(cells) - _NAMED_CELLS} more" if len(cells) > _NAMED_CELLS else ""
    which = (
        f"cell {names} has a formula" if len(cells) == 1 else f"cells {names}{more} have formulas"
    )
    message = (
        f"Sheet {sheet}, {which} whose result was never saved. Open the file in Excel or "
        "LibreOffice and save it once, or put the values there."
    )
    return Finding(code="formula-without-value", message=message, line=cells[0].row)


def _text(cell: Any) -> str:
    """What the cell shows, on one line and with nothing that could end a table's cell."""
    if cell.value is None:
        return ""
    text = tidied(shown(cell.value, cell.number_format))
    return " ".join(text.replace("|", r"\|").split())


def _blocks(rows: list[_Row]) -> Iterator[Block]:
    """The sheet's tables, and the lines of text above them."""
    table: list[_Row] = []
    after_blank = False
    for number, texts in rows:
        filled = [text for text in texts if text]
        if not filled:
            after_blank = True
            continue
        if table and after_blank and _is_header(filled):
            yield _table(table)
            table = []
        after_blank = False
        if table or len(filled) > 1:
            table.append((number, texts))
        else:
            yield Block(text=filled[0], line=number)
    if table:
        yield _table(table)


def _is_header(filled: list[str]) -> bool:
    """After a blank row: names of columns, or more rows of the table above?"""
    return len(filled) > 1 and not any(text.lstrip("-")[:1].isdigit() for text in filled)


def _table(rows: list[_Row]) -> Block:
    width = max(len(texts) for _, texts in rows)
    lines = ["| " + " | ".join(texts + [""] * (width - len(texts))) + " |" for _, texts in rows]
    lines.insert(1, "|" + " --- |" * width)
    numbers = (rows[0][0], *(number for number, _ in rows))  # the rule stands with the header
    return Block(text="\n".join(lines), kind="table", line=rows[0][0], numbers=numbers)
