"""Markdown taken apart into blocks: CommonMark with tables and strikethrough.

HTML in it stays the text that was written, and pictures become their descriptions: nothing is
fetched, and nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from harness.documents.blocks import (
    Align,
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Rule,
    Span,
    Spans,
    Table,
    legible,
)

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["blocks_of"]

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)  # the only way to break a line in a table's cell
_LINKS = ("http://", "https://", "mailto:")
MOST_NESTING = 100
"""How deep lists and quotes may stand in each other; what is deeper is read as plain text."""


def blocks_of(markdown: str) -> tuple[Block, ...]:
    """Return the blocks of a Markdown text."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTING})
    reader.enable(["table", "strikethrough"])
    return tuple(_Walk().blocks(reader.parse(legible(markdown))))


@dataclass(slots=True)
class _List:
    """An open list: the number of its next item, or 0 where it is not numbered."""

    number: int
    mark: str = ""


@dataclass(slots=True)
class _Walk:
    """Follows markdown-it's tokens, knowing what they stand in."""

    lists: list[_List] = field(default_factory=list)
    quotes: int = 0
    heading: int = 0

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        """Yield the block of each token that shows something."""
        stream = iter(tokens)
        for token in stream:
            if token.type == "table_open":
                yield _table(stream)
            elif token.type == "inline":
                yield self._block(_spans(token.children or ()))
            elif token.type in ("fence", "code_block"):
                yield Code(text=token.content.removesuffix("\n"))
            elif token.type == "hr":
                yield Rule()
            else:
                self._enter(token)

    def _enter(self, token: Token) -> None:
        """Keep what the next blocks stand in."""
        match token.type:
            case "bullet_list_open":
                self.lists.append(_List(0))
            case "ordered_list_open":
                self.lists.append(_List(int(token.attrs.get("start", 1))))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                current = self.lists[-1]
                current.mark = f"{token.info}{token.markup}" if token.info else "•"
            case "list_item_close":
                self.lists[-1].mark = ""
            case "blockquote_open":
                self.quotes += 1
            case "blockquote_close":
                self.quotes -= 1
            case "heading_open":
                self.heading = int(token.tag[1:])

    def _block(self, spans: Spans) -> Block:
        if self.heading:
            level, self.heading = self.heading, 0
            return Heading(spans=spans, level=level)
        if self.lists:
            mark, self.lists[-1].mark = self.lists[-1].mark, ""
            return Item(spans=spans, depth=len(self.lists), mark=mark)
        return Paragraph(spans=spans, quote=self.quotes)


def _table(stream: Iterator[Token]) -> Table:
    """Read a table's tokens up to its end."""
    header: list[Spans] = []
    aligns: list[Align] = []
    rows: list[list[Spans]] = []
    for token in stream:
        match token.type:
            case "table_close":
                break
            case "th_open":
                style = str(token.attrs.get("style", "")).removeprefix("text-align:")
                aligns.append(cast(Align, style))
            case "tr_open":
                rows.append([])
            case "inline":
                rows[-1].append(_spans(token.children or ()))
    header = rows.pop(0)
    return Table(header=tuple(header), rows=tuple(map(tuple, rows)), aligns=tuple(aligns))


def _spans(children: Sequence[Token]) -> Spans:
    """Return the spans of a paragraph's tokens; neighbours in one style are joined."""
    found: list[Span] = []
    style = Span(text="")
    for token in children:
        match token.type:
            case "strong_open" | "strong_close":
                style = replace(style, bold=token.type == "strong_open")
            case "em_open" | "em_close":
                style = replace(style, italic=token.type == "em_open")
            case "s_open" | "s_close":
                style = replace(style, struck=token.type == "s_open")
            case "link_open":
                target = str(token.attrs.get("href", ""))
                style = replace(style, link=target if target.startswith(_LINKS) else "")
            case "link_close":
                style = replace(style, link="")
            case "code_inline":
                _add(found, replace(style, text=token.content, code=True))
            case "softbreak":
                _add(found, replace(style, text=" "))
            case "hardbreak":
                _add(found, replace(style, text="\n"))
            case "image":
                _add(found, replace(style, text=f"[picture: {token.content or 'no description'}]"))
            case _:
                _add(found, replace(style, text=_BREAK.sub("\n", token.content)))
    return tuple(found)


def _add(found: list[Span], span: Span) -> None:
    if not span.text:
        return
    if found and replace(found[-1], text=span.text) == span:
        found[-1] = replace(span, text=found[-1].text + span.text)
    else:
        found.append(span)
