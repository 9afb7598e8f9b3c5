"""Budgets: what a run has used, what is reserved, what is left, and when it has to come to an end.

What a call may cost at most is reserved before it is made; so is what a child run may use. Nothing
here looks at a clock: time at work is what the events say, so that a clock that jumps changes
nothing and a replay decides alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from harness.journal.events import BudgetWarned
from harness.journal.parts import BudgetKind, Limits
from harness.values import Usage

__all__ = [
    "Left",
    "Level",
    "Price",
    "Spent",
    "left",
    "remaining_note",
    "share_of",
    "used_up",
    "warnings",
]

Level = Literal["warn", "wrap_up", "stop"]
WARN_AT = Decimal("0.8")
LAST_MINUTES = 0.05
"""Share of the minutes that is kept for wrapping up."""
LEAST_OUTPUT = 256
"""Tokens; with less room an answer is not worth asking for."""
USUAL_OUTPUT = 2_000
"""Tokens that a step writes, at the most, as a rule."""
KINDS: tuple[BudgetKind, ...] = ("tokens", "usd", "steps", "minutes")


@dataclass(kw_only=True, slots=True)
class Spent:
    """What a run has used, its children included.

    Attributes:
        usd: What is known; a part without a price counts nothing.
        priced: Every call had a price.
        seconds: At work: in calls of models and tools, not waiting for people.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)
    priced: bool = True
    steps: int = 0
    seconds: float = 0.0

    def add(self, usage: Usage, *, steps: int = 0, seconds: float = 0.0) -> None:
        """Add what one or more calls have used."""
        self.input_tokens += usage.input_tokens
        self.cached_input_tokens += usage.cached_input_tokens
        self.output_tokens += usage.output_tokens
        if usage.cost_usd is None:
            self.priced = False
        else:
            self.usd += usage.cost_usd
        self.steps += steps
        self.seconds += seconds

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    @property
    def usage(self) -> Usage:
        """As the journal keeps it."""
        return Usage(
            input_tokens=self.input_tokens,
            cached_input_tokens=self.cached_input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.usd if self.priced else None,
        )

    def of(self, kind: BudgetKind) -> Decimal:
        """Return what is used of one budget, in its unit."""
        values = {
            "tokens": Decimal(self.tokens),
            "usd": self.usd,
            "steps": Decimal(self.steps),
            "minutes": Decimal(str(round(self.seconds / 60, 4))),
        }
        return values[kind]


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What is left; None where there is no limit. Never below nothing."""

    tokens: int | None
    usd: Decimal | None
    steps: int | None
    minutes: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What the next call costs.

    Attributes:
        input_tokens: Its input, estimated.
        input_usd: Price of that.
        usual_usd: Price with a usual answer; None where no price is known.
    """

    input_tokens: int
    input_usd: Decimal | None = None
    usual_usd: Decimal | None = None


def left(limits: Limits, spent: Spent, grants: tuple[Limits, ...] = ()) -> Left:
    """Return what is left of the limits after what is spent and what children were granted."""
    tokens, usd, steps, minutes = limits.tokens, limits.usd, limits.steps, limits.minutes
    held_tokens = sum(one.tokens or 0 for one in grants)
    held_usd = sum((one.usd or Decimal(0) for one in grants), Decimal(0))
    held_steps = sum(one.steps or 0 for one in grants)
    return Left(
        tokens=None if tokens is None else max(0, tokens - spent.tokens - held_tokens),
        usd=None if usd is None else max(Decimal(0), usd - spent.usd - held_usd),
        steps=None if steps is None else max(0, steps - spent.steps - held_steps),
        minutes=None if minutes is None else max(0.0, minutes - spent.seconds / 60),
    )


def share_of(rest: Left, share: float) -> Limits:
    """Return a child's limits: its share of what is left; of the time, all: it runs beside."""
    part = min(max(share, 0.01), 1.0)
    return Limits(
        tokens=None if rest.tokens is None else int(rest.tokens * part),
        usd=None if rest.usd is None else rest.usd * Decimal(str(part)),
        steps=None if rest.steps is None else max(1, int(rest.steps * part)),
        minutes=rest.minutes,
    )


def warnings(
    limits: Limits, spent: Spent, rest: Left, price: Price, told: Mapping[BudgetKind, Level]
) -> list[BudgetWarned]:
    """Return what has to be said before the next call, each level of a budget once."""
    found = []
    for kind in KINDS:
        limit = getattr(limits, kind)
        if limit is None:
            continue
        level = _level(kind, Decimal(str(limit)), spent, rest, price)
        if level is not None and _RANK[level] > _RANK[told.get(kind, "none")]:
            found.append(
                BudgetWarned(
                    budget=kind, level=level, used=spent.of(kind), limit=Decimal(str(limit))
                )
            )
    return found


def used_up(stops: BudgetWarned) -> str:
    """Return, in words, that a budget ends the run."""
    kind, used, limit = stops.budget, stops.used, stops.limit
    if kind == "usd":
        return f"The budget of ${limit} has no room for another call: ${used:.4f} is used."
    if kind == "tokens":
        return f"The budget of {limit:,} tokens has no room for another call: {used:,} are used."
    return f"The budget of {limit:,} {kind} is used up."


_RANK = {"none": 0, "warn": 1, "wrap_up": 2, "stop": 3}


def _level(
    kind: BudgetKind, limit: Decimal, spent: Spent, rest: Left, price: Price
) -> Level | None:
    """Return how far a budget is used; a run that has not begun has used none of it."""
    if _is_over(kind, rest, price):
        return "stop"
    if not spent.steps:
        return None
    if _is_last(kind, limit, rest, price):
        return "wrap_up"
    return "warn" if spent.of(kind) >= limit * WARN_AT else None


def _is_over(kind: BudgetKind, rest: Left, price: Price) -> bool:
    """Whether the next call does not fit."""
    if kind == "tokens" and rest.tokens is not None:
        return rest.tokens < price.input_tokens + LEAST_OUTPUT
    if kind == "usd" and rest.usd is not None:
        return price.input_usd is None or rest.usd <= price.input_usd
    if kind == "steps":
        return rest.steps == 0
    return rest.minutes is not None and rest.minutes <= 0


def _is_last(kind: BudgetKind, limit: Decimal, rest: Left, price: Price) -> bool:
    """Whether after the next call there may be no room for another one."""
    if kind == "tokens" and rest.tokens is not None:
        return rest.tokens < 2 * (price.input_tokens + USUAL_OUTPUT)
    if kind == "usd" and rest.usd is not None:
        return price.usual_usd is not None and rest.usd < 2 * price.usual_usd
    if kind == "steps" and rest.steps is not None:
        return rest.steps <= (2 if limit > 4 else 1)
    return rest.minutes is not None and rest.minutes <= float(limit) * LAST_MINUTES


def remaining_note(limits: Limits, rest: Left) -> str:
    """Return what the model is told after each step; nothing where there is no limit."""
    told = []
    if rest.steps is not None:
        told.append(f"{rest.steps:,} of {limits.steps:,} steps")
    if rest.tokens is not None:
        told.append(f"{rest.tokens:,} of {limits.tokens:,} tokens")
    if rest.usd is not None and limits.usd is not None:
        told.append(f"${rest.usd:.2f} of ${limits.usd:.2f}")
    if rest.minutes is not None:
        told.append(f"{rest.minutes:.0f} of {limits.minutes:g} minutes")
    return f"\n\n[Left of the budget: {', '.join(told)}.]" if told else ""
