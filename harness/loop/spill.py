"""Spilling: of a long tool output the model sees head and tail; the rest goes to a file."""

from __future__ import annotations

from dataclasses import dataclass

from harness.seams import Counter

__all__ = ["Spilled", "spill"]

MOST_TOKENS = 10_000
SURELY_LESS = 10_000
"""Bytes; a token has at least one."""
SURELY_MORE = 400_000
"""Characters; above this, nothing is counted."""
HEAD, TAIL = 12_000, 4_000
"""Characters that stay."""
MOST_KEPT = 20_000_000
"""Characters of the full text that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spilled:
    """A long text in parts.

    Attributes:
        head: Its beginning.
        tail: Its end.
        full: All of it, as far as it is kept.
        characters: How many it had.
    """

    head: str
    tail: str
    full: str
    characters: int

    def shown(self, where: str) -> str:
        """Return what the model sees.

        Args:
            where: Where the full text is, in words.
        """
        cut = self.characters - len(self.head) - len(self.tail)
        kept = "" if len(self.full) == self.characters else f" (its first {len(self.full):,})"
        return (
            f"{self.head}\n\n[… {cut:,} of {self.characters:,} characters are cut out here; "
            f"the full text{kept} is {where} …]\n\n{self.tail}"
        )


def spill(text: str, counter: Counter) -> Spilled | None:
    """Return a text in parts if it is too long to be shown whole, else None."""
    if len(text) <= SURELY_LESS // 4:
        return None
    if len(text) <= SURELY_MORE and counter.count(text) <= MOST_TOKENS:
        return None
    return Spilled(head=text[:HEAD], tail=text[-TAIL:], full=text[:MOST_KEPT], characters=len(text))
