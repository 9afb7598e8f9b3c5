"""Words found in a text as whole words: `cat sat on` does not stand in `concat sat one`.

Scripts that are written without spaces, or whose particles join the word, have no such edges:
there a quote may begin and end anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

__all__ = ["find_whole"]

_JOINED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf"
    "\u3005-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u9fff\ua000-\ua4cf\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, New Tai Lue, Tai Tham, Japanese, Chinese, Yi and Korean letters."""
_THOUSANDS_AFTER = re.compile(r"[.,][0-9]{3}(?![0-9])")


def find_whole(words: str, text: str, start: int = 0, edges: Container[int] = ()) -> int:
    """Return where the words stand in the text without cutting one of its words, or -1.

    An edge of the words that is no letter or digit (a bracket, a full stop) may touch anything;
    so may a letter touch a digit, as the number of a footnote does.

    Args:
        words: What is looked for; not empty.
        text: The text.
        start: Where to begin.
        edges: Places of the text where a word ends all the same: a hyphen was taken out there.
    """
    at = text.find(words, start)
    while at >= 0:
        end = at + len(words)
        if (at in edges or not _cuts(text, at)) and (end in edges or not _cuts(text, end)):
            return at
        at = text.find(words, at + 1)
    return -1


def _cuts(text: str, place: int) -> bool:
    """Say whether a word or a number goes on from before the place to behind it."""
    before, after = text[place - 1 : place], text[place : place + 1]
    if not before or not after:
        return False
    if before.isdigit() and after in ".,":
        return bool(_THOUSANDS_AFTER.match(text, place))
    if before in ".," and after.isdigit():
        number = text[place - 2 : place - 1].isdigit() if place > 1 else False
        return number and bool(_THOUSANDS_AFTER.match(text, place - 1))
    if before.isdigit() or after.isdigit():
        return before.isdigit() and after.isdigit()
    return _is_letter(before) and _is_letter(after)


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" and not _JOINED.match(char)
