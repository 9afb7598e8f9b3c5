"""The finish gate: quotes have to stand where the answer says, and the domain's checks pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.journal.parts import Citation

__all__ = ["Gated", "gate", "quotes_in"]

_QUOTE = re.compile(
    r"\[\s*([^\[\]\n\"“”„«]{1,300}?)\s*:\s*"
    r"(?:\"((?:[^\"]|\"(?!\s*\]))+)\"|[“„]([^“”„]+)[”“]|«([^«»]+)»)\s*\]"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gated:
    """What the gate found: quotes looked up, and what is wrong, in words."""

    citations: tuple[Citation, ...] = ()
    problems: tuple[str, ...] = ()


def quotes_in(answer: str) -> list[tuple[str, str]]:
    """Return the quotes of an answer, `[source: "quote"]`, as source and words; each once."""
    found = [
        (match[1].strip(), match[2] or match[3] or match[4]) for match in _QUOTE.finditer(answer)
    ]
    return list(dict.fromkeys(found))


def gate(
    answer: str,
    find_quote: Callable[[str, str], Citation | None] | None,
    check: Callable[[str], Sequence[str]] | None,
) -> Gated:
    """Check an answer.

    Args:
        answer: Its text.
        find_quote: Looks up a quote; None for a source that is not there.
        check: Returns what is wrong with the answer, in words.
    """
    citations: list[Citation] = []
    problems: list[str] = []
    for source, quote in quotes_in(answer) if find_quote else ():
        citation = find_quote(source, quote) if find_quote else None
        if citation is None:
            problems.append(f"There is no source “{source}”, which is quoted for “{quote}”.")
            citation = Citation(document=source, quote=quote)
        elif not citation.verified:
            problems.append(f"“{quote}” does not stand in {citation.document} word for word.")
        citations.append(citation)
    problems += list(check(answer)) if check else []
    return Gated(citations=tuple(citations), problems=tuple(problems))
