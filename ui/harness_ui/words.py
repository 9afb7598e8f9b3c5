"""Texts of other people on a page: shown as they are, never obeyed as markup."""

from __future__ import annotations

import difflib
import re
from decimal import Decimal

__all__ = [
    "cost_words",
    "count",
    "diff_markdown",
    "model_markdown",
    "plain",
    "short",
    "since",
    "size",
]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")
_ICON = re.compile(r":(?=[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_]+)?:)")
_COLOUR = re.compile(r":(?=[a-z]+(?:-[a-z]+)*\[)")
JOINER = "\u2060"
"""Breaks the name of an icon without being seen: Streamlit heeds no backslash before those."""


def plain(text: str) -> str:
    """Return Markdown that shows a text as it was written, line breaks and all."""
    escaped = _SPECIAL.sub(r"\\\1", _ICON.sub(":" + JOINER, text))
    lines = escaped.split("\n")
    shown = (re.sub("^[ \t]+", lambda lead: "\u00a0" * len(lead[0]), line) for line in lines)
    return "  \n".join(line or "\u00a0" for line in shown) if len(lines) > 1 else escaped


def model_markdown(text: str) -> str:
    """Return a model's Markdown without what would turn into formulas, icons or pictures."""
    text = text.replace("$", r"\$")
    text = re.sub(r"!\[", r"\\![", text)
    return _COLOUR.sub(r"\\:", _ICON.sub(":" + JOINER, text))


def short(text: str, width: int = 80) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def count(number: int, what: str) -> str:
    """Return a number with its noun."""
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"


def cost_words(cost: Decimal | None) -> str:
    """Return a cost in US dollars in words; the sign is escaped for Markdown."""
    if cost is None:
        return "cost unknown"
    return rf"\${cost:.4f}" if cost else "no cost"


def size(number: int) -> str:
    """Return a number of bytes."""
    if number < 1024:
        return count(number, "byte")
    return f"{number / 1024:,.0f} KB" if number < 1024**2 else f"{number / 1024**2:,.1f} MB"


def since(seconds: float) -> str:
    """Return a time that has gone by."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def diff_markdown(before: str, after: str) -> str:
    """Return what was taken away struck through, and what came in bold, by words."""
    old, new = (re.findall(r"\s+|[^\s]+", text) for text in (before, after))
    parts = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        if kind == "equal":
            parts.append(plain(gone))
            continue
        if gone.strip():
            parts.append(f" :red-background[~~{plain(gone.strip())}~~] ")
        if come.strip():
            parts.append(f" :green-background[**{plain(come.strip())}**] ")
    return "".join(parts)
