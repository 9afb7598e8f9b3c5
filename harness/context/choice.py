"""What a policy chose for the tail, and why it left out the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Choice"]


@dataclass(kw_only=True)
class Choice:
    """What a policy chose.

    Attributes:
        kept: Rows, in order of choice.
        dropped: Why each other candidate is not there.
        tokens: Of what was kept.
    """

    kept: list[int] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)
    tokens: int = 0

    def take(self, row: int, tokens: int, budget: int) -> bool:
        """Keep a row of so many tokens if it fits into the budget; say whether it did."""
        if self.tokens + tokens > budget:
            self.dropped[row] = "does not fit"
            return False
        self.kept.append(row)
        self.tokens += tokens
        return True
