"""How a token budget is divided among the sections of a context, from the top down."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.domain import SectionSize
    from harness.values import Section

__all__ = ["Room"]

PERCENT: Mapping[Section, int] = {
    "instructions": 10,
    "core": 25,
    "references": 15,
    "passages": 20,
    "demonstrations": 25,
}
SLACK = 5
"""Kept for the question; what it needs above this, the passages lack, then the demonstrations."""
WHOLE = 100 - PERCENT["passages"] - SLACK
"""A bank that, with the instructions, fits into this much stands in the stable part whole."""


@dataclass(frozen=True)
class Room:
    """What is left of a budget at one point of the context.

    What a share leaves flows down to the next share. A section given in tokens neither gives
    nor receives. Instructions and rules share one starting share, and are never cut: what they
    need above it, the next shares lack.

    Attributes:
        budget: Tokens of everything.
        sizes: Sections that differ from the starting shares.
        used: Tokens that stand in the context already.
        flow: What the shares above left; below zero, what was taken from those below.
    """

    budget: int
    sizes: Mapping[Section, SectionSize]
    used: int = 0
    flow: int = 0

    def after(self, section: Section, tokens: int) -> Room:
        """Return the room after a section that uses so many tokens."""
        absolute = section in self.sizes and self.sizes[section].tokens is not None
        return self._with(tokens, 0 if absolute else self._share(section) - tokens)

    def after_question(self, tokens: int) -> Room:
        """Return the room that is left for the tail, after the question."""
        return self._with(tokens, min(0, self.budget * SLACK // 100 - tokens))

    def most(self, section: Section) -> int:
        """Return the most tokens that a section may use here."""
        size = self.sizes.get(section)
        wanted = size.tokens if size and size.tokens is not None else None
        if wanted is None:
            wanted = self._share(section) + self.flow
        return max(0, min(wanted, self.left))

    @property
    def left(self) -> int:
        """Tokens of the budget that nothing uses yet."""
        return max(0, self.budget - self.used)

    def holds_whole(self, tokens: int) -> bool:
        """Say whether a bank of that many tokens may stand in the stable part as a whole."""
        return not self.sizes and self.used + tokens <= self.budget * WHOLE // 100

    def _with(self, used: int, flow: int) -> Room:
        return dataclasses.replace(self, used=self.used + used, flow=self.flow + flow)

    def _share(self, section: Section) -> int:
        size = self.sizes.get(section)
        if size is None:
            return self.budget * PERCENT.get(section, 0) // 100
        return int(self.budget * size.share) if size.share is not None else size.tokens or 0
