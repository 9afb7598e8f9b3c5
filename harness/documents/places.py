"""A document as text: parts in order, each with its place in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.errors import DocumentError

__all__ = ["Document", "Kind", "Part"]

Kind = Literal["pdf", "docx", "xlsx", "pptx", "html", "md", "txt", "csv"]
_PAGES = re.compile(
    r"(?:p\.?|pp\.?|pages?|slides?|S\.)?\s*(\d+)(?:\s*(?:-|\u2013|to)\s*(\d+))?", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What stands at one place: a page, a sheet, a slide, or below one heading."""

    where: str
    text: str


class Document:
    """A document that was opened. Its parts are read when they are asked for, once each.

    Args:
        name: Of the file.
        kind: What it is, whatever its name says.
        places: Where each part stands: `p. 3`, `Scope > Term`, `sheet Rates`, `slide 2`.
        read: Returns the text of a part by its number, counted from 0.
        notes: What a reader has to know: pages without text, formulas without results.
        contents: Bookmarks or sheets, each with its place; empty where the places say it all.
    """

    def __init__(
        self,
        *,
        name: str,
        kind: Kind,
        places: tuple[str, ...],
        read: Callable[[int], str],
        notes: tuple[str, ...] = (),
        contents: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.kind: Kind = kind
        self.places = places
        self.notes = notes
        self.contents = contents
        self._read = read
        self._texts: dict[int, str] = {}

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.places)

    def part(self, number: int) -> Part:
        """Return a part by its number, counted from 0."""
        if number not in self._texts:
            self._texts[number] = self._read(number)
        return Part(where=self.places[number], text=self._texts[number])

    def at(self, where: str) -> range:
        """Return the numbers of the parts at a place.

        Args:
            where: A place as it is given, pages as `3-7`, or part of a heading or sheet's name;
                empty for all.

        Raises:
            DocumentError: There is no such place; says which there are.
        """
        wanted = " ".join(where.split()).casefold()
        if not wanted:
            return range(len(self))
        named = [place.casefold() for place in self.places]
        if wanted in named:
            first = named.index(wanted)
            return range(first, first + named.count(wanted) if self.kind == "csv" else first + 1)
        pages = _PAGES.fullmatch(wanted)
        if pages and self.kind in ("pdf", "pptx"):
            return self._pages(where, int(pages[1]), int(pages[2] or pages[1]))
        return self._below(where, wanted, named)

    def _pages(self, where: str, first: int, last: int) -> range:
        if not 1 <= first <= last or first > len(self):
            what = "pages" if self.kind == "pdf" else "slides"
            raise DocumentError(
                f"`{self.name}` has {len(self):,} {what}; {where!r} is none of them."
            )
        return range(first - 1, min(last, len(self)))

    def _below(self, where: str, wanted: str, named: list[str]) -> range:
        """Return the first stretch of places that a text names: a heading and what is below it."""
        fits = [wanted in place for place in named]
        if True not in fits:
            raise DocumentError(
                f"`{self.name}` has no place {where!r}.", f"There are: {self._some_places()}."
            )
        first = fits.index(True)
        rest = fits[first:]
        return range(first, first + (rest.index(False) if False in rest else len(rest)))

    def _some_places(self) -> str:
        if self.kind == "pdf":
            return f"p. 1 to p. {len(self):,}"
        shown = [place for place in dict.fromkeys(self.places) if place][:40]
        more = f" and {len(self) - len(shown):,} more" if len(self) > len(shown) else ""
        return ", ".join(repr(place) for place in shown) + more
