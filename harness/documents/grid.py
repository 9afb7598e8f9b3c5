"""A grid of cells as text, with the letters and numbers by which each cell is called."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Grid", "grid_text", "letters"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Rows of cells' texts; rows may differ in length.

    Attributes:
        first_row: Number of the first row.
        first_column: Number of the first column, 1 for A.
    """

    rows: tuple[tuple[str, ...], ...]
    first_row: int = 1
    first_column: int = 1


def letters(column: int) -> str:
    """Return the letters of a column: `A` for 1, `AB` for 28."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def grid_text(grid: Grid) -> str:
    """Return a grid as a Markdown table; empty rows are left out, their numbers are not."""
    width = max((len(row) for row in grid.rows), default=0)
    head = [letters(grid.first_column + at) for at in range(width)]
    lines = [f"|  | {' | '.join(head)} |", "|" + " --- |" * (width + 1)]
    for number, row in enumerate(grid.rows, grid.first_row):
        if not any(text.strip() for text in row):
            continue
        cells = [_cell(text) for text in row] + [""] * (width - len(row))
        lines.append(f"| {number} | {' | '.join(cells)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
