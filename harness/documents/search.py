"""Words found within a document, over line ends and hyphens, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.documents.places import Document
from harness.errors import DocumentError

__all__ = ["Hit", "search"]

_AROUND = 160  # characters shown before and after
_SECONDS = 20.0
_FOLD = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A place where the words stand, with what is around them."""

    where: str
    words: str


def search(document: Document, pattern: str, *, regex: bool = False) -> Iterator[Hit]:
    """Yield where words stand in a document, in its order.

    Capital and small letters count as the same, as do the forms of quotes and dashes; words may
    be parted by a line's end, with or without a hyphen.

    Args:
        document: Where to look.
        pattern: The words; with `regex`, a regular expression as in Python.
        regex: Read the pattern as one.

    Raises:
        DocumentError: The pattern is empty, can't be read, or takes too long.
    """
    import regex as engine

    compiled = _compiled(pattern, regex=regex)
    for number in range(len(document)):
        part = document.part(number)
        text = part.text.translate(_FOLD)
        try:
            for found in compiled.finditer(text, timeout=_SECONDS):
                if found.end() > found.start():
                    words = _around(part.text, found.start(), found.end())
                    yield Hit(where=part.where, words=words)
        except TimeoutError as error:
            raise DocumentError(
                f"The pattern {pattern!r} took longer than {_SECONDS:g} seconds on {part.where}.",
                "Write one without nested repetitions.",
            ) from error
        except engine.error as error:
            raise DocumentError(f"The pattern {pattern!r} can't be used ({error}).") from error


def _compiled(pattern: str, *, regex: bool) -> Any:
    import regex as engine

    folded = pattern.translate(_FOLD)
    words = folded.split()
    if not words:
        raise DocumentError("There is nothing to look for.", "Give the words.")
    if not regex:
        # A word may be parted at any letter by a hyphen and a line's end.
        parted = [r"(?:-\n)?".join(map(engine.escape, word)) for word in words]
        folded = r"\s+".join(parted)
    try:
        return engine.compile(folded, engine.IGNORECASE)
    except engine.error as error:
        raise DocumentError(
            f"The pattern {pattern!r} is no regular expression ({error}).",
            "Leave `regex` out to look for it word for word.",
        ) from error


def _around(text: str, start: int, end: int) -> str:
    first, last = max(start - _AROUND, 0), min(end + _AROUND, len(text))
    words = " ".join(text[first:last].split())
    return f"{'…' if first else ''}{words}{'…' if last < len(text) else ''}"
