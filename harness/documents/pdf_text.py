"""PDF page by page, each read when it is asked for: 500 pages open as fast as five."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.documents.places import Document
from harness.domain.references.pdf import has_picture, legible, open_pdf, page_text
from harness.domain.references.reader import quiet
from harness.errors import DocumentError

if TYPE_CHECKING:
    from pypdf import PdfReader

__all__ = ["pdf_document"]

_SAMPLE = 3  # pages that are looked at before it is told that there is no text
_MOST_BOOKMARKS = 200


def pdf_document(name: str, data: bytes, notes: tuple[str, ...] = ()) -> Document:
    """Open a PDF.

    Raises:
        Unreadable: It is none, or needs a password.
        DocumentError: It has no page, or no page has text.
    """
    reader = open_pdf(data)
    count = len(reader.pages)
    if not count:
        raise DocumentError(f"`{name}` is a PDF without pages.", "Export it anew.")
    document = Document(
        name=name,
        kind="pdf",
        places=tuple(f"p. {number}" for number in range(1, count + 1)),
        read=lambda number: _text(reader, number),
        notes=notes,
        contents=_bookmarks(reader),
    )
    if all(_bare(document, number) for number in range(min(_SAMPLE, count))) and all(
        _bare(document, number) for number in range(count)
    ):
        raise DocumentError(
            f"`{name}` has {count:,} page{'s' * (count > 1)} and no text: it is a scan, or made of"
            " pictures.",
            "Look at its pages with `look_at_pages` if you can see pictures, or ask for a copy"
            " with recognised text (OCR).",
        )
    return document


def _text(reader: PdfReader, number: int) -> str:
    with quiet():
        try:
            page = reader.pages[number]
            text = page_text(page).strip()
        # Whatever a broken page makes the library raise, the other pages are still good.
        except Exception as error:
            return f"[this page is damaged and could not be read ({type(error).__name__})]"
        if legible(text):
            return text
        if text:
            return "[this page's letters can't be told: its fonts do not say which they are]"
        return "[no text on this page, only a picture: a scan?]" if has_picture(page) else ""


def _bare(document: Document, number: int) -> bool:
    text = document.part(number).text
    return not text or text.startswith(("[no text on", "[this page's letters"))


def _bookmarks(reader: PdfReader) -> tuple[str, ...]:
    found: list[str] = []

    def walk(entries: Any, depth: int) -> None:
        for entry in entries:
            if len(found) >= _MOST_BOOKMARKS:
                return
            if isinstance(entry, list):
                walk(entry, depth + 1)
            else:
                number = reader.get_destination_page_number(entry)
                place = "" if number is None else f" (p. {number + 1})"
                found.append(f"{'  ' * depth}{' '.join(str(entry.title).split())}{place}")

    try:
        walk(reader.outline, 0)
    # Bookmarks are a convenience: broken ones are no reason not to read the pages.
    except Exception:
        return tuple(found)
    return tuple(found)
