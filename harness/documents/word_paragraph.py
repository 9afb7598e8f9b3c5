"""The text of one paragraph of a Word file, as if every tracked change were accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.documents.word_xml import W

__all__ = ["BOX", "FALLBACK", "paragraph_text"]

_W = f"{{{W}}}"
_ID = f"{_W}id"
_GONE = {f"{_W}{one}" for one in ("del", "moveFrom", "instrText", "rPr", "pPr", "delText")}
BOX = f"{_W}txbxContent"
"""A text box, whose paragraphs stand inside of the one that it hangs on."""
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The same content once more, for old programs."""


def paragraph_text(paragraph: Any) -> str:
    """Return the text of a paragraph's element, as if every tracked change were accepted."""
    return "".join(_texts(paragraph))


def _texts(element: Any) -> Iterator[str]:
    for child in element:
        tag = child.tag
        if tag in _GONE or tag in (BOX, FALLBACK):
            continue
        if tag == f"{_W}t":
            yield child.text or ""
        elif tag in (f"{_W}tab", f"{_W}ptab"):
            yield "\t"
        elif tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"
        elif tag == f"{_W}noBreakHyphen":
            yield "\u2011"
        elif tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
            kind = "note" if tag.endswith("footnoteReference") else "endnote"
            yield f"[{kind} {child.get(f'{_W}id')}]"
        elif str(tag).endswith("}docPr"):
            said = child.get("descr") or ""
            yield f"[picture: {said}]" if said else ""
        else:
            yield from _texts(child)
