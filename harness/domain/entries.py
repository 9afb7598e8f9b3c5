"""What an expert wrote, as text with places, before any schema says what it has to be.

Every scalar is text. `Plain` marks one that was written without quotes, so that the few subtrees
which keep YAML 1.2's own types (`model_options`, JSON Schemas, `json` expectations) can have
them from `own_types`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from harness.values import Place, Problem

__all__ = [
    "MAX_DEPTH",
    "Entry",
    "Loc",
    "Mark",
    "Plain",
    "forbidden",
    "not_text",
    "own_types",
    "plain_text",
    "too_deep",
]

MAX_DEPTH = 40
"""Levels of lists and mappings in each other; no real item comes near."""

Loc = tuple[str | int, ...]
"""A path into what was written: keys and positions from 0."""


class Plain(str):
    """A scalar written without quotes: text, unless it stands where YAML's own types are kept."""

    __slots__ = ()


@dataclass(kw_only=True, slots=True)
class Mark:
    """Where a value stands, and where everything in it stands. Lines and columns from 1."""

    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    children: dict[str | int, Mark] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing that an expert wrote: nested mappings and lists of text, and where it stands.

    Attributes:
        data: What was written; None for a value that was left empty.
        marks: Places of everything in it, where the format gives them: a tree, or for a line
            of JSON the line itself.
        columns: Of a table: number of the column of each field.
        sheet: Of an Excel file with several sheets: its name.
    """

    data: Any
    file: str
    line: int = 1
    column: int = 1
    marks: Mark | str | None = None
    columns: dict[str, int] | None = None
    sheet: str = ""

    def place(self, loc: Loc = (), *, key: bool = False) -> Place:
        """Return where a part stands, or the nearest thing around it.

        Args:
            loc: Path to the part.
            key: Its key rather than its value.
        """
        line, column = self.line, self.column
        if isinstance(self.marks, Mark):
            line, column = _walk(self.marks, loc, key)
        elif isinstance(self.marks, str) and loc:
            found = re.search(rf'"{re.escape(str(loc[0]))}"\s*:', self.marks)
            column = found.start() + 1 if found else column
        elif self.columns is not None and loc:
            column = self.columns.get(str(loc[0]), column)
        return Place(file=self.file, line=line, column=column)

    def wrote(self, key: str) -> bool:
        """Say whether the key (or the column) is there at all, be it empty."""
        if isinstance(self.marks, Mark):
            return key in self.marks.keys
        return isinstance(self.data, dict) and (key in self.data or key in (self.columns or ()))

    def part(self, step: str | int) -> Entry:
        """Return one part of what was written in YAML as an entry of its own."""
        mark = self.marks.children[step] if isinstance(self.marks, Mark) else None
        line, column = (mark.line, mark.column) if mark else (self.line, self.column)
        return Entry(data=self.data[step], file=self.file, line=line, column=column, marks=mark)

    def within(self, loc: Loc) -> Entry:
        """Return what stands at a path as an entry of its own; the whole where it has no places."""
        part = self
        for step in loc:
            placed = isinstance(part.marks, Mark) and step in part.marks.children
            if not placed or not isinstance(part.data, dict | list):
                return part
            part = part.part(step)
        return part

    def problem(self, code: str, message: str, loc: Loc = (), *, key: bool = False) -> Problem:
        """Return an error about a part of it."""
        sheet = f" (sheet `{self.sheet}`)" if self.sheet else ""
        return Problem(place=self.place(loc, key=key), code=code, message=message + sheet)


def _walk(mark: Mark, loc: Loc, key: bool) -> tuple[int, int]:
    for depth, step in enumerate(loc):
        last = depth == len(loc) - 1
        if last and key and step in mark.keys:
            return mark.keys[str(step)]
        if step not in mark.children:
            return mark.keys.get(str(step), (mark.line, mark.column))
        mark = mark.children[step]
    return mark.line, mark.column


_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("null", "Null", "NULL", "~"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def own_types(value: Any) -> Any:
    """Return what was written with YAML 1.2's own types (its core schema, section 10.3)."""
    if isinstance(value, dict):
        return {str(key): own_types(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [own_types(inner) for inner in value]
    if not isinstance(value, Plain):
        return value
    if value in _WORDS:
        return _WORDS[value]
    if _INT.fullmatch(value) and len(value) <= 4000:
        digits = value.lstrip("+-")
        return int(value, 8 if digits.startswith("0o") else 16 if digits.startswith("0x") else 10)
    return float(value) if _FLOAT.fullmatch(value) else str(value)


def plain_text(value: Any) -> Any:
    """Return what was written with every scalar as plain `str`."""
    if isinstance(value, dict):
        return {str(key): plain_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain_text(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


def too_deep(value: Any) -> bool:
    """Say whether lists and mappings are nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


# --- characters ------------------------------------------------------------------------------

_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def forbidden(text: str) -> str:
    """Return a sentence about the first character that no text may hold; empty where none is."""
    found = _FORBIDDEN.search(text)
    return not_text(found[0]) if found else ""


def not_text(character: str) -> str:
    """Return a sentence about a character that no text may hold."""
    return f"There is a character here that no text may hold (U+{ord(character):04X}). Delete it."
