"""The outcome of a parse kept on disk, so that a document is parsed once for each content."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from harness.domain.references.codes import Code
from harness.domain.references.passages import Piece
from harness.domain.references.structure import Finding

__all__ = ["Outcome", "keep", "kept", "key"]

_VERSION = 1  # counts up with every change to what a document is parsed or cut into
_LOG = logging.getLogger(__name__)

Outcome = tuple[tuple[Piece, ...], tuple[Finding, ...]]


def key(data: bytes, suffix: str) -> str:
    """Return the name under which the parse of these bytes is kept."""
    digest = hashlib.sha256(data)
    digest.update(f"{suffix}\0{_VERSION}".encode())
    return digest.hexdigest()


def kept(cache: Path, name: str) -> Outcome | None:
    """Return what was kept under the name; None where nothing sound was."""
    try:
        content = json.loads((cache / f"{name}.json").read_bytes())
        pieces = [_piece(*row) for row in content["passages"]]
        findings = [_finding(*row) for row in content["findings"]]
    except FileNotFoundError:
        return None
    # Anything may stand in a file that was cut short or damaged: it is written anew.
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        _LOG.debug("parse cache %s is broken: %s", name, error)
        return None
    return tuple(pieces), tuple(findings)


def _piece(text: object, where: object, line: object) -> Piece:
    if isinstance(text, str) and isinstance(where, str) and isinstance(line, int):
        return Piece(text=text, where=where, line=line)
    raise TypeError("not a passage")


def _finding(code: object, message: object, line: object) -> Finding:
    known = next((known for known in get_args(Code) if known == code), None)
    if known and isinstance(message, str) and isinstance(line, int):
        return Finding(code=known, message=message, line=line)
    raise TypeError("not a finding")


def keep(cache: Path, name: str, pieces: Sequence[Piece], findings: Sequence[Finding]) -> None:
    """Keep an outcome, in one step: a reader sees the whole file or none.

    A folder that can't be written costs time at the next parse and nothing else.
    """
    content = {
        "passages": [[piece.text, piece.where, piece.line] for piece in pieces],
        "findings": [[finding.code, finding.message, finding.line] for finding in findings],
    }
    try:
        cache.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name[:16]}-", dir=cache)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False)
            Path(temporary).replace(cache / f"{name}.json")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        _LOG.warning("can't keep parsed documents in %s: %s", cache, error.strerror)
