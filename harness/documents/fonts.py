"""The fonts that come along, and what of a text they can't show."""

from __future__ import annotations

import bisect
import functools
import json
import unicodedata
from pathlib import Path

__all__ = ["FOLDER", "families", "uncovered"]

FOLDER = Path(__file__).parents[1] / "data" / "fonts"
_COVERAGE = FOLDER / "coverage.json"
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn")


@functools.cache
def _coverage() -> tuple[list[str], list[int], list[int]]:
    content = json.loads(_COVERAGE.read_bytes())
    starts, ends = zip(*content["ranges"], strict=True)
    return content["families"], list(starts), list(ends)


def families() -> list[str]:
    """Return the names of the fonts, in the order in which a character is looked for."""
    return _coverage()[0]


def uncovered(text: str) -> str:
    """Return, in words, what of a text no font that comes along can show; empty for nothing.

    Word files are not concerned: Word takes what fonts the reader's machine has.
    """
    _, starts, ends = _coverage()
    missing = [one for one in sorted(set(text)) if not _known(ord(one), starts, ends)]
    missing = [one for one in missing if unicodedata.category(one) not in _INVISIBLE]
    if not missing:
        return ""
    shown = ", ".join(f"U+{ord(one):04X} {_name(one)}" for one in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return (
        f"No font for: {shown}{more}."
        " They stand as empty boxes in the PDF; in a Word file the reader's fonts show them."
    )


def _known(code: int, starts: list[int], ends: list[int]) -> bool:
    at = bisect.bisect_right(starts, code) - 1
    return at >= 0 and code <= ends[at]


def _name(character: str) -> str:
    return unicodedata.name(character, "unnamed").lower()
