r"""Where an answer says "here it is": after `Answer:`, in `\boxed{}`, on its last line.

Models wrap the one thing asked for in prose and Markdown. Readers of labels and numbers look
at the same few places, so they are found here, once.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["after_markers", "fold", "lines_of", "plain"]

_EMPHASIS = re.compile(r"\*\*|__|`+")
_ITALIC = re.compile(r"(?<![\w_])_(?=\S)([^_\n]{1,400})(?<=\S)_(?![\w_])")
_BOXED = re.compile(r"\\boxed\{([^{}\n]{0,400})\}")
_LINE = re.compile(r"\S[^\n]*")
_MARKER = r"""(?imx)
    ^[^\w\n]{0,12}                                   # heading marks, quotes, braces
    (?:(?:the|my)[ ])?(?:(?:final|best|correct)[ ])?
    (?:%s)\b["'*_`]*
    (?:[ ]*[:=]|[ ]is\b[ ]*:?)                       # `Answer:`, `answer = `, `The answer is`
    [ \t]*(?P<value>[^\n]*)$
"""


def plain(text: str) -> str:
    """Return the text without Markdown emphasis and code marks, line ends as LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _EMPHASIS.sub("", text)
    return _ITALIC.sub(r"\1", text)


def fold(text: str) -> str:
    """Return the text in Unicode NFC, every run of white space one space, ends stripped."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def lines_of(text: str) -> list[str]:
    """Return the lines that hold anything besides white space and code fences, stripped."""
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("```")]


def after_markers(text: str, *names: str) -> list[str]:
    """Return what stands after each marker line, in order of the text.

    A marker with nothing after it on its own line speaks of the next line that holds anything.

    Args:
        text: The answer, as `plain` gives it.
        names: Words that mark: `answer`, `label`.
    """
    pattern = re.compile(_MARKER % "|".join(map(re.escape, names)))
    found = [
        (match.start(), match["value"].strip(), match.end()) for match in pattern.finditer(text)
    ]
    values = [(start, value or _next_line(text, end)) for start, value, end in found]
    values += [(match.start(), match[1].strip()) for match in _BOXED.finditer(text)]
    return [value for _, value in sorted(values) if value]


def _next_line(text: str, start: int) -> str:
    match = _LINE.search(text, start)
    return match[0].strip() if match else ""
