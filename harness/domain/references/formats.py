"""Which parser reads which ending, and what to do with a document of another one."""

from __future__ import annotations

from harness.domain.files import DomainFile, decode
from harness.domain.problems import did_you_mean
from harness.domain.references.markdown import blocks, sections
from harness.domain.references.structure import (
    Parsed,
    Section,
    Unreadable,
    tidied,
)

__all__ = ["SUFFIXES", "known_suffix", "parse"]

SUFFIXES = {
    ".md": ".md",
    ".markdown": ".md",
    ".txt": ".txt",
    ".html": ".html",
    ".htm": ".html",
    ".pdf": ".pdf",
    ".docx": ".docx",
    ".xlsx": ".xlsx",
    ".pptx": ".pptx",
}
"""Every ending that can be read, and the one that names its format."""

_CONVERT = {
    ".csv": ".xlsx",
    ".doc": ".docx",
    ".docm": ".docx",
    ".epub": ".pdf",
    ".eml": ".pdf",
    ".gif": ".pdf",
    ".jpeg": ".pdf",
    ".jpg": ".pdf",
    ".json": ".txt",
    ".jsonl": ".txt",
    ".key": ".pptx",
    ".msg": ".pdf",
    ".numbers": ".xlsx",
    ".odp": ".pptx",
    ".ods": ".xlsx",
    ".odt": ".docx",
    ".pages": ".docx",
    ".png": ".pdf",
    ".ppt": ".pptx",
    ".pptm": ".pptx",
    ".rst": ".md",
    ".rtf": ".docx",
    ".tif": ".pdf",
    ".tiff": ".pdf",
    ".tsv": ".xlsx",
    ".xls": ".xlsx",
    ".xlsb": ".xlsx",
    ".xlsm": ".xlsx",
    ".xml": ".txt",
    ".yaml": ".md",
    ".yml": ".md",
}
_PICTURES = {".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}
_KNOWN = "md, txt, html, pdf, docx, xlsx and pptx"


def known_suffix(file: DomainFile) -> str:
    """Return the ending that names the document's format: `.md` also for `X.MARKDOWN`.

    Raises:
        Unreadable: There is no parser for it; says what to do.
    """
    suffix = file.ending
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if not suffix:
        message = f"This file has no ending that says what it is. Add one: {_KNOWN} can be read."
    elif suffix in _PICTURES:
        message = (
            f"Pictures can't be read. Run OCR on it and save it as .pdf; {_KNOWN} can be read."
        )
    elif suffix in _CONVERT:
        message = f"{suffix} can't be read. Save it as {_CONVERT[suffix]}; {_KNOWN} can be read."
    else:
        meant = did_you_mean(suffix, SUFFIXES, cutoff=65)
        message = f"{suffix} can't be read.{meant} Of documents, {_KNOWN} can be read."
    raise Unreadable("unsupported-format", message)


def parse(file: DomainFile, data: bytes, suffix: str) -> Parsed:
    """Take a document apart.

    Args:
        file: Where it is from.
        data: Its bytes.
        suffix: One of `SUFFIXES`.

    Raises:
        Unreadable: It can't be read; says why and what to do.
        Unusable: It is no text, or not UTF-8.
        Exception: The libraries below raise what they like on a damaged document.
    """
    # Each parser's libraries are loaded only for a document that needs them.
    suffix = SUFFIXES[suffix]
    match suffix:
        case ".md":
            return Parsed(sections=sections(tidied(decode(file, data))))
        case ".txt":
            return Parsed(sections=(Section(where="", blocks=blocks(tidied(decode(file, data)))),))
        case ".html":
            from harness.domain.references.office import parse_html

            return parse_html(tidied(decode(file, data)))
        case ".pdf":
            from harness.domain.references.pdf import parse_pdf

            return parse_pdf(data)
    from harness.domain.references import office, spreadsheet

    office.check_package(data, suffix)
    if suffix == ".xlsx":
        return spreadsheet.parse_xlsx(data)
    return office.parse_docx(data) if suffix == ".docx" else office.parse_pptx(data)
