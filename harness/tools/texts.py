"""Files of a workspace as text: what the model reads, and how it goes back into the file."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.domain.files import DomainFile, Unusable, decode
from harness.errors import WorkspaceError

if TYPE_CHECKING:
    from harness.domain.references.passages import Piece
    from harness.seams import Workspace

__all__ = ["PARSED", "PlainText", "Texts", "digest_of", "pieces_of"]

PARSED = (".pdf", ".docx", ".xlsx", ".pptx", ".html", ".htm")
"""Endings of documents whose text is taken out of them: they can be read, not written as text."""
KEPT_TEXTS = 16


def digest_of(content: bytes) -> str:
    """Return the SHA-256 by which a content is known."""
    return hashlib.sha256(content).hexdigest()


def ending_of(path: str) -> str:
    """Return a path's ending in lower case, with its dot."""
    return PurePosixPath(path).suffix.lower()


def pieces_of(path: str, content: bytes) -> tuple[Piece, ...]:
    """Return the passages of a document, each with its page, sheet or heading.

    Raises:
        WorkspaceError: It can't be read, or has no text; says why.
    """
    from harness.domain.references.reader import parse_document
    from harness.domain.references.structure import Unreadable

    ending = ending_of(path)
    suffix = {".htm": ".html", ".markdown": ".md"}.get(ending, ending)
    file = DomainFile(name=path, path=Path(path))
    try:
        found, findings = parse_document(
            file, content, suffix if suffix in (*PARSED, ".md") else ".txt"
        )
    except Unusable as error:
        raise WorkspaceError(error.problem.message) from error
    except Unreadable as error:
        raise WorkspaceError(f"`{path}`: {error.finding.message}") from error
    if not found and findings:
        raise WorkspaceError(f"`{path}`: {findings[0].message}")
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainText:
    """A text file, with what has to be put back when it is written.

    Attributes:
        text: With plain line ends.
        mark: It begins with a byte order mark.
        windows: Its lines end as on Windows.
    """

    text: str = ""
    mark: bool = False
    windows: bool = False

    @classmethod
    def of(cls, path: str, content: bytes) -> PlainText:
        """Take a file's content apart.

        Raises:
            WorkspaceError: It is no text in UTF-8.
        """
        try:
            text = decode(DomainFile(name=path, path=Path(path)), content)
        except Unusable as error:
            raise WorkspaceError(error.problem.message) from error
        ends = text.count("\r\n")
        windows = ends > 0 and ends == text.count("\n")
        plain = text.replace("\r\n", "\n") if windows else text
        return cls(text=plain, mark=content.startswith(b"\xef\xbb\xbf"), windows=windows)

    def content(self, text: str) -> bytes:
        """Return the bytes of another text in this file's form.

        Raises:
            WorkspaceError: It has half characters (lone surrogates).
        """
        if self.windows:
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        try:
            return (b"\xef\xbb\xbf" if self.mark else b"") + text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise WorkspaceError(
                f"Character {error.start + 1} of the text is half of one (a lone surrogate).",
                "Write it whole.",
            ) from error


class Texts:
    """Reads files of a workspace as text; a document is taken apart once.

    Args:
        workspace: Where they are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._parsed: OrderedDict[tuple[str, str], str] = OrderedDict()

    def read(self, path: str) -> tuple[str, str]:
        """Return the text of a file, and the SHA-256 of its content.

        Raises:
            WorkspaceError: It can't be read as text; says why.
        """
        content = self.workspace.read(path)
        digest = digest_of(content)
        if ending_of(path) not in PARSED:
            return PlainText.of(path, content).text, digest
        key = (ending_of(path), digest)
        if key not in self._parsed:
            pieces = pieces_of(path, content)
            self._parsed[key] = "\n\n".join(
                f"[{one.where}]\n{one.text}" if one.where else one.text for one in pieces
            )
            while len(self._parsed) > KEPT_TEXTS:
                self._parsed.popitem(last=False)
        return self._parsed[key], digest
