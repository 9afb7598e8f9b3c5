"""Lists of a Word file: real ones, that go on counting when their reader adds an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.documents.blocks import Item
from harness.documents.word_xml import child, element, in_order, name

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

__all__ = ["DEEPEST", "STEP", "Lists"]

DEEPEST = 6
STEP = 360
"""Twentieths of a point that each depth of a list stands further in."""
_BULLETS = "•\u2013▪"


@dataclass(slots=True)
class _Open:
    """A list that goes on: its number in the file, and the number that its next item has."""

    id: int
    sign: str
    following: int


class Lists:
    """Makes the lists of one document.

    Args:
        document: Being written.
    """

    def __init__(self, document: Document) -> None:
        self._numbering: Any = document.part.numbering_part.element
        self._open: dict[int, _Open] = {}
        self._abstract: dict[str, int] = {}

    def end(self) -> None:
        """Close all lists: what comes next is no item."""
        self._open.clear()

    def put(self, paragraph: Paragraph, item: Item) -> None:
        """Make a paragraph an item of the list that it belongs to."""
        depth = min(item.depth, DEEPEST)
        for deeper in [one for one in self._open if one > depth]:
            del self._open[deeper]
        number, sign = _read(item.mark)
        current = self._open.get(depth)
        if current is None or current.sign != sign or current.following != number:
            made = self._number(sign, depth, number)
            current = self._open[depth] = _Open(id=made, sign=sign, following=number)
        if sign != "•":
            current.following += 1
        numbers = in_order(paragraph._p.get_or_add_pPr(), "w:numPr")
        child(numbers, "w:ilvl", **{"w:val": str(depth - 1)})
        child(numbers, "w:numId", **{"w:val": str(current.id)})

    def _number(self, sign: str, depth: int, start: int) -> int:
        """Return the id of a new list that begins with a number at a depth."""
        ids = [int(one.get(name("w:numId"))) for one in self._numbering.findall(name("w:num"))]
        made = max(ids, default=0) + 1
        number = child(self._numbering, "w:num", **{"w:numId": str(made)})
        child(number, "w:abstractNumId", **{"w:val": str(self._form(sign))})
        if sign != "•":
            override = child(number, "w:lvlOverride", **{"w:ilvl": str(depth - 1)})
            child(override, "w:startOverride", **{"w:val": str(start)})
        return made

    def _form(self, sign: str) -> int:
        """Return the id of the form of lists with a sign after their numbers, or with bullets."""
        if sign in self._abstract:
            return self._abstract[sign]
        others = self._numbering.findall(name("w:abstractNum"))
        made = max((int(one.get(name("w:abstractNumId"))) for one in others), default=-1) + 1
        form = element("w:abstractNum", **{"w:abstractNumId": str(made)})
        child(form, "w:multiLevelType", **{"w:val": "hybridMultilevel"})
        for level in range(DEEPEST):
            _level(form, level, sign)
        # The schema wants every form before the first list.
        others[-1].addnext(form) if others else self._numbering.insert(0, form)
        self._abstract[sign] = made
        return made


def _read(mark: str) -> tuple[int, str]:
    """Return a mark's number and what stands after it; 0 and a bullet for one without."""
    digits = mark.rstrip(".)")
    return (int(digits), mark[len(digits) :]) if digits.isdecimal() else (0, "•")


def _level(form: Any, level: int, sign: str) -> None:
    bullet = sign == "•"
    drawn = child(form, "w:lvl", **{"w:ilvl": str(level)})
    child(drawn, "w:start", **{"w:val": "1"})
    child(drawn, "w:numFmt", **{"w:val": "bullet" if bullet else "decimal"})
    text = _BULLETS[level % len(_BULLETS)] if bullet else f"%{level + 1}{sign}"
    child(drawn, "w:lvlText", **{"w:val": text})
    child(drawn, "w:lvlJc", **{"w:val": "left"})
    place = {"w:left": str(STEP * (level + 1)), "w:hanging": str(STEP)}
    child(child(drawn, "w:pPr"), "w:ind", **place)
