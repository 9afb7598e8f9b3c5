"""Blocks on paper: PDF, set by Typst with fonts that come along, the same on every machine."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from harness.documents.blocks import (
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Rule,
    Spans,
    Table,
    column_shares,
    legible,
    plain,
    right_to_left,
)
from harness.documents.fonts import FOLDER, families
from harness.errors import DocumentError

__all__ = ["pdf_of"]

_TEMPLATE = Path(__file__).with_name("page.typ")
_LONGEST, _CELL = 60, 16  # characters of a word after which it may be broken
_WIDE = 6  # columns from which a table's text gets smaller


def pdf_of(
    blocks: Sequence[Block],
    *,
    title: str = "",
    author: str = "",
    footer: str = "",
    language: str = "en",
    paper: Literal["a4", "us-letter"] = "a4",
) -> bytes:
    """Return a PDF of the blocks, tagged for screen readers.

    Args:
        blocks: What stands in it.
        title: Of the document, for its properties.
        author: Likewise.
        footer: Stands at the foot of every page, beside the page's number.
        language: Two letters, for hyphens and screen readers.
        paper: Its size.

    Raises:
        DocumentError: It could not be set.
    """
    import typst

    document = {
        "title": legible(title),
        "author": legible(author),
        "footer": legible(footer),
        "language": language[:2] or "en",
        "paper": paper,
        "blocks": [_data(block) for block in blocks],
    }
    inputs = {"document": json.dumps(document), "fonts": json.dumps(families())}
    try:
        made = typst.compile(
            str(_TEMPLATE),
            root=str(_TEMPLATE.parent),
            font_paths=[str(FOLDER)],
            ignore_system_fonts=True,
            sys_inputs=inputs,
            format="pdf",
        )
    except typst.TypstError as error:
        raise DocumentError(f"The PDF could not be set ({error}).") from error
    return bytes(made)


def _data(block: Block) -> dict[str, Any]:
    """Return a block as the template takes it."""
    match block:
        case Heading() | Paragraph() | Item():
            kind = type(block).__name__.lower()
            fields = {**dataclasses.asdict(block), "spans": _spans(block.spans)}
            return {**fields, "kind": kind, "rtl": right_to_left(plain(block.spans))}
        case Code():
            return {"kind": "code", "text": block.text}
        case Rule():
            return {"kind": "rule"}
        case Table():
            return _table(block)


def _table(table: Table) -> dict[str, Any]:
    columns = len(table.header)
    return {
        "kind": "table",
        "header": [_spans(cell, _CELL) for cell in table.header],
        "rows": [[{"spans": _spans(cell, _CELL)} for cell in row] for row in table.rows],
        "aligns": list(table.aligns),
        "widths": column_shares(table),
        "size": 9.5 if columns < _WIDE else max(6.5, 9.5 - 0.4 * (columns - _WIDE + 1)),
        "rtl": right_to_left(" ".join(plain(cell) for cell in table.header)),
    }


def _spans(spans: Spans, longest: int = _LONGEST) -> list[dict[str, Any]]:
    return [
        {**dataclasses.asdict(span), "text": _breakable(legible(span.text), longest)}
        for span in spans
    ]


def _breakable(text: str, longest: int) -> str:
    """Let words that are longer than a line be broken: addresses, keys, endless runs of signs."""
    return re.sub(rf"\S{{{longest}}}(?=\S)", lambda found: f"{found[0]}\u200b", text)
