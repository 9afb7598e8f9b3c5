"""What may be spent: an answer, or judging one, starts only where what is under way leaves room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import anyio

from harness.errors import EvalError
from harness.evals.graders import Grade, Work
from harness.values import EvalCase, Usage

__all__ = ["NO_JUDGING", "Estimate", "Judging", "Purse", "Spent", "spent_on", "unknown_price"]

NOTHING = Decimal(0)
BOTH_ORDERS = 2
"""Calls of a judge that compares two answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """What judging one answer takes.

    Attributes:
        calls: Of the judge, none asked again.
        price: US dollars that one of them is thought to cost.
    """

    calls: int = 0
    price: Decimal = NOTHING


NO_JUDGING = Judging()


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What earlier sittings of a run spent, in US dollars.

    Attributes:
        usd: All of it.
        answer: The dearest answer; None where none has a price.
        verdict: The dearest call of a judge, the mean of each grade; None without any.
    """

    usd: Decimal = NOTHING
    answer: Decimal | None = None
    verdict: Decimal | None = None


def spent_on(works: Iterable[Work], grades: Iterable[Grade]) -> Spent:
    """Return what answers and their grades have cost.

    A judge that failed half-way does not say: it counts as if it had not failed.
    """
    answers = [work.cost_usd for work in works if work.cost_usd is not None]
    judged = [
        (one.usage, len(one.parts) or BOTH_ORDERS)
        for one in grades
        if one.usage is not None and (one.usage.cost_usd is not None or one.usage.input_tokens)
    ]
    verdicts = [usage.cost_usd / calls for usage, calls in judged if usage.cost_usd is not None]
    verdict = max(verdicts, default=None)
    costs = [
        (verdict or NOTHING) * calls if usage.cost_usd is None else usage.cost_usd
        for usage, calls in judged
    ]
    return Spent(
        usd=sum(answers, NOTHING) + sum(costs, NOTHING),
        answer=max(answers, default=None),
        verdict=verdict,
    )


Estimate = Callable[[EvalCase, Work | None], Judging]
"""Called with a case and its answer, None where that is still to come."""


def unknown_price(model: str) -> EvalError:
    """Return what to say of a model under a budget that can't be kept."""
    return EvalError(
        f"The price of {model} is not known, so a budget in dollars can't be kept.",
        "Leave out --budget-usd, and use --limit.",
    )


class Purse:
    """What may be spent, on answers and on judging them.

    What an answer costs is not known before the first has come back, so that one goes alone;
    after that each is taken to cost as much as the dearest so far. So is each call of a judge: the
    first answer that is judged goes alone, and has to have room for what was estimated. An answer
    starts only where there is room for judging it, too.

    Args:
        limit: US dollars; None for no limit.
        spent: What earlier sittings spent of them.
    """

    def __init__(self, limit: Decimal | None, spent: Spent | None = None) -> None:
        before = spent or Spent()
        self.limit = limit
        self.empty = False
        self._spent = before.usd
        self._dearest = before.answer
        self._verdict = before.verdict  # the dearest call of a judge
        self._estimate = NOTHING
        self._answers = 0  # under way
        self._promised = 0  # calls of the judge, on the answers under way or just there
        self._judging = 0  # calls of the judge under way
        self._changed = anyio.Event()

    @property
    def untouched(self) -> bool:
        """Nothing of it was spent."""
        return self._spent == 0

    async def allows(self, judging: Judging = NO_JUDGING) -> bool:
        """Wait until it is clear whether one more answer may start; it has then begun.

        Args:
            judging: What judging it will take.
        """
        while self.limit is not None:
            if self.empty:
                return False
            calls = self._judging + self._promised + judging.calls
            answers = self._answers + 1
            fits = self._fits(answers, calls, judging)
            if fits and (self._dearest is not None or self._answers == 0):
                break
            if not (fits or self._answers or self._promised or self._judging):
                return self._used_up()
            await self._changed.wait()
        self._answers += 1
        self._promised += judging.calls
        return True

    def answered(self, usage: Usage | None, judging: Judging = NO_JUDGING) -> None:
        """An answer is over; without usage there is none, and it is not judged.

        After one whose price is not known, nothing more is asked.
        """
        self._answers -= 1
        if usage is None:
            self._promised -= judging.calls
        elif usage.cost_usd is None:
            self.empty = self.limit is not None
        else:
            self._spent += usage.cost_usd
            self._dearest = max(self._dearest or NOTHING, usage.cost_usd)
        self._wake()

    async def judges(self, judging: Judging, *, promised: int) -> bool:
        """Wait until it is clear whether an answer may be judged; that has then begun.

        Args:
            judging: What it takes, now that the answer is there.
            promised: Calls that were foreseen when the answer began.
        """
        begins = await self._room_for(judging)
        self._promised -= promised  # until now, so that no new answer took the room for it
        if begins:
            self._judging += judging.calls
        return begins

    async def _room_for(self, judging: Judging) -> bool:
        while self.limit is not None and judging.calls:
            if self.empty:
                return False
            fits = self._fits(self._answers, self._judging + judging.calls, judging)
            if fits and (self._verdict is not None or self._judging == 0):
                break
            if not (fits or self._answers or self._judging):
                return self._used_up()
            await self._changed.wait()
        return True

    def judged(self, usage: Usage | None, judging: Judging) -> None:
        """Judging is over.

        What a judge that failed half-way used is not known: it counts as if it had not failed.
        """
        self._judging -= judging.calls
        if usage is not None and usage.cost_usd is not None:
            self._spent += usage.cost_usd
            if judging.calls:
                dearest = usage.cost_usd / judging.calls
                self._verdict = max(self._verdict or NOTHING, dearest)
        elif usage is not None and usage.input_tokens:
            self._spent += judging.calls * self._price(judging)
        self._wake()

    def _fits(self, answers: int, calls: int, judging: Judging) -> bool:
        """Whether so many answers and calls of a judge fit into what is left."""
        assert self.limit is not None  # noqa: S101 - without one nothing is asked
        self._estimate = max(self._estimate, judging.price)
        need = answers * (self._dearest or NOTHING) + calls * self._price(judging)
        room = self.limit - self._spent
        return need <= room and (room > 0 or self._dearest is not None)

    def _price(self, judging: Judging) -> Decimal:
        estimate = max(self._estimate, judging.price)
        return estimate if self._verdict is None else self._verdict

    def _used_up(self) -> bool:
        self.empty = True
        self._wake()
        return False

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
