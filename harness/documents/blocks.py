"""What a document is written from: blocks of styled spans, the same for every format."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Block",
    "Code",
    "Heading",
    "Item",
    "Paragraph",
    "Rule",
    "Span",
    "Spans",
    "Table",
    "column_shares",
    "legible",
    "plain",
    "right_to_left",
]

Align = Literal["", "left", "center", "right"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of text in one style; a newline in it is a line break.

    Attributes:
        link: Where it leads; empty for none.
    """

    text: str
    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    link: str = ""


Spans = tuple[Span, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    spans: Spans
    level: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """A paragraph; `quote` says how deep it is quoted, 0 for not at all."""

    spans: Spans
    quote: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A paragraph of a list.

    Attributes:
        depth: 1 for the outermost list.
        mark: `•` or the number as it is shown: `3.`; empty for what follows in the same item.
    """

    spans: Spans
    depth: int
    mark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """Lines that keep their blanks."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A line across the page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table; every row has as many cells as the header.

    Attributes:
        aligns: How each column stands; empty as the writer likes.
    """

    header: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    aligns: tuple[Align, ...]


Block = Heading | Paragraph | Item | Code | Rule | Table


def legible(text: str) -> str:
    """Return a text without what no file can hold: control characters, half surrogates."""
    kept = "".join(
        one for one in text if one in "\t\n" or (one >= " " and one not in "\x7f\ufffe\uffff")
    )
    return kept.encode("utf-8", "replace").decode("utf-8")


def plain(spans: Spans) -> str:
    """Return the text of spans without their styles."""
    return "".join(span.text for span in spans)


def right_to_left(text: str) -> bool:
    """Say whether a text runs from right to left: by its first letter with a direction.

    This is rule P2 of the Unicode Bidirectional Algorithm (UAX #9), isolates not considered.
    """
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def column_shares(table: Table) -> tuple[float, ...]:
    """Return the share of a table's width that each column gets; they add up to 1.

    A column of short texts gets what they need. Columns of long ones share the rest by the root
    of their length, so that one very long cell leaves room for the others.
    """
    lengths = []
    for number in range(len(table.header)):
        cells = [table.header[number], *(row[number] for row in table.rows)]
        lengths.append(max(len(line) for cell in cells for line in plain(cell).split("\n")) + 5)
    short = [min(length, _SHORT) for length in lengths]
    long = [(length - _SHORT) ** 0.5 if length > _SHORT else 0.0 for length in lengths]
    room = max(_LINE - sum(short), 0) / sum(long) if sum(long) else 0.0
    widths = [least + more * room for least, more in zip(short, long, strict=True)]
    return tuple(width / sum(widths) for width in widths)


_SHORT = 16  # characters
_LINE = 88  # characters across a page in the size of a table's text
