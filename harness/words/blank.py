"""Texts that show nothing: white space, and characters that no one sees."""

from __future__ import annotations

import unicodedata

__all__ = ["is_blank"]

_UNSEEN = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)),
    )
)
"""Signs that Unicode counts among letters, marks or signs, and that are drawn as nothing: joiners,
fillers, variation selectors, tags (Default_Ignorable_Code_Point), the empty Braille pattern."""


def is_blank(text: str) -> bool:
    """Say whether a text has nothing that can be seen.

    White space, control and format characters (zero-width space, byte order mark, word joiner,
    soft hyphen, marks of direction) and variation selectors can't be.
    """
    return all(
        char.isspace() or unicodedata.category(char) in ("Cc", "Cf") or ord(char) in _UNSEEN
        for char in text
    )
