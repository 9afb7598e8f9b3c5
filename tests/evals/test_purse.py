"""A budget holds for answers and for judging them, over all sittings of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import anyio
import pytest

from harness.domain.formats import AnswerSettings
from harness.errors import EvalError
from harness.evals.graders import Grade, Part, Work
from harness.evals.purse import Judging, Purse, spent_on
from harness.evals.record import Generation, GradeRow
from harness.evals.results import Conditions, EvalRun
from harness.evals.runner import Kept, Plan, run_evals
from harness.values import EvalCase, Usage

CONDITIONS = Conditions(
    run="r1", domain="d", version="v", split="dev", model="m:x", policy="nearest", config="k"
)
Price = Decimal | str


class Bench:
    """Runs cases whose answers and verdicts have a price, and counts what was paid."""

    def __init__(self, cases: list[EvalCase], answer: Price = "0.01", verdict: Price = "0.02"):
        self.cases = cases
        self.answer, self.verdict = Decimal(answer), Decimal(verdict)
        self.estimate = self.verdict
        self.paid = Decimal(0)
        self.most = Decimal(0)  # paid for what was under way at once
        self.rows: dict[tuple[type, str, int], Any] = {}

    async def ask(self, case: EvalCase, repeat: int) -> Work:
        await self.pay(self.answer)
        return Work(text="yes", usage=Usage(input_tokens=1, cost_usd=self.answer))

    async def pay(self, price: Decimal) -> None:
        self.paid += price
        await anyio.sleep(0.001)

    async def judge(self, *_: Any) -> Grade:
        await self.pay(self.verdict)
        return Grade(met=True, score=1, usage=Usage(input_tokens=1, cost_usd=self.verdict))

    def begin(self, record: Any) -> None:
        self.record = record

    def end(self, run: str, *, finished: bool, seconds: float) -> None:
        self.finished = finished

    def keep(self, rows: Any, run: str) -> None:
        self.rows |= {(type(row), row.case, row.repeat): row for row in rows}

    def kept(self, kind: type) -> Mapping[tuple[str, int], Any]:
        return {(case, repeat): row for (of, case, repeat), row in self.rows.items() if of is kind}

    def left(self) -> Kept:
        generations, grades = self.kept(Generation), self.kept(GradeRow)
        flat: Iterator[Grade] = (one for row in grades.values() for one in row.grades)
        spent = spent_on([one.work for one in generations.values() if one.work], flat)
        return Kept(generations=generations, grades=grades, spent=spent)

    def run(self, budget: Price, jobs: int = 4, **plan: Any) -> EvalRun:
        async def main() -> EvalRun:
            return await run_evals(
                self.cases,
                self.ask,
                conditions=CONDITIONS,
                settings=AnswerSettings(),
                graders={"rubric": self.judge},
                jobs=jobs,
                plan=Plan(
                    store=self,  # type: ignore[arg-type]  # keeps rows, and reads none
                    budget_usd=Decimal(budget),
                    judging=lambda case, work: Judging(calls=1, price=self.estimate),
                    **plan,
                ),
            )

        return anyio.run(main)


@pytest.fixture
def cases(case: Any) -> list[EvalCase]:
    return [case(None, ("rubric", "Is it kind?"), id=f"c{index}") for index in range(30)]


@pytest.mark.parametrize("jobs", [1, 4, 16])
@pytest.mark.parametrize("verdict", ["0", "0.002", "0.02", "1"])
@pytest.mark.parametrize("budget", ["0.05", "0.2"])
def test_judging_is_within_the_budget(
    cases: list[EvalCase], jobs: int, verdict: str, budget: str
) -> None:
    bench = Bench(cases, verdict=verdict)
    found = bench.run(budget, jobs)
    assert bench.paid <= Decimal(budget)
    # an answer starts only where there is room for judging it: none is left ungraded
    assert (
        found.n
        == len(bench.kept(Generation))
        == int(Decimal(budget) / (bench.answer + bench.verdict))
    )
    assert "budget" in found.warnings[0]
    assert not bench.finished


def test_a_judge_dearer_than_thought_stops_after_what_was_under_way(cases: list[EvalCase]) -> None:
    bench = Bench(cases, verdict="0.50")
    bench.estimate = Decimal("0.001")
    found = bench.run("0.10")
    assert len(bench.kept(GradeRow)) == found.n == 1  # the first shows what one costs
    assert bench.paid <= Decimal("0.10") + bench.verdict
    kept = len(bench.kept(Generation)) - 1
    assert f"{kept} answers are kept and not graded yet" in found.warnings[0]
    again = bench.run(100, record=bench.record, kept=bench.left())
    assert (again.n, again.scored, bench.finished) == (30, 30, True)
    assert bench.paid == 30 * (bench.answer + bench.verdict)


def test_answers_that_could_not_be_judged_are_kept_and_judged_later(cases: list[EvalCase]) -> None:
    bench = Bench(cases, verdict="0.02")
    bench.estimate = Decimal("0.001")
    found = bench.run("0.05", jobs=1)
    assert (found.n, len(bench.kept(Generation))) == (1, 2)
    assert "1 answer is kept and not graded yet. `--resume`" in found.warnings[0]
    assert bench.paid == Decimal("0.04")
    again = bench.run("0.06", jobs=1, record=bench.record, kept=bench.left())
    assert (again.n, bench.paid) == (2, Decimal("0.06"))


@pytest.mark.parametrize(("budget", "most"), [("0.05", "0.05"), ("0.06", "0.06"), ("0.1", "0.1")])
def test_a_resumed_run_counts_what_it_has_spent(
    cases: list[EvalCase], budget: str, most: str
) -> None:
    bench = Bench(cases, verdict="0")
    bench.run("0.05")
    assert bench.paid == Decimal("0.05")
    again = bench.run(budget, record=bench.record, kept=bench.left())
    assert bench.paid == Decimal(most)
    assert again.n == int(Decimal(most) / bench.answer)


def test_what_is_there_counts_though_nothing_more_may_be_asked(cases: list[EvalCase]) -> None:
    bench = Bench(cases, verdict="0")
    bench.run("0.1")
    left = bench.left()
    first = {key: one for key, one in left.generations.items() if key != ("c0", 0)}
    kept = Kept(generations=first, grades=left.grades, spent=left.spent)
    assert bench.run("0.1", record=bench.record, kept=kept).n == 9


def test_an_answer_of_unknown_price_is_committed_before_the_run_stops(
    cases: list[EvalCase],
) -> None:
    bench = Bench(cases)

    async def ask(case: EvalCase, repeat: int) -> Work:
        return Work(text="yes", usage=Usage(input_tokens=1))

    bench.ask = ask  # type: ignore[method-assign]
    with pytest.raises(EvalError, match="price of m:x is not known"):
        bench.run(1, jobs=1)
    assert len(bench.kept(Generation)) == 1


def test_a_judge_that_failed_half_way_is_not_free() -> None:
    async def main() -> None:
        purse, judging = Purse(Decimal(1)), Judging(calls=2, price=Decimal("0.3"))
        assert await purse.allows(judging)
        purse.answered(Usage(cost_usd=Decimal("0.1")), judging)
        assert await purse.judges(judging, promised=2)
        purse.judged(Usage(input_tokens=5), judging)
        assert not await purse.allows(judging)

    anyio.run(main)


def test_what_was_spent_is_added_up_by_answer_and_by_call() -> None:
    parts = tuple(Part(name=str(index), met=True) for index in range(3))
    grades = [
        Grade(met=True, score=1),
        Grade(met=True, score=1, parts=parts, usage=Usage(cost_usd=Decimal("0.6"))),
        Grade(met=True, score=1, usage=Usage(cost_usd=Decimal("0.2"))),
        Grade(met=None, score=0, usage=Usage()),  # the judge could not be reached
        Grade(met=None, score=0, usage=Usage(input_tokens=9)),  # it could at first
    ]
    works = [Work(text="a", usage=Usage(cost_usd=Decimal(1))), Work(text="b")]
    found = spent_on(works, grades)
    assert (found.usd, found.answer) == (Decimal("2.2"), Decimal(1))
    assert found.verdict == Decimal("0.2")
