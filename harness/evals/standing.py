"""How a run stands while it goes on: the score so far, the cost so far, the time left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal

from harness.evals.attempt import Attempt

__all__ = ["Standing", "Tally"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a run is.

    Attributes:
        done: Attempts that are done.
        total: All there are.
        score: Share of the scored attempts that passed; None without any.
        unscored: Attempts that could not be scored.
        cost_usd: Of the answers so far; None where one is not known.
        seconds_left: At the pace so far; None before anything is done.
        jobs: How many may be under way now.
    """

    done: int
    total: int
    score: float | None
    unscored: int
    cost_usd: Decimal | None
    seconds_left: float | None
    jobs: int


@dataclass(kw_only=True)
class Tally:
    """Counts attempts as they come in."""

    total: int
    done: int = 0
    passed: int = 0
    scored: int = 0
    cost: Decimal | None = Decimal(0)
    started: float = field(default_factory=time.monotonic)

    def add(self, attempt: Attempt) -> None:
        """Count one more."""
        self.done += 1
        passed = attempt.passed
        if passed is not None:
            self.scored += 1
            self.passed += passed
        if attempt.text is not None:
            usages = [attempt.usage, *(one.usage for one in attempt.grades if one.usage)]
            costs = [usage.cost_usd for usage in usages if usage is not None]
            known = [cost for cost in costs if cost is not None]
            if self.cost is None or len(known) < len(costs):
                self.cost = None
            else:
                self.cost += sum(known, Decimal(0))

    def standing(self, jobs: int) -> Standing:
        """Return how it stands."""
        passed = time.monotonic() - self.started
        left = passed / self.done * (self.total - self.done) if self.done else None
        return Standing(
            done=self.done,
            total=self.total,
            score=self.passed / self.scored if self.scored else None,
            unscored=self.done - self.scored,
            cost_usd=self.cost,
            seconds_left=left,
            jobs=jobs,
        )
