"""PDF: the text of each page, as it stands there."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.domain.references.markdown import blocks
from harness.domain.references.structure import Finding, Parsed, Section, Unreadable, tidied

if TYPE_CHECKING:
    from pypdf import PdfReader

__all__ = ["has_picture", "legible", "open_pdf", "page_text", "parse_pdf"]

_ENDED = re.compile(r"""[.!?:;…]["'”\u2019»)\]]*\s*$""")
_FIRST_END = re.compile(r"""[.!?]["'”\u2019»)\]]*(?=\s|$)""")
_LONGEST_TAIL = 600  # characters of a sentence's end on the next page


def parse_pdf(data: bytes) -> Parsed:
    """Return one section a page.

    Raises:
        Unreadable: The file needs a password, or has pages but no text.
    """
    reader = open_pdf(data)
    pages, findings = _texts(reader)
    bare = [number for number, page in enumerate(pages, 1) if not legible(page)]
    if pages and len(bare) == len(pages) and not findings:
        message = (
            "This PDF has pages but no text: a scan? Run OCR (text recognition) on it and save "
            "the result here."
        )
        raise Unreadable("no-text", message)
    lost = [n for n in bare if pages[n - 1].strip() or has_picture(reader.pages[n - 1])]
    if lost:
        findings.append(_pages_without_text(lost))
    read = ["" if number in bare else page for number, page in enumerate(pages, 1)]
    return Parsed(sections=_sections(read), findings=tuple(findings), numbered=False)


def open_pdf(data: bytes) -> PdfReader:
    """Return a reader of a PDF that opens without a password.

    Raises:
        Unreadable: It is none, or needs a password.
    """
    from pypdf import PdfReader

    if b"%PDF-" not in data[:1024]:
        raise Unreadable("damaged", "This is no PDF, whatever its ending says. Export it anew.")
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        message = "This PDF opens only with a password. Save a copy without one."
        raise Unreadable("password", message)
    return reader


def page_text(page: Any) -> str:
    """Return the text of a page, tidied. A broken page makes the library raise what it likes."""
    return re.sub(r"[ \t]+", " ", tidied(page.extract_text()))


def legible(page: str) -> bool:
    """Say whether there is text, and not only signs without meaning.

    Those come out of fonts that say how letters look, but not which they are.
    """
    signs = page.split()
    unknown = sum(
        character == "\ufffd" or "\ue000" <= character <= "\uf8ff"
        for sign in signs
        for character in sign
    )
    return unknown * 2 < sum(map(len, signs))


def _texts(reader: PdfReader) -> tuple[list[str], list[Finding]]:
    pages: list[str] = []
    findings: list[Finding] = []
    for number, page in enumerate(reader.pages, 1):
        try:
            text = page_text(page)
        # Whatever a broken page makes the library raise, the other pages are still good.
        except Exception as error:
            text = ""
            message = (
                f"Page {number} is damaged ({type(error).__name__}); the other pages were read. "
                "Export the PDF anew."
            )
            findings.append(Finding(code="damaged", message=message))
        pages.append(text)
    return pages, findings


def has_picture(page: Any) -> bool:
    """Say whether a page shows a picture."""
    try:
        objects = page["/Resources"]["/XObject"].get_object()
        return any(entry.get_object().get("/Subtype") == "/Image" for entry in objects.values())
    # No resources, no objects, or damaged ones: then there is no picture to tell of.
    except (KeyError, AttributeError, TypeError):
        return False


def _pages_without_text(pages: list[int]) -> Finding:
    which = f"Page {pages[0]} has" if len(pages) == 1 else f"Pages {_list(pages)} have"
    message = (
        f"{which} no text that can be read, only pictures or signs. If it matters what is there, "
        "run OCR on the PDF."
    )
    return Finding(code="pages-without-text", message=message)


def _list(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:10]))
    return f"{shown} and {len(pages) - 10} more" if len(pages) > 10 else shown


def _sections(pages: list[str]) -> tuple[Section, ...]:
    """One section a page; a sentence that runs over to the next page stays whole."""
    found: list[Section] = []
    begun = ""  # the end of the page's first sentence, which stands with the page before
    for number, (page, following) in enumerate(zip(pages, [*pages[1:], ""], strict=True), 1):
        text = page.strip().removeprefix(begun).lstrip()
        begun = _tail(text, following.strip())
        where = f"p. {number}"
        section = Section(
            where=where,
            blocks=blocks(f"{text}\n{begun}" if begun else text),
            end=f"{where}-{number + 1}" if begun else "",
        )
        found.append(section)
    return tuple(found)


def _tail(page: str, following: str) -> str:
    """What on the following page ends a sentence of this one; empty where none does."""
    if not page or _ENDED.search(page) or not following[:1].islower():
        return ""
    end = _FIRST_END.search(following, 0, _LONGEST_TAIL)
    return following[: end.end()] if end else ""
