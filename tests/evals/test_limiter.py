"""Fewer calls when a provider refuses some, more when all is well, none while it asks to wait."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from harness.domain.formats import AnswerSettings
from harness.errors import EvalError, RateLimited
from harness.evals.graders import graders
from harness.evals.limiter import Limiter
from harness.evals.results import Conditions, EvalRun
from harness.evals.runner import Plan, run_evals
from harness.evals.standing import Standing
from harness.values import Answer, EvalCase, Usage

CONDITIONS = Conditions(
    run="r", domain="d", version="v", split="dev", model="m:x", policy="nearest"
)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_it_grows_while_all_is_well_and_halves_once_for_one_crowd() -> None:
    async def main() -> None:
        clock = Clock()
        limiter = Limiter(16, clock=clock, sleep=clock.sleep)
        assert limiter.limit == 8
        for _ in range(20):
            limiter.well()
        assert limiter.limit == 16
        entered = [await limiter.enter() for _ in range(4)]
        clock.now = 1.0
        for moment in entered:  # all were under way before the first refusal: it is one
            limiter.refused(moment, 3.0)
        assert limiter.limit == 8
        for _ in entered:
            limiter.leave()
        await limiter.enter()
        assert clock.slept == [3.0]  # what the provider asked for, in full
        limiter.refused(clock.now, None)
        assert limiter.limit == 4
        for _ in range(5):
            limiter.well()
        assert limiter.limit == 5  # slowly from here on
        assert not limiter.hopeless
        for _ in range(10):
            limiter.refused(clock.now, None)
        assert (limiter.limit, limiter.hopeless) == (1, True)

    anyio.run(main)


def run(cases: list[EvalCase], ask: Any, **how: Any) -> EvalRun:
    plan = Plan(**{"patient": True, **how.pop("plan", {})})

    async def main() -> EvalRun:
        return await run_evals(
            cases,
            ask,
            conditions=CONDITIONS,
            settings=AnswerSettings(kind="label", labels=("yes",)),
            graders=graders(),
            plan=plan,
            **how,
        )

    return anyio.run(main)


@pytest.fixture
def cases(case: Any) -> list[EvalCase]:
    return [case("yes", ("label", None), id=f"c{index}") for index in range(40)]


def test_a_refused_case_is_asked_again_and_scored(cases: list[EvalCase], answer: Any) -> None:
    refused: set[str] = set()

    async def ask(case: EvalCase, repeat: int) -> Answer:
        await anyio.sleep(0)
        if case.id not in refused and len(refused) < 5:
            refused.add(case.id)
            raise RateLimited("429.", retry_after=0.001)
        return answer("yes")

    seen: list[Standing] = []
    found = run(cases, ask, jobs=8, plan={"watch": seen.append})
    assert (found.scored, found.score.mean) == (40, 1)
    assert min(now.jobs for now in seen) < 8
    assert (seen[-1].done, seen[-1].total, seen[-1].score) == (40, 40, 1)
    assert seen[-1].seconds_left == 0


def test_an_account_without_credit_stops_the_run(cases: list[EvalCase], answer: Any) -> None:
    asked: list[str] = []

    async def ask(case: EvalCase, repeat: int) -> Answer:
        asked.append(case.id)
        if len(asked) > 10:
            raise RateLimited("No credit left.", passing=False)
        return answer("yes")

    with pytest.raises(RateLimited, match="credit"):
        run(cases, ask, jobs=2)
    assert len(asked) < 16


# --- money ------------------------------------------------------------------------------------


def test_a_budget_is_never_overdrawn(cases: list[EvalCase], answer: Any) -> None:
    from decimal import Decimal

    under_way, most = 0, 0

    async def ask(case: EvalCase, repeat: int) -> Answer:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await anyio.sleep(0.001)
        under_way -= 1
        return answer("yes", usage=Usage(cost_usd=Decimal("0.10")))

    found = run(cases, ask, jobs=8, plan={"budget_usd": Decimal("1.05")})
    assert found.n == 10
    assert found.usage.cost_usd == Decimal("1.00")
    assert most > 1
    assert any("budget of $1.05 is used up" in words for words in found.warnings)


def test_a_budget_needs_a_known_price(cases: list[EvalCase], answer: Any) -> None:
    from decimal import Decimal

    async def ask(case: EvalCase, repeat: int) -> Answer:
        return answer("yes")

    with pytest.raises(EvalError, match="price"):
        run(cases, ask, plan={"budget_usd": Decimal(1)})
