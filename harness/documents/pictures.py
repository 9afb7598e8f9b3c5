"""Pages and photos as pictures, for a model that sees: of scans, and of what text can't say."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

from harness.documents.kinds import PICTURES
from harness.errors import DocumentError

__all__ = ["MOST_PAGES", "Picture", "pictures_of"]

MOST_PAGES = 8
_LONGEST = 1_568
"""Pixels of a picture's longer side: providers make larger ones smaller."""
_MOST_PIXELS = 80_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""What is opened; Pillow knows others, some of them by starting other programs."""
_LOCK = threading.Lock()  # pdfium is for one thread at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture as PNG, and what it shows in words: `p. 3`."""

    where: str
    png: bytes


def pictures_of(name: str, data: bytes, pages: range = range(1)) -> tuple[Picture, ...]:
    """Return pages of a PDF, or a photo, as pictures.

    Args:
        name: Of the file; its ending counts only for messages.
        data: Its bytes.
        pages: Of a PDF, counted from 0; at most `MOST_PAGES`.

    Raises:
        DocumentError: It can't be drawn; says why.
    """
    if b"%PDF-" in data[:1024]:
        if len(pages) > MOST_PAGES:
            raise DocumentError(
                f"{len(pages)} pages are too many at once.", f"Ask for {MOST_PAGES} at most."
            )
        return _drawn(name, data, pages)
    ending = PurePosixPath(name).suffix.lower()
    try:
        return (Picture(where=name, png=_photo(data)),)
    except Exception as error:  # Pillow raises what it likes on what is no picture
        what = "a picture that can't be opened" if ending in PICTURES else "no PDF and no picture"
        raise DocumentError(
            f"`{name}` is {what} ({type(error).__name__}).", "Look at PDF, PNG or JPEG files."
        ) from error


def _drawn(name: str, data: bytes, pages: range) -> tuple[Picture, ...]:
    import pypdfium2

    with _LOCK:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise DocumentError(f"`{name}` can't be drawn ({error}).") from error
        try:
            count = len(document)
            if not pages or pages[-1] >= count:
                raise DocumentError(f"`{name}` has {count} pages.", "Ask for one of them.")
            return tuple(
                Picture(where=f"p. {number + 1}", png=_page(document[number])) for number in pages
            )
        finally:
            document.close()


def _page(page: Any) -> bytes:
    width, height = page.get_size()
    scale = min(_LONGEST / max(width, height, 1.0), 4.0)
    return _png(page.render(scale=scale).to_pil())


def _photo(data: bytes) -> bytes:
    from PIL import Image, ImageOps

    with Image.open(BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > _MOST_PIXELS:
            raise ValueError("too many pixels")
        turned = ImageOps.exif_transpose(opened) or opened
        turned.thumbnail((_LONGEST, _LONGEST))
        return _png(turned)


def _png(image: Any) -> bytes:
    out = BytesIO()
    image.convert("RGB").save(out, format="PNG", optimize=False)
    return out.getvalue()
