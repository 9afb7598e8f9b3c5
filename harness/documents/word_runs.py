"""Spans as the runs of a Word paragraph: styles, links, the direction of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.documents.blocks import Span, Spans, legible, plain, right_to_left
from harness.documents.word_xml import child, in_order, name

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

__all__ = ["filled"]

_MONOSPACED = "Consolas"


def filled(paragraph: Paragraph, spans: Spans) -> None:
    """Write spans into a paragraph, and turn it where they run from right to left."""
    _runs(paragraph, spans)
    if right_to_left(plain(spans)):
        _turn(paragraph)


def _runs(paragraph: Paragraph, spans: Spans) -> None:
    for span in spans:
        run = paragraph.add_run(legible(span.text))
        run.bold = span.bold or None
        run.italic = span.italic or None
        run.font.strike = span.struck or None
        if span.code:
            run.font.name = _MONOSPACED
        if span.link:
            _link(paragraph, run, span)


def _link(paragraph: Paragraph, run: Any, span: Span) -> None:
    """Put a run into a hyperlink."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    target = paragraph.part.relate_to(span.link, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    run.style = "Hyperlink"
    link = child(paragraph._p, "w:hyperlink", **{"r:id": target})
    link.append(run._r)


def _turn(paragraph: Paragraph) -> None:
    """Make a paragraph run from right to left, each of its runs too."""
    in_order(paragraph._p.get_or_add_pPr(), "w:bidi")
    for run in paragraph._p.iter("{*}r"):
        properties = run.get_or_add_rPr()
        in_order(properties, "w:rtl")
        for style in ("b", "i"):  # Word keeps the styles of such scripts apart
            if properties.find(name(f"w:{style}")) is not None:
                in_order(properties, f"w:{style}Cs")
