"""Sections cut into passages: between paragraphs, rows and sentences, of even size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil

from harness.domain.references.structure import Block, Section

__all__ = ["MAX_WORDS", "TARGET_WORDS", "Piece", "pieces", "words"]

TARGET_WORDS = 220
MAX_WORDS = 350
_MAX_HEADER = 60  # words of a table's header up to which it is repeated

# Scripts that put no blanks between words: two of their characters make about a word.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SENTENCE_END = re.compile(
    r"""(?<=[.!?…])["'”\u2019»)\]]*(?P<blank>\s+)(?=["'“\u2018«(\[]*[^\W_a-z])"""
    r"""|(?<=[。\uff01\uff1f])(?P<none>)""",
)
_ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|al|approx|Art|Arts|Bd|bzw|ca|cf|Cf|cl|Dr|e\.g|Eq|etc|Fig|Figs|i\.e|Mr|Mrs|Ms|No"
    r"|Nos|Nr|op|para|Para|p|pp|Prof|resp|Rn|S|sec|Sec|Sect|sent|St|usw|v|Vol|vs|z\.B)\.$"
)
_RUN = 400  # characters of a run without any blank that stay together
_FINER = (re.compile(r"\n"), re.compile(r"(?<=[;:,])\s+"), re.compile(r"\s+"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A passage before it is known which document it belongs to."""

    text: str
    where: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unit:
    """What is not cut further.

    Attributes:
        glue: What stood between this and the unit before.
        header: Stands before the unit where it opens a passage: a table's header.
        heading: It is a heading, worth nothing at the end of a passage.
    """

    text: str
    glue: str
    line: int
    size: int
    header: str = ""
    heading: bool = False


def words(text: str) -> int:
    """Return the size of a text in words; scripts without blanks and long runs count fairly."""
    unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    return max(len(text.split()) + unspaced // 2, len(text) // 12)


def pieces(sections: Iterable[Section]) -> tuple[Piece, ...]:
    """Return the passages of a document in order. A short section stays one passage."""
    found: list[Piece] = []
    for section in sections:
        texts = [text for text in _texts(_units(section.blocks)) if text[0].strip()]
        for number, (text, line) in enumerate(texts, 1):
            where = section.end if section.end and number == len(texts) else section.where
            found.append(Piece(text=text, where=where, line=line))
    return tuple(found)


def _texts(units: list[_Unit]) -> Iterator[tuple[str, int]]:
    """Units joined to texts of about the same size, each with its line."""
    remaining = sum(unit.size for unit in units)
    if remaining <= MAX_WORDS:
        if units:
            yield _joined(units), units[0].line
        return
    count = ceil(remaining / TARGET_WORDS)  # passages still to come
    current: list[_Unit] = []
    size = header = 0
    for unit in units:
        full = header + size + unit.size > MAX_WORDS or size + unit.size / 2 > remaining / count
        if current and full and not current[-1].heading:
            yield _joined(current), current[0].line
            remaining -= size
            count = max(count - 1, ceil(remaining / MAX_WORDS))
            current, size, header = [], 0, words(unit.header)
        current.append(unit)
        size += unit.size
    yield _joined(current), current[0].line


def _joined(units: list[_Unit]) -> str:
    header = f"{units[0].header}\n" if units[0].header else ""
    rest = "".join(unit.glue + unit.text for unit in units[1:])
    return header + units[0].text + rest


def _units(blocks: Iterable[Block]) -> list[_Unit]:
    return [unit for block in blocks for unit in _cut(block, "\n" if block.tight else "\n\n")]


def _cut(block: Block, glue: str) -> Iterator[_Unit]:
    if block.kind == "heading":
        yield replace(_unit(block.text, glue, block.line), heading=True)
    elif block.kind == "table":
        yield from _rows(block, glue)
    elif words(block.text) <= TARGET_WORDS:
        yield _unit(block.text, glue, block.line)
    elif block.kind == "lines":
        yield from _at_lines(block.text, glue, block.line)
    else:
        line = block.line
        for number, (text, blank) in enumerate(_sentences(block.text)):
            line += blank.count("\n")
            yield from _fitting(text, blank if number else glue, line)
            line += text.count("\n")


def _rows(block: Block, glue: str) -> Iterator[_Unit]:
    """A table's rows; the first one keeps the header, and the others know it."""
    rows = block.text.split("\n")
    header = "\n".join(rows[:2])
    repeated = header if words(header) <= _MAX_HEADER else ""
    yield from _fitting("\n".join(rows[:3]), glue, block.line)
    numbers = block.numbers or range(block.line, block.line + len(rows))
    for number, row in zip(numbers[3:], rows[3:], strict=True):
        for count, unit in enumerate(_fitting(row, "\n", number)):
            yield unit if count else replace(unit, header=repeated)


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """Each sentence with the blanks before it."""
    start, before = 0, ""
    for end in _SENTENCE_END.finditer(text):
        blank = end["blank"] or ""
        stop = end.end() - len(blank)
        if stop <= start or _ABBREVIATION.search(text, max(start, stop - 12), stop):
            continue
        yield text[start:stop], before
        start, before = end.end(), blank
    if start < len(text):
        yield text[start:], before


def _fitting(text: str, glue: str, line: int) -> Iterator[_Unit]:
    """A sentence or a row: whole if it fits a passage, else cut."""
    if words(text) <= MAX_WORDS:
        yield _unit(text, glue, line)
    else:
        yield from _at_lines(text, glue, line)


def _at_lines(text: str, glue: str, line: int, finer: int = 0) -> Iterator[_Unit]:
    """The text cut at its line ends; what is still too long at clauses, at words, anywhere."""
    if finer == len(_FINER):
        for start in range(0, len(text), _RUN):
            yield _unit(text[start : start + _RUN], "" if start else glue, line)
        return
    start = 0
    for cut in [*_FINER[finer].finditer(text), None]:
        part = text[start : cut.start() if cut else len(text)]
        if words(part) <= TARGET_WORDS:
            yield _unit(part, glue, line)
        else:
            yield from _at_lines(part, glue, line, finer + 1)
        if cut:
            line += text.count("\n", start, cut.end())
            start, glue = cut.end(), cut[0]


def _unit(text: str, glue: str, line: int) -> _Unit:
    return _Unit(text=text, glue=glue, line=line, size=words(text))
