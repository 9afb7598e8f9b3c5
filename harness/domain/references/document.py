"""One document outside a domain folder, as text: a file that belongs to a question."""

from __future__ import annotations

from pathlib import Path

from harness.domain.files import DomainFile, Unusable, decode, read_bytes
from harness.domain.references.files import MAX_BYTES
from harness.domain.references.formats import SUFFIXES
from harness.domain.references.reader import read_pieces
from harness.domain.references.structure import Unreadable
from harness.errors import UsageError

__all__ = ["document_text", "read_document"]


def read_document(path: Path) -> str:
    """Return the text of a document, each stretch under its page, sheet or slide.

    What is no known document format is read as UTF-8 text.

    Raises:
        UsageError: The file can't be read, or has no text; says why and what to do.
    """
    file = DomainFile(name=path.name, path=path)
    try:
        return document_text(file, path.parent.resolve(), None)
    except Unusable as error:
        raise UsageError(f"{path}: {error.problem.message}") from error
    except Unreadable as error:
        raise UsageError(f"{path}: {error.finding.message}") from error


def document_text(file: DomainFile, root: Path, cache: Path | None) -> str:
    """Return the text of a file in a folder; see `read_document`.

    Args:
        file: The file.
        root: The folder that it may not lead out of, resolved.
        cache: Where parsed documents are kept; None to keep nothing.

    Raises:
        Unusable: It may not be opened, or is not UTF-8.
        Unreadable: It is damaged, protected, or has no text.
    """
    if file.ending not in SUFFIXES:
        return decode(file, read_bytes(file, root, limit=MAX_BYTES))
    pieces, findings = read_pieces(file, root, cache)
    if not pieces:
        raise Unreadable(findings[0].code, findings[0].message)
    return "\n\n".join(f"[{one.where}]\n{one.text}" if one.where else one.text for one in pieces)
