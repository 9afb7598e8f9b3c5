"""Tables of a Word file, written as XML: python-docx looks a row's cells up anew for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.documents.blocks import Spans, Table, column_shares, plain, right_to_left
from harness.documents.word_runs import filled
from harness.documents.word_styles import table_text
from harness.documents.word_xml import child, in_order, name

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["put_table"]

_TEXT_WIDTH = 162 * 1440 / 25.4
"""Twentieths of a point between the margins."""


def put_table(document: Document, table: Table) -> None:
    """Put a table at the end of a document; its header is repeated on every page."""
    columns = len(table.header)
    drawn = document.add_table(rows=0, cols=columns, style="Harness Table")
    drawn.autofit = False
    widths = [round(_TEXT_WIDTH * share) for share in column_shares(table)]
    for grid, width in zip(drawn._tbl.tblGrid.gridCol_lst, widths, strict=True):
        grid.set(name("w:w"), str(width))
    style = document.styles[table_text(columns)].style_id
    for number, cells in enumerate((table.header, *table.rows)):
        row = child(drawn._tbl, "w:tr")
        properties = child(row, "w:trPr")
        in_order(properties, "w:cantSplit")
        if not number:
            in_order(properties, "w:tblHeader")
        for spans, align, width in zip(cells, table.aligns, widths, strict=True):
            cell = child(row, "w:tc")
            child(child(cell, "w:tcPr"), "w:tcW", **{"w:w": str(width), "w:type": "dxa"})
            _put_text(document, child(cell, "w:p"), spans, style=style, align=align)
    if right_to_left(" ".join(plain(cell) for cell in table.header)):
        in_order(drawn._tbl.tblPr, "w:bidiVisual")


def _put_text(document: Document, paragraph: Any, spans: Spans, *, style: str, align: str) -> None:
    from docx.text.paragraph import Paragraph

    properties = paragraph.get_or_add_pPr()
    in_order(properties, "w:pStyle", **{"w:val": style})
    filled(Paragraph(paragraph, document._body), spans)
    if align in ("center", "right"):
        in_order(properties, "w:jc", **{"w:val": align})
