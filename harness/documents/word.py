"""Blocks as a Word file: real headings, lists, tables and links, both directions of writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.documents.blocks import (
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Rule,
    Span,
    Spans,
    Table,
    column_shares,
    legible,
    plain,
    right_to_left,
)
from harness.documents.word_lists import Lists
from harness.documents.word_styles import dressed, list_style, page_numbers
from harness.documents.word_xml import child, in_order, name

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as WordTable
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
            _filled(document.add_heading(level=block.level), block.spans)
        case Paragraph():
            style = "Quote" if block.quote else None
            _filled(document.add_paragraph(style=style), block.spans)
        case Code():
            for line in block.text.split("\n"):
                paragraph = document.add_paragraph(style="Code")
                paragraph.add_run(line)
        case Rule():
            _rule(document.add_paragraph())
        case Table():
            _table(document, block)


def _item(document: Document, item: Item, lists: Lists) -> None:
    paragraph = document.add_paragraph(style=list_style(item.depth))
    _filled(paragraph, item.spans)
    if item.mark:
        lists.put(paragraph, item)


def _filled(paragraph: WordParagraph, spans: Spans) -> None:
    """Write spans into a paragraph, and turn it where they run from right to left."""
    _runs(paragraph, spans)
    if right_to_left(plain(spans)):
        _turn(paragraph)


def _runs(paragraph: WordParagraph, spans: Spans) -> None:
    for span in spans:
        run = paragraph.add_run(legible(span.text))
        run.bold = span.bold or None
        run.italic = span.italic or None
        run.font.strike = span.struck or None
        if span.code:
            run.font.name = _MONOSPACED
        if span.link:
            _link(paragraph, run, span)


def _link(paragraph: WordParagraph, run: Any, span: Span) -> None:
    """Put a run into a hyperlink."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    target = paragraph.part.relate_to(span.link, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    run.style = "Hyperlink"
    link = child(paragraph._p, "w:hyperlink", **{"r:id": target})
    link.append(run._r)


def _turn(paragraph: WordParagraph) -> None:
    """Make a paragraph run from right to left, each of its runs too."""
    in_order(paragraph._p.get_or_add_pPr(), "w:bidi")
    for run in paragraph._p.iter("{*}r"):
        properties = run.get_or_add_rPr()
        in_order(properties, "w:rtl")
        for style in ("b", "i"):  # Word keeps the styles of such scripts apart
            if properties.find(name(f"w:{style}")) is not None:
                in_order(properties, f"w:{style}Cs")


def _rule(paragraph: WordParagraph) -> None:
    borders = in_order(paragraph._p.get_or_add_pPr(), "w:pBdr")
    child(borders, "w:bottom", **{"w:val": "single", "w:sz": "6", "w:space": "1"})


def _table(document: Document, table: Table) -> None:
    drawn = document.add_table(rows=0, cols=len(table.header), style="Harness Table")
    drawn.autofit = False
    for column, share in zip(drawn.columns, column_shares(table), strict=True):
        column.width = round(_TEXT_WIDTH * share)
    _fill_row(drawn, table, table.header)
    in_order(drawn.rows[0]._tr.get_or_add_trPr(), "w:tblHeader")
    for row in table.rows:
        _fill_row(drawn, table, row)
    if right_to_left(" ".join(plain(cell) for cell in table.header)):
        in_order(drawn._tbl.tblPr, "w:bidiVisual")
    for row_ in drawn.rows:
        in_order(row_._tr.get_or_add_trPr(), "w:cantSplit")


def _fill_row(drawn: WordTable, table: Table, cells: Sequence[Spans]) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    sides = {"center": WD_ALIGN_PARAGRAPH.CENTER, "right": WD_ALIGN_PARAGRAPH.RIGHT}
    row = drawn.add_row()  # type: ignore[no-untyped-call]  # has no types
    # `row.cells` looks all of them up again at each use.
    for cell, spans, align, column in zip(
        row.cells, cells, table.aligns, drawn.columns, strict=True
    ):
        cell.width = column.width
        paragraph = cell.paragraphs[0]
        paragraph.style = "Table Text"
        _filled(paragraph, spans)
        if align in sides:
            paragraph.alignment = sides[align]
