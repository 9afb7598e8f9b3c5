"""How a run stands while it goes on: the score so far, the cost so far, the time left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal

import anyio

from harness.errors import EvalError
from harness.evals.attempt import Attempt
from harness.values import Usage

__all__ = ["Purse", "Standing", "Tally"]


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


class Purse:
    """What may be spent: a call starts only where those under way leave room for it.

    What one costs is not known before the first has come back, so that one goes alone; after
    that a call is taken to cost as much as the dearest so far.

    Args:
        limit: US dollars; None for no limit.
    """

    def __init__(self, limit: Decimal | None) -> None:
        self.limit = limit
        self.empty = False
        self._spent = Decimal(0)
        self._dearest: Decimal | None = None
        self._under_way = 0
        self._changed = anyio.Event()

    async def allows(self) -> bool:
        """Wait until it is clear whether one more call may start; it has then begun."""
        while self.limit is not None:
            if self.empty:
                return False
            if self._dearest is None:
                if self._under_way == 0:
                    break
            elif self._spent + self._dearest * (self._under_way + 1) <= self.limit:
                break
            elif self._under_way == 0:
                self.empty = True
                self._wake()
                return False
            await self._changed.wait()
        self._under_way += 1
        return True

    def spent(self, usage: Usage | None) -> None:
        """A call is over; without usage it gave no answer.

        Raises:
            EvalError: Its cost is not known, so that no budget can be kept.
        """
        self._under_way -= 1
        if self.limit is not None and usage is not None:
            if usage.cost_usd is None:
                raise EvalError(
                    "The price of this model is not known, so a budget in dollars can't be kept.",
                    "Leave out --budget-usd, and use --limit.",
                )
            self._spent += usage.cost_usd
            self._dearest = max(self._dearest or Decimal(0), usage.cost_usd)
        self._wake()

    def also(self, usage: Usage) -> None:
        """Take off what a judge used."""
        self._spent += usage.cost_usd or Decimal(0)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
