"""References read: every document below `references/` becomes passages, or says why not."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from harness.domain.files import DomainFile, Unusable, read_bytes
from harness.domain.references import cache as parses
from harness.domain.references.codes import severity
from harness.domain.references.files import MAX_BYTES, documents
from harness.domain.references.formats import known_suffix, parse
from harness.domain.references.passages import Piece, pieces
from harness.domain.references.structure import Finding, Unreadable
from harness.values import Passage, Place, Problem

__all__ = ["parse_document", "quiet", "read_pieces", "read_references"]

# What their authors tell programmers about a damaged document, we tell the expert ourselves.
_TALKATIVE = ("pypdf", "openpyxl", "markitdown", "mammoth", "pptx")


def read_references(
    folder: Path, *, cache: Path | None = None
) -> tuple[list[Passage], list[Problem]]:
    """Return the passages of all documents below `<folder>/references/`, and what is wrong.

    A document that can't be read is a problem of its own and hides no other.

    Args:
        folder: The domain folder. Without `references/` in it, both lists are empty.
        cache: Where to keep parsed documents from one call to the next; None to keep nothing.
    """
    passages: list[Passage] = []
    problems: list[Problem] = []
    root = folder.resolve()
    for found in documents(root):
        if isinstance(found, Unusable):
            problems.append(found.problem)
            continue
        try:
            texts, findings = read_pieces(found, root, cache)
        except Unusable as error:
            problems.append(error.problem)
        except Unreadable as error:
            problems.append(_problem(found.name, error.finding))
        else:
            problems += [_problem(found.name, finding) for finding in findings]
            passages += _passages(found.name, texts)
    return passages, problems


def read_pieces(file: DomainFile, root: Path, cache: Path | None) -> parses.Outcome:
    """Return the passages of one document of a folder, parsed now or kept, and its findings.

    Raises:
        Unusable: It may not be opened.
        Unreadable: It can't be read; says why and what to do.
    """
    suffix = known_suffix(file)
    data = read_bytes(file, root, limit=MAX_BYTES)
    if not data:
        return (), (_empty(),)
    if cache is None:
        return parse_document(file, data, suffix)
    key = parses.key(data, suffix)
    outcome = parses.kept(cache, key)
    if outcome is None:
        outcome = parse_document(file, data, suffix)
        # An error may be ours, or a library's: it is looked at anew each time.
        if all(severity(finding.code) == "warning" for finding in outcome[1]):
            parses.keep(cache, key, *outcome)
    return outcome


def parse_document(file: DomainFile, data: bytes, suffix: str) -> parses.Outcome:
    """Return the passages of one document, and what is worth a warning.

    Args:
        file: Where it is from.
        data: Its bytes.
        suffix: One of `SUFFIXES`.

    Raises:
        Unreadable: It can't be read; says why and what to do.
        Unusable: It is no text, or not UTF-8.
    """
    try:
        with quiet():
            parsed = parse(file, data, suffix)
    except (Unreadable, Unusable):
        raise
    # The libraries raise almost anything on a damaged document; the others must still be read.
    except Exception as error:
        message = (
            f"This {suffix} document is damaged or unusual, it can't be read "
            f"({type(error).__name__}). Open it, and save or export it anew."
        )
        raise Unreadable("damaged", message) from error
    found = pieces(parsed.sections)
    if not parsed.numbered:
        found = tuple(replace(piece, line=1) for piece in found)
    return found, parsed.findings if found or parsed.findings else (_empty(),)


def _empty() -> Finding:
    message = "This document has no text and is left out. Remove it, or see what is missing."
    return Finding(code="empty-document", message=message)


def _passages(file: str, texts: Iterable[Piece]) -> Iterator[Passage]:
    document = file.removeprefix("references/")
    for number, piece in enumerate(texts, 1):
        yield Passage(
            id=f"{document}#{number}",
            document=document,
            text=piece.text,
            where=piece.where,
            place=Place(file=file, line=piece.line),
        )


def _problem(file: str, finding: Finding) -> Problem:
    return Problem(
        place=Place(file=file, line=finding.line),
        code=finding.code,
        message=finding.message,
        severity=severity(finding.code),
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Libraries keep their warnings to themselves meanwhile."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL + 1)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
