"""What a file is, by what stands in it; its name only decides between kinds of text."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import PurePosixPath

from harness.documents.places import Kind
from harness.domain.references.office import check_package
from harness.domain.references.structure import Unreadable
from harness.errors import DocumentError

__all__ = ["PICTURES", "decoded", "kind_of"]

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".heic")
_TEXTS: dict[str, Kind] = {
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".tsv": "csv",
}
_PACKAGES: dict[str, Kind] = {"word/": "docx", "xl/": "xlsx", "ppt/": "pptx"}
_SIGNS = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"{\\rtf", "an RTF document; save it as .docx"),
    (b"\x1f\x8b", "a compressed file; unpack it first"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
)
_SAVE_AS = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx"}
_MACROS = "It has macros. They were not run; only its text was read."
_PICTURE = "A picture has no text that could be read."
_LOOK = "Look at it with `look_at_pages` if you can see pictures, or ask for its text."


def kind_of(name: str, data: bytes) -> tuple[Kind, tuple[str, ...]]:
    """Return what a file is, and what has to be said about that.

    Raises:
        DocumentError: It is nothing that has text, is protected, damaged, or made to do harm.
    """
    ending = PurePosixPath(name).suffix.lower()
    if not data:
        raise DocumentError(f"`{name}` is empty: it has not one byte.")
    if b"%PDF-" in data[:1024]:
        return _told(ending, "pdf", ".pdf")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        return _package(name, ending, data)
    for sign, what in _SIGNS:
        if data.startswith(sign):
            picture = what == "a picture"
            raise DocumentError(
                f"`{name}` is {what}." + (f" {_PICTURE}" if picture else ""),
                _LOOK if picture else "",
            )
    if ending in (".pdf", ".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm"):
        raise DocumentError(
            f"`{name}` is no {ending} document, whatever its name says, or it is damaged.",
            "Ask for it to be saved or sent anew.",
        )
    if ending in PICTURES:
        raise DocumentError(f"`{name}` is a picture, or was one. {_PICTURE}", _LOOK)
    return _TEXTS.get(ending, "txt"), ()


def _told(ending: str, kind: Kind, *endings: str) -> tuple[Kind, tuple[str, ...]]:
    if ending in endings:
        return kind, ()
    return kind, (f"Its name ends in {ending or 'nothing'}, but it is a {kind} document.",)


def _package(name: str, ending: str, data: bytes) -> tuple[Kind, tuple[str, ...]]:
    """Tell the Office documents apart."""
    try:
        check_package(data, _SAVE_AS.get(ending, ending if ending[:4] != ".zip" else ".docx"))
        with zipfile.ZipFile(BytesIO(data)) as package:
            names = package.namelist()
    except Unreadable as error:
        raise DocumentError(f"`{name}`: {error.finding.message}") from error
    for folder, kind in _PACKAGES.items():
        if any(one.startswith(folder) for one in names):
            macro = any(one.endswith("vbaProject.bin") for one in names)
            found, notes = _told(ending, kind, f".{kind}", f".{kind[:-1]}m")
            return found, (*notes, _MACROS) if macro else notes
    if "mimetype" in names and any(one == "content.xml" for one in names):
        mend = "Save it as .docx, .xlsx or .pptx, or export it as .pdf."
        raise DocumentError(f"`{name}` is an OpenDocument file.", mend)
    raise DocumentError(f"`{name}` is a zip file, not a document.", "Unpack it first.")


def decoded(name: str, data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return a text file's text, and what was taken for granted to read it.

    Raises:
        DocumentError: It is no text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16")):
        if data.startswith(mark) or (encoding == "utf-16" and data.startswith(b"\xfe\xff")):
            return data.decode(encoding, "replace"), ()
    controls = sum(data.count(bytes([code])) for code in range(32) if code not in b"\t\n\f\r\x1b")
    if controls > len(data) // 50:
        raise DocumentError(f"`{name}` is not text, and no document that can be read.")
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        note = "It is not UTF-8 and was read as Windows-1252: check letters with accents."
        return data.decode("cp1252", "replace"), (note,)
