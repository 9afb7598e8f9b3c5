"""Where exactly a quote stands in a text: its first and last character, whatever was typeset."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from harness.tools.quotes import PARTED, SAME, normal
from harness.words.whole import find_whole

__all__ = ["marked"]


def marked(text: str, quote: str) -> tuple[int, int] | None:
    """Return the half-open span of a quote in a text, or None where it does not stand there.

    Args:
        text: As it was read.
        quote: Compared as `QuoteFinder` does: typesetting does not count.
    """
    wanted = normal(quote)
    if not wanted:
        return None
    for joint in (None, "", "-"):
        if joint is not None and not PARTED.search(text):
            break
        shown, places = _mapped(text, joint)
        start = find_whole(wanted, shown)
        if start >= 0:
            return places[start][0], places[start + len(wanted) - 1][1]
    return None


def _mapped(text: str, joint: str | None) -> tuple[str, list[tuple[int, int]]]:
    """Return a text without what typesetting changes, and what each character of it came from."""
    shown: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end, piece in _pieces(text, joint):
        same = unicodedata.normalize("NFKC", piece.translate(SAME)).translate(SAME)
        for sign in same:
            if not sign.isspace():
                shown.append(sign)
                places.append((start, end))
            elif shown and shown[-1] != " ":
                shown.append(" ")
                places.append((start, end))
    return "".join(shown), places


def _pieces(text: str, joint: str | None) -> Iterator[tuple[int, int, str]]:
    """Yield stretches that belong together: a letter with its accents, a word's parting."""
    parted = {} if joint is None else {one.start(): one.end() for one in PARTED.finditer(text)}
    at = 0
    while at < len(text):
        end = parted.get(at, 0)
        if end:
            yield at, end, joint or ""
        else:
            end = at + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            yield at, end, text[at:end]
        at = end
