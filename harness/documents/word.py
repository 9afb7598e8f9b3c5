"""Blocks as a Word file: real headings, lists, tables and links, both directions of writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from harness.documents.blocks import (
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Rule,
    Table,
    legible,
)
from harness.documents.word_lists import Lists
from harness.documents.word_runs import filled
from harness.documents.word_styles import dressed, list_style, page_numbers
from harness.documents.word_tables import put_table
from harness.documents.word_xml import child, in_order

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph as WordParagraph

__all__ = ["docx_of"]

_MONOSPACED = "Consolas"
_TEXT_WIDTH = 162 * 36_000  # English Metric Units


def docx_of(
    blocks: Sequence[Block],
    *,
    title: str = "",
    author: str = "",
    footer: str = "",
    language: str = "en",
) -> bytes:
    """Return a Word file of the blocks.

    Args:
        blocks: What stands in it.
        title: Of the document, for its properties.
        author: Likewise.
        footer: Stands at the foot of every page, beside the page's number.
        language: As `en` or `de-AT`, for the spelling check.
    """
    import docx

    document = docx.Document()
    dressed(document, title=legible(title), author=legible(author), language=language)
    page_numbers(document, legible(footer))
    lists = Lists(document)
    for block, last in _with_last(blocks):
        if isinstance(block, Item):
            _item(document, block, lists)
        else:
            lists.end()
            _draw(document, block)
        if isinstance(block, Table) and not last:
            document.add_paragraph(style="Table Gap")
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _with_last(blocks: Sequence[Block]) -> Iterator[tuple[Block, bool]]:
    for number, block in enumerate(blocks, 1):
        yield block, number == len(blocks)


def _draw(document: Document, block: Heading | Paragraph | Code | Rule | Table) -> None:
    match block:
        case Heading():
            filled(document.add_heading(level=block.level), block.spans)
        case Paragraph():
            style = "Quote" if block.quote else None
            filled(document.add_paragraph(style=style), block.spans)
        case Code():
            for line in block.text.split("\n"):
                paragraph = document.add_paragraph(style="Code")
                paragraph.add_run(line)
        case Rule():
            _rule(document.add_paragraph())
        case Table():
            put_table(document, block)


def _item(document: Document, item: Item, lists: Lists) -> None:
    paragraph = document.add_paragraph(style=list_style(item.depth))
    filled(paragraph, item.spans)
    if item.mark:
        lists.put(paragraph, item)


def _rule(paragraph: WordParagraph) -> None:
    borders = in_order(paragraph._p.get_or_add_pPr(), "w:pBdr")
    child(borders, "w:bottom", **{"w:val": "single", "w:sz": "6", "w:space": "1"})
