"""Excel as text: every sheet as a grid, formulas beside their results, merged cells named."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from harness.documents.grid import Grid, grid_text, letters
from harness.documents.places import Part
from harness.documents.recalculate import Results, results_of
from harness.domain.excel import shown
from harness.domain.references.structure import tidied

__all__ = ["sheet_parts"]

_ROWS = 300  # of a sheet in one part
_MOST_FORMULA = 300  # characters of one that are shown
_MISSING = "no result saved"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')


def sheet_parts(data: bytes) -> tuple[list[Part], tuple[str, ...]]:
    """Return the sheets of an Excel file, and what has to be said about them.

    A formula is shown with the result that was saved. Where none was, it is worked out; where
    that can't be done, the cell says that the result is missing.
    """
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(data), read_only=True)
    reader = _Reader(data)
    parts = [part for sheet in book.worksheets for part in reader.parts(sheet)]
    notes = reader.notes()
    charts = [sheet.title for sheet in book.chartsheets]
    if charts:
        notes = (*notes, f"Sheets that are charts, without text: {', '.join(charts)}.")
    return parts, notes


class _Reader:
    """Reads one workbook, and keeps what is to be said about it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._saved: Any = None
        self._results: dict[str, Results] | None = None
        self._why = ""
        self._computed: list[str] = []
        self._missing: list[str] = []

    def parts(self, sheet: Any) -> Iterator[Part]:
        """Yield a sheet's parts."""
        sheet.reset_dimensions()  # what a file says of its size may be wrong
        rows: list[list[str]] = []
        formulas: dict[tuple[int, int], Any] = {}
        for number, cells in enumerate(sheet.iter_rows(), 1):
            texts = [
                _one_line(cell.value, cell) if cell.data_type != "f" else "?" for cell in cells
            ]
            for column, cell in enumerate(cells, 1):
                if cell.data_type == "f":
                    formulas[number, column] = cell
            while texts and not texts[-1]:
                texts.pop()
            rows.append(texts)
        if formulas:
            self._put_results(sheet.title, rows, formulas)
        while rows and not rows[-1]:
            rows.pop()
        yield from self._cut(sheet, rows)

    def _cut(self, sheet: Any, rows: list[list[str]]) -> Iterator[Part]:
        hidden = "" if sheet.sheet_state == "visible" else " (hidden)"
        merged = self._merged(sheet)
        for start in range(0, max(len(rows), 1), _ROWS):
            some = tuple(tuple(row) for row in rows[start : start + _ROWS])
            text = grid_text(Grid(rows=some, first_row=start + 1))
            where = f"sheet {sheet.title}{hidden}"
            if len(rows) > _ROWS:
                where += f", rows {start + 1}-{start + len(some)}"
            said = f"{merged}\n\n" if merged and text and not start else ""
            yield Part(where=where, text=said + text)

    def _put_results(
        self, title: str, rows: list[list[str]], formulas: dict[tuple[int, int], Any]
    ) -> None:
        """Put the saved results of a sheet's formulas in their places."""
        if self._saved is None:
            from openpyxl import load_workbook

            self._saved = load_workbook(BytesIO(self._data), read_only=True, data_only=True)
        sheet = self._saved[title]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(), 1):
            for column, result in enumerate(cells, 1):
                cell = formulas.get((number, column))
                if cell is not None:
                    shown_ = self._formula(title, number, column, cell, result)
                    rows[number - 1][column - 1] = shown_

    def _formula(self, sheet: str, row: int, column: int, cell: Any, result: Any) -> str:
        """Return a formula beside its result: saved, worked out here, or missing."""
        formula = str(getattr(cell.value, "text", cell.value))[:_MOST_FORMULA]
        formula = formula if formula.startswith("=") else f"={formula}"
        # A formula whose result is an empty text has no value either, but a type.
        if result.value is not None or result.data_type == "str":
            return f"{_one_line(result.value, cell)} ({formula})"
        name = f"{sheet}!{letters(column)}{row}"
        computed = self._computed_results().get(sheet.casefold(), {}).get((row, column))
        if computed is None:
            self._missing.append(name)
            return f"? ({formula}; {_MISSING})"
        self._computed.append(name)
        return f"{_one_line(computed, cell)} ({formula}; worked out here)"

    def _computed_results(self) -> dict[str, Results]:
        if self._results is None:
            self._results, self._why = results_of(self._data)
        return self._results

    def notes(self) -> tuple[str, ...]:
        """Return what has to be said about formulas."""
        said = []
        if self._computed:
            said.append(
                f"{_some(self._computed)} had no saved result; what is shown was worked out here."
            )
        if self._missing:
            why = f" ({self._why.rstrip('.')})" if self._why else ""
            said.append(
                f"{_some(self._missing)} had no saved result, and none could be worked out{why}."
                " To have them, open the file in Excel or LibreOffice and save it once."
            )
        return tuple(said)

    def _merged(self, sheet: Any) -> str:
        """Name a sheet's merged cells, which stand behind its rows and are not read with them."""
        with zipfile.ZipFile(BytesIO(self._data)) as package:
            try:
                xml = package.read(sheet._worksheet_path.lstrip("/"))
            except KeyError:
                return ""
        names = [one.decode() for one in _MERGED.findall(xml)]
        if not names:
            return ""
        more = f" and {len(names) - 30} more" if len(names) > 30 else ""
        return f"Merged cells, each with its text at the top left: {', '.join(names[:30])}{more}."


def _one_line(value: Any, cell: Any) -> str:
    if value is None:
        return ""
    return " ".join(tidied(shown(value, getattr(cell, "number_format", ""))).split())


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - 8} more" if len(every) > 8 else ""
    return f"{'Formula' if len(every) == 1 else 'Formulas'} {', '.join(every[:8])}{more}"
