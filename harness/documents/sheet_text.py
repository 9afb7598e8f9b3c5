"""Excel as text: every sheet as a grid, formulas beside their results, merged cells named."""

from __future__ import annotations

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
_LARGE = 4_000_000  # bytes from which a workbook is read row by row, which knows no merged cells
_MOST_FORMULA = 300  # characters of one that are shown
_MISSING = "no result saved"

Row = list[Any]


def sheet_parts(data: bytes) -> tuple[list[Part], tuple[str, ...]]:
    """Return the sheets of an Excel file, and what has to be said about them.

    A formula is shown with the result that was saved. Where none was, it is worked out; where
    that can't be done, the cell says that the result is missing.
    """
    from openpyxl import load_workbook

    large = len(data) > _LARGE
    written = load_workbook(BytesIO(data), read_only=large)
    saved = load_workbook(BytesIO(data), read_only=large, data_only=True)
    reader = _Reader(data)
    parts: list[Part] = []
    for sheet, values in zip(written.worksheets, saved.worksheets, strict=True):
        if large:
            sheet.reset_dimensions()
            values.reset_dimensions()
        parts += reader.parts(sheet, values)
    notes = reader.notes()
    if large:
        notes = (*notes, "It is large: merged cells are not marked.")
    charts = [sheet.title for sheet in written.chartsheets]
    if charts:
        notes = (*notes, f"Sheets that are charts, without text: {', '.join(charts)}.")
    return parts, notes


class _Reader:
    """Reads one workbook, and keeps what is to be said about it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._results: dict[str, Results] | None = None
        self._why = ""
        self._computed: list[str] = []
        self._missing: list[str] = []

    def parts(self, sheet: Any, values: Any) -> Iterator[Part]:
        """Yield a sheet's parts."""
        rows = list(self._rows(sheet, values))
        while rows and not any(rows[-1]):
            rows.pop()
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

    def _rows(self, sheet: Any, values: Any) -> Iterator[list[str]]:
        pairs = zip(sheet.iter_rows(), values.iter_rows(), strict=True)
        for number, (cells, results) in enumerate(pairs, 1):
            texts = [
                self._text(sheet.title, number, column, cell, result)
                for column, (cell, result) in enumerate(zip(cells, results, strict=True), 1)
            ]
            while texts and not texts[-1]:
                texts.pop()
            yield texts

    def _text(self, sheet: str, row: int, column: int, cell: Any, result: Any) -> str:
        if cell.data_type != "f":
            return _one_line(cell.value, cell)
        formula = str(getattr(cell.value, "text", cell.value))[:_MOST_FORMULA]
        formula = formula if formula.startswith("=") else f"={formula}"
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
        ranges = getattr(getattr(sheet, "merged_cells", None), "ranges", ())
        names = sorted((str(one) for one in ranges), key=lambda name: (len(name), name))
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
