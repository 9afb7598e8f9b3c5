"""One document outside a domain folder, as text: a file that belongs to a question."""

from __future__ import annotations

from pathlib import Path

from harness.domain.files import DomainFile, Unusable, decode, read_bytes
from harness.domain.references.files import MAX_BYTES
from harness.domain.references.formats import SUFFIXES
from harness.domain.references.reader import parse_document
from harness.domain.references.structure import Unreadable
from harness.errors import UsageError

__all__ = ["read_document"]


def read_document(path: Path) -> str:
    """Return the text of a document, each stretch under its page, sheet or slide.

    What is no known document format is read as UTF-8 text.

    Raises:
        UsageError: The file can't be read, or has no text; says why and what to do.
    """
    file = DomainFile(name=path.name, path=path)
    try:
        data = read_bytes(file, path.parent.resolve(), limit=MAX_BYTES)
        if file.ending not in SUFFIXES:
            return decode(file, data)
        pieces, findings = parse_document(file, data, file.ending)
    except Unusable as error:
        raise UsageError(f"{path}: {error.problem.message}") from error
    except Unreadable as error:
        raise UsageError(f"{path}: {error.finding.message}") from error
    if not pieces:
        why = findings[0].message if findings else "This document has no text."
        raise UsageError(f"{path}: {why}")
    return "\n\n".join(f"[{one.where}]\n{one.text}" if one.where else one.text for one in pieces)
