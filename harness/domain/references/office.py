"""Word, PowerPoint and web pages, by way of Markdown; and the guard before any packed file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from harness.domain.references.markdown import blocks, sections
from harness.domain.references.structure import Parsed, Section, Unreadable, tidied

__all__ = ["check_package", "parse_docx", "parse_html", "parse_pptx"]

MAX_UNPACKED = 500_000_000  # bytes
MAX_RATIO = 200
_HARMLESS = 1_000_000  # bytes unpacked up to which no ratio is dangerous

# Their first bytes; Office wraps a document with a password, and its old formats, in it.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

_SLIDE = re.compile(r"^<!-- Slide number: (\d+) -->$", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]{0,1000})\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_NO_CAPTION = re.compile(r"(?:[^\W\d]+ \d+)?|.*\.(?:png|jpe?g|gif|emf|wmf|svg)", re.IGNORECASE)

# Escapes would change the expert's text; nothing renders this Markdown.
_OPTIONS: dict[str, Any] = {
    "escape_asterisks": False,
    "escape_underscores": False,
    "escape_misc": False,
    "table_infer_header": True,
}
# A document's title stands above its headings of the first level.
_WORD_STYLES = "\n".join(
    ["p[style-name='Title'] => h1:fresh"]
    + [f"p[style-name='heading {level}'] => h{level + 1}:fresh" for level in range(1, 6)]
)
_TITLE = re.compile(r"<title\b.{0,5000}?</title\s*>", re.IGNORECASE | re.DOTALL)


def check_package(data: bytes, suffix: str) -> None:
    """See that a docx, xlsx or pptx is one, and safe to unpack.

    Raises:
        Unreadable: It has a password, is damaged or of an old format, or would unpack to far
            more than its size.
    """
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            message = "This document opens only with a password. Save a copy without one."
            raise Unreadable("password", message)
        message = f"This is a document in an older Office format. Open it and save it as {suffix}."
        raise Unreadable("damaged", message)
    try:
        with ZipFile(BytesIO(data)) as package:
            entries = package.infolist()
    except (BadZipFile, ValueError, NotImplementedError) as error:
        message = f"This is no {suffix} document, or a damaged one. Open it and save it anew."
        raise Unreadable("damaged", message) from error
    unpacked = sum(entry.file_size for entry in entries)
    bound = max(_HARMLESS, MAX_RATIO * len(data))
    if unpacked > min(MAX_UNPACKED, bound):
        message = (
            f"This document would unpack to {unpacked / 1e6:,.0f} MB, from {len(data) / 1e6:,.1f} "
            "MB: it may be made to do harm. If you trust it, copy what is needed into a new one."
        )
        raise Unreadable("zip-bomb", message)


def parse_html(text: str) -> Parsed:
    """Return one section a heading."""
    from markitdown.converters import HtmlConverter

    markdown = HtmlConverter().convert_string(_TITLE.sub("", text), **_OPTIONS).markdown
    return Parsed(sections=sections(_without_pictures(tidied(markdown))), numbered=False)


def parse_docx(data: bytes) -> Parsed:
    """Return one section a heading; text deleted under change tracking is left out."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    result = DocxConverter().convert(  # type: ignore[no-untyped-call]  # has no types
        BytesIO(data), StreamInfo(extension=".docx"), style_map=_WORD_STYLES, **_OPTIONS
    )
    text = _without_pictures(tidied(result.markdown))
    return Parsed(sections=sections(text), numbered=False)


def parse_pptx(data: bytes) -> Parsed:
    """Return one section a slide, with its notes."""
    from markitdown import StreamInfo
    from markitdown.converters import PptxConverter

    result = PptxConverter().convert(  # type: ignore[no-untyped-call]  # has no types
        BytesIO(data), StreamInfo(extension=".pptx"), **_OPTIONS
    )
    markdown = _without_pictures(tidied(result.markdown))
    slides = tuple(
        Section(where=f"slide {number}", blocks=blocks(text))
        for number, text in enumerate(_slides(markdown), 1)
    )
    return Parsed(sections=slides, numbered=False)


def _slides(markdown: str) -> Iterator[str]:
    """The text of each slide. Its marks count up: a text that looks like one is no mark."""
    start = number = 0
    for mark in _SLIDE.finditer(markdown):
        if int(mark[1]) == number + 1:
            if number:
                yield markdown[start : mark.start()]
            start, number = mark.end(), number + 1
    if number:
        yield markdown[start:]


def _without_pictures(markdown: str) -> str:
    """Captions stay; links to pictures that nobody will see, and made-up names, go."""

    def caption(picture: re.Match[str]) -> str:
        text = picture[1].strip()
        return "" if _NO_CAPTION.fullmatch(text) else f"[picture: {text}]"

    return _PICTURE.sub(caption, markdown)
