"""The numbers of a Word file's clauses, `4.2` or `(a)`, which stand nowhere in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.documents.word_xml import W

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["Numbers", "roman"]

_W = f"{{{W}}}"
_VAL = f"{_W}val"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"))
_ROMAN_SMALL = ((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_LEVELS = 9


@dataclass(frozen=True, kw_only=True, slots=True)
class _Level:
    """How one depth of a list is numbered."""

    form: str
    text: str
    start: int


class Numbers:
    """Counts a document's lists, paragraph by paragraph from the first to the last.

    Args:
        document: The document.
    """

    def __init__(self, document: Document) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._abstract: dict[str, str] = {}
        self._styles: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[tuple[str, int]] = set()
        self._starts: dict[tuple[str, int], int] = {}
        part = _numbering(document)
        if part is not None:
            self._read(part)
            self._read_styles(document)

    def label(self, paragraph: Any) -> str:
        """Return the number that stands before a paragraph, and count it; empty for none."""
        number, level = self._place(paragraph)
        levels = self._levels.get(self._abstract.get(number, ""), {})
        if level not in levels:
            return ""
        # Lists of one form go on counting each other, unless one says where it starts.
        counts = self._counts.setdefault(self._abstract[number], [None] * _LEVELS)
        start = self._starts.get((number, level))
        if start is not None and (number, level) not in self._begun:
            counts[level] = start
        else:
            before = counts[level]
            counts[level] = levels[level].start if before is None else before + 1
        self._begun.add((number, level))
        counts[level + 1 :] = [None] * (_LEVELS - level - 1)
        return self._shown(levels, counts, level)

    def _shown(self, levels: dict[int, _Level], counts: list[int | None], level: int) -> str:
        own = levels[level]
        if own.form == "bullet":
            return "-"

        def number(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            form = levels[at].form if at in levels else "decimal"
            count = counts[at]
            return _written(
                levels[at].start if count is None and at in levels else count or 1, form
            )

        return re.sub(r"%([1-9])", number, own.text).strip()

    def _place(self, paragraph: Any) -> tuple[str, int]:
        """Return a paragraph's list and depth: its own, or those of its style."""
        properties = paragraph.find(f"{_W}pPr")
        if properties is None:
            return "", -1
        style = properties.find(f"{_W}pStyle")
        inherited = self._styles.get(style.get(_VAL) or "") if style is not None else None
        own = properties.find(f"{_W}numPr")
        if own is None:
            return inherited or ("", -1)
        number, level = own.find(f"{_W}numId"), own.find(f"{_W}ilvl")
        given = number.get(_VAL) or "" if number is not None else (inherited or ("", 0))[0]
        return given, _whole(level, 0)

    def _read(self, part: Any) -> None:
        for form in part.findall(f"{_W}abstractNum"):
            identity = form.get(f"{_W}abstractNumId") or ""
            self._levels[identity] = {
                _whole_of(level.get(f"{_W}ilvl")): _level(level)
                for level in form.findall(f"{_W}lvl")
            }
        for number in part.findall(f"{_W}num"):
            identity = number.get(f"{_W}numId") or ""
            form = number.find(f"{_W}abstractNumId")
            self._abstract[identity] = form.get(_VAL) or "" if form is not None else ""
            for override in number.findall(f"{_W}lvlOverride"):
                start = override.find(f"{_W}startOverride")
                if start is not None:
                    depth = _whole_of(override.get(f"{_W}ilvl"))
                    self._starts[identity, depth] = _whole(start, 1)

    def _read_styles(self, document: Document) -> None:
        for style in document.styles.element.findall(f"{_W}style"):
            identity = style.get(f"{_W}styleId") or ""
            own = style.find(f"{_W}pPr/{_W}numPr")
            based = style.find(f"{_W}basedOn")
            if own is not None:
                number = own.find(f"{_W}numId")
                level = _whole(own.find(f"{_W}ilvl"), 0)
                self._styles[identity] = (
                    number.get(_VAL) or "" if number is not None else "",
                    level,
                )
            elif based is not None and based.get(_VAL) in self._styles:
                self._styles[identity] = self._styles[based.get(_VAL) or ""]


def _numbering(document: Document) -> Any:
    from docx.opc.constants import RELATIONSHIP_TYPE

    for relation in document.part.rels.values():
        if relation.reltype == RELATIONSHIP_TYPE.NUMBERING and not relation.is_external:
            return relation.target_part.element
    return None


def _level(level: Any) -> _Level:
    form, text = level.find(f"{_W}numFmt"), level.find(f"{_W}lvlText")
    return _Level(
        form=form.get(_VAL) or "decimal" if form is not None else "decimal",
        text=text.get(_VAL) or "" if text is not None else "",
        start=_whole(level.find(f"{_W}start"), 0),
    )


def _whole(element: Any, default: int) -> int:
    return default if element is None else _whole_of(element.get(_VAL), default)


def _whole_of(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isdecimal() else default


def _written(number: int, form: str) -> str:
    match form:
        case "lowerLetter" | "upperLetter":
            count, letter = divmod(max(number, 1) - 1, 26)
            text = chr(97 + letter) * (count + 1)
            return text if form == "lowerLetter" else text.upper()
        case "lowerRoman":
            return roman(number)
        case "upperRoman":
            return roman(number).upper()
        case "decimalZero":
            return f"{number:02}"
        case "none" | "bullet":
            return ""
        case _:
            return str(number)


def roman(number: int) -> str:
    """Return a number in small Roman letters; one that has none in digits."""
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, letters in (*_ROMAN, *_ROMAN_SMALL):
        count, number = divmod(number, value)
        text += letters * count
    return text
