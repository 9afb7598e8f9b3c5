"""The XML of Word files: elements by their short names, put where the schema wants them."""

from __future__ import annotations

from typing import Any

__all__ = ["W", "child", "element", "in_order", "name"]

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_ORDER = {
    "pPr": (
        "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers"
        " pBdr shd tabs suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE"
        " autoSpaceDN bidi adjustRightInd snapToGrid spacing ind contextualSpacing mirrorIndents"
        " suppressOverlap jc textDirection textAlignment textboxTightWrap outlineLvl divId cnfStyle"
        " rPr sectPr pPrChange"
    ),
    "rPr": (
        "ins del moveFrom moveTo rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline"
        " shadow emboss imprint noProof snapToGrid vanish webHidden color spacing w kern position"
        " sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang eastAsianLayout"
        " specVanish oMath rPrChange"
    ),
    "trPr": "cnfStyle divId gridBefore gridAfter wBefore wAfter cantSplit trHeight tblHeader"
    " tblCellSpacing jc hidden ins del trPrChange",
    "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc"
    " tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption",
}
_RANK = {
    parent: {tag: at for at, tag in enumerate(tags.split())} for parent, tags in _ORDER.items()
}


def name(short: str) -> str:
    """Return the full name of a tag or attribute written as `w:p`."""
    from docx.oxml.ns import qn

    return str(qn(short))


def element(short: str, **attributes: str) -> Any:
    """Return a new element.

    Args:
        short: Its name, as `w:p`.
        **attributes: By their short names.
    """
    from docx.oxml import OxmlElement

    made = OxmlElement(short)
    for key, value in attributes.items():
        made.set(name(key), value)
    return made


def child(parent: Any, short: str, **attributes: str) -> Any:
    """Append a new element and return it."""
    made = element(short, **attributes)
    parent.append(made)
    return made


def in_order(properties: Any, short: str, **attributes: str) -> Any:
    """Put an element into a list of properties where the schema wants it, in place of its like.

    Word calls a file damaged whose properties stand in another order.
    """
    made = element(short, **attributes)
    rank = _RANK[properties.tag.rpartition("}")[2]]
    own = rank[short.partition(":")[2]]
    for other in list(properties):
        tag = str(other.tag).rpartition("}")[2]
        if tag == short.partition(":")[2]:
            properties.remove(other)
    for at, other in enumerate(properties):
        if rank.get(str(other.tag).rpartition("}")[2], len(rank)) > own:
            properties.insert(at, made)
            return made
    properties.append(made)
    return made
