"""Markdown and plain text taken apart: headings make sections, blank lines make blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.domain.references.structure import Block, Section

__all__ = ["blocks", "sections"]

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*?)(?:[ \t]+#+)?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•▪‣◦\u2013]|\d{1,3}[.)]|\(?[a-z]{1,2}\))\s+\S")
_LONGEST_HEADING = 300  # characters; what is longer is a paragraph with a sign before it
_SHOWN = 120  # characters of a heading in a passage's `where`


def sections(text: str) -> tuple[Section, ...]:
    """Return the sections of a Markdown text, each named by the path of its headings.

    A heading that has nothing of its own stands with the first section below it.

    Args:
        text: Tidied text. Headings stay part of it.
    """
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    current: list[Block] = []
    for start, lines in _paragraphs(text):
        for block, level in _marked(lines, start):
            if level:
                below = bool(path) and level > path[-1][0]
                if current and not (below and current[-1].kind == "heading"):
                    found.append(_section(path, current))
                    current = []
                while path and path[-1][0] >= level:
                    path.pop()
                path.append((level, _title(block.text)))
            current.append(block)
    if current:
        found.append(_section(path, current))
    return tuple(found)


def blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of a tidied text that has no headings: paragraphs, lists, tables."""
    return tuple(block for start, lines in _paragraphs(text) for block in _kinds(lines, start))


def _section(path: list[tuple[int, str]], current: list[Block]) -> Section:
    return Section(where=" > ".join(title for _, title in path), blocks=tuple(current))


def _title(text: str) -> str:
    """A heading without its marks, short enough to stand beside a passage."""
    heading = _HEADING.match(text)
    title = heading[2] if heading else text.split("\n", 1)[0]
    title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    title = " ".join(re.sub(r"\*\*|__|`", "", title).split())
    return title if len(title) <= _SHOWN else title[: _SHOWN - 1].rstrip() + "…"


def _marked(lines: list[str], start: int) -> Iterator[tuple[Block, int]]:
    """The blocks of a paragraph, each with its level as a heading, 0 for all others."""
    if _whole(lines, start):
        yield from ((block, 0) for block in _kinds(lines, start))
        return
    plain: list[str] = []
    for number, line in enumerate(lines, start):
        tight = number - len(plain) > start
        heading = _HEADING.match(line) if len(line) <= _LONGEST_HEADING else None
        titled = len(plain) == 1 and len(plain[0]) <= _LONGEST_HEADING
        underline = _UNDERLINE.match(line) if titled else None
        if underline:
            text = f"{plain.pop()}\n{line}"
            level = 1 if underline[1].startswith("=") else 2
            yield Block(text=text, kind="heading", line=number - 1, tight=tight), level
        elif heading:
            yield from ((block, 0) for block in _kinds(plain, number - len(plain), tight=tight))
            plain = []
            tight = number > start
            yield (
                Block(text=line.strip(), kind="heading", line=number, tight=tight),
                len(heading[1]),
            )
        else:
            plain.append(line)
    first = start + len(lines) - len(plain)
    yield from ((block, 0) for block in _kinds(plain, first, tight=first > start))


def _whole(lines: list[str], start: int) -> bool:
    """Fenced code and front matter have no headings in them."""
    return bool(_FENCE.match(lines[0])) or (start == 1 and lines[0] == "---")


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines between blank lines, with the first one's number; a fenced block is one whole."""
    pending: list[str] = []
    fence = ""
    number = 0
    for number, line in enumerate(text.split("\n"), 1):
        mark = _FENCE.match(line)
        if fence:
            pending.append(line)
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                yield number - len(pending) + 1, pending
                pending, fence = [], ""
        elif mark:
            if pending:
                yield number - len(pending), pending
            pending, fence = [line], mark[1]
        elif line.strip():
            pending.append(line)
        elif pending:
            yield number - len(pending), pending
            pending = []
    if pending:
        while not pending[-1].strip():  # a fence that never closes
            pending.pop()
            number -= 1
        yield number - len(pending) + 1, pending


def _kinds(lines: list[str], start: int, *, tight: bool = False) -> Iterator[Block]:
    """The lines as blocks of one kind each; a table may stand among other lines."""
    if lines and _whole(lines, start):
        yield Block(text="\n".join(lines), kind="lines", line=start, tight=tight)
        return
    position = first = 0
    while position < len(lines):
        end = _table_end(lines, position)
        if end > position:
            yield from _prose(lines[first:position], start + first, tight or first > 0)
            text = "\n".join(lines[position:end])
            yield Block(text=text, kind="table", line=start + position, tight=tight or position > 0)
            first = position = end
        else:
            position += 1
    yield from _prose(lines[first:], start + first, tight or first > 0)


def _table_end(lines: list[str], position: int) -> int:
    """Where a table that starts at `position` ends; `position` where none starts."""
    if "|" not in lines[position] or position + 1 == len(lines):
        return position
    rule = lines[position + 1].strip()
    if "|" not in rule or not _RULE.match(rule):
        return position
    end = position + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


def _prose(lines: list[str], start: int, tight: bool) -> Iterator[Block]:
    """Prose as one block; a list as one block an item, so that a cut falls between items."""
    first = 0
    for position in range(1, len(lines) + 1):
        if position == len(lines) or _LIST_ITEM.match(lines[position]):
            text = "\n".join(lines[first:position])
            yield Block(text=text, line=start + first, tight=tight or first > 0)
            first = position
