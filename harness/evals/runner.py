"""Runs cases: asks, grades, and sums up, many at a time, the same results in whatever order.

The model is reached only through `ask`, which the SDK hands down. A generation is committed
before it is graded, so that a run killed at any point is resumed with nothing asked twice but
what was under way.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import anyio

from harness.domain.formats import AnswerSettings
from harness.errors import ContextError, EvalError, ModelError, RateLimited, UsageError
from harness.evals.attempt import Attempt, attempt_of
from harness.evals.graders import WORK_GRADERS, Grader, Work, WorkGrader, grade, work_of
from harness.evals.judge import FATAL
from harness.evals.limiter import Limiter
from harness.evals.purse import NO_JUDGING, Estimate, Judging, Purse, Spent, unknown_price
from harness.evals.record import (
    EvalStore,
    Generation,
    GradeRow,
    RunRecord,
    generation_key,
    stub_of,
)
from harness.evals.results import Conditions, EvalRun
from harness.evals.sink import Sink
from harness.evals.standing import Standing, Tally
from harness.evals.summary import sum_up
from harness.seams import Progress
from harness.values import Answer, EvalCase, total_usage

__all__ = ["Ask", "Kept", "Plan", "run_evals"]

Ask = Callable[[EvalCase, int], Awaitable[Answer | Work]]
"""Called with a case and the number of the repeat, from 0."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is there already: answers and grades, by case and repeat.

    Attributes:
        brought: They are another run's, and are committed with this one before anything is asked.
        spent: What of the budget earlier sittings spent.
    """

    generations: Mapping[tuple[str, int], Generation] = field(default_factory=dict)
    grades: Mapping[tuple[str, int], GradeRow] = field(default_factory=dict)
    brought: bool = False
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a run is done, beside what is asked.

    Attributes:
        store: Keeps generations and grades as they come; None keeps nothing.
        kept: What earlier sittings left.
        record: The run as it was begun, where it goes on.
        budget_usd: US dollars after which nothing more is asked; None for no limit.
        judging: Estimates what judging an answer takes; None where nothing asks a judge.
        watch: Told how the run stands after each attempt.
        patient: `ask` leaves it to the runner to ask again after a 429: it waits as long as it
            was asked to, and makes fewer calls at a time. Else a 429 leaves the case unscored.
        of_work: Graders of the work behind an answer.
    """

    store: EvalStore | None = None
    kept: Kept = field(default_factory=Kept)
    record: RunRecord | None = None
    budget_usd: Decimal | None = None
    judging: Estimate | None = None
    watch: Callable[[Standing], None] | None = None
    patient: bool = False
    of_work: Mapping[str, WorkGrader] = field(default_factory=lambda: WORK_GRADERS)


@dataclass(kw_only=True)
class _Sitting:
    """A run while it goes on."""

    cases: Mapping[str, EvalCase]
    record: RunRecord
    ask: Ask
    settings: AnswerSettings
    graders: Mapping[str, Grader]
    plan: Plan
    limiter: Limiter
    sink: Sink
    purse: Purse
    tally: Tally
    progress: Progress | None
    attempts: dict[tuple[str, int], Attempt] = field(default_factory=dict)
    ungraded: int = 0

    def judging(self, case: EvalCase, work: Work | None) -> Judging:
        """Return what judging an answer is thought to take."""
        estimate = self.plan.judging
        if self.purse.limit is None or estimate is None:
            return NO_JUDGING
        return estimate(case, work)

    def work(self) -> Iterator[tuple[EvalCase, int, str]]:
        for stub in self.record.cases:
            for repeat in range(stub.repeats):
                key = generation_key(stub.question, self.record.conditions.config, repeat)
                yield self.cases[stub.id], repeat, key

    def done(self, case: EvalCase, repeat: int, attempt: Attempt) -> None:
        self.attempts[case.id, repeat] = attempt
        self.tally.add(attempt)
        if self.progress is not None:
            self.progress(self.tally.done, self.tally.total)
        if self.plan.watch is not None:
            self.plan.watch(self.tally.standing(self.limiter.limit))


async def run_evals(
    cases: Sequence[EvalCase],
    ask: Ask,
    *,
    conditions: Conditions,
    settings: AnswerSettings,
    graders: Mapping[str, Grader],
    jobs: int = 4,
    repeats: int | None = None,
    progress: Progress | None = None,
    keep: Callable[[EvalRun], None] | None = None,
    plan: Plan | None = None,
) -> EvalRun:
    """Ask every case, grade every answer, and sum up in the order of the cases.

    A model's error on a case leaves it unscored, and the run goes on.

    Args:
        cases: What to ask.
        ask: Asks the model.
        conditions: Under what; stands in the result.
        settings: The domain's answers, with `labels` filled in where they come from examples.
        graders: By the name that checks have.
        jobs: Answers under way at one time, at most: fewer where the provider refuses some.
        repeats: Times that each case is asked; None: as the case says.
        progress: Called with (done, of how many) after each answer.
        keep: Called with what is done so far where the run is stopped early (an error, Ctrl-C),
            before the stop goes on to the caller; only where a case is done.
        plan: Where what is found is kept, and what is there already.

    Raises:
        EvalError: There are no cases.
        UsageError: `jobs` or `repeats` is below 1.
        StateError: What is found can't be kept.
        HarnessError: What no case can survive: no key, no such model, a broken index.
    """
    _refuse(cases, conditions, jobs, repeats)
    plan = plan or Plan()
    record = _record(cases, conditions, repeats, plan)
    sitting = _Sitting(
        cases={case.id: case for case in cases},
        record=record,
        ask=ask,
        settings=settings,
        graders=graders,
        plan=plan,
        limiter=Limiter(jobs),
        sink=_sink(plan, conditions.run),
        purse=Purse(plan.budget_usd, plan.kept.spent),
        tally=Tally(total=sum(stub.repeats for stub in record.cases)),
        progress=progress,
    )
    return await _run_and_end(sitting, jobs, keep)


def _refuse(
    cases: Sequence[EvalCase], conditions: Conditions, jobs: int, repeats: int | None
) -> None:
    """Make sure that there is something to do, and somebody to do it."""
    if not cases:
        raise EvalError(
            f"The {conditions.split} split of {conditions.domain} has no case to run.",
            f"Add cases to evals/{conditions.split}.yaml, or choose another split.",
        )
    if jobs < 1 or (repeats is not None and repeats < 1):
        raise UsageError("`jobs` and `repeats` have to be at least 1.")


async def _run_and_end(
    sitting: _Sitting, jobs: int, keep: Callable[[EvalRun], None] | None
) -> EvalRun:
    """Work off everything and note the end, however it comes; return the sum."""
    started, store = time.perf_counter(), sitting.plan.store
    finished = False
    try:
        await _run_all(sitting, jobs)
        finished = not sitting.purse.empty
    except BaseException:
        done = _summed_up(sitting, started)
        if keep is not None and done.n:
            keep(done)
        raise
    finally:
        if store is not None:
            seconds = sitting.record.seconds + time.perf_counter() - started
            store.end(sitting.record.conditions.run, finished=finished, seconds=seconds)
    return _summed_up(sitting, started)


def _record(
    cases: Sequence[EvalCase], conditions: Conditions, repeats: int | None, plan: Plan
) -> RunRecord:
    """Return the run as it is begun, and keep it."""
    record = plan.record or RunRecord(
        conditions=conditions,
        cases=tuple(stub_of(case, repeats) for case in cases),
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
    if plan.store is not None:
        plan.store.begin(record)
    return record


def _sink(plan: Plan, run: str) -> Sink:
    """Return what commits rows to the plan's store."""
    if plan.store is None:
        return Sink(None)
    store = plan.store
    return Sink(lambda rows: store.keep(rows, run))


# --- asking -----------------------------------------------------------------------------------


async def _run_all(sitting: _Sitting, jobs: int) -> None:
    """Work off all repeats of all cases; the first error that is not a case's own stops all."""
    work = sitting.work()
    errors: list[Exception] = []

    async def worker() -> None:
        for case, repeat, key in work:  # shared: each worker takes the next that nobody has
            try:
                attempt = await _attempt(sitting, case, repeat, key)
            except Exception as error:
                errors.append(error)  # raised below as it is, not in a group
                group.cancel_scope.cancel()
                return
            if attempt is not None:  # else the budget is used up; what is there still counts
                sitting.done(case, repeat, attempt)

    # Twice as many as may ask: while some are committed and graded, others ask.
    workers = min(2 * jobs, sitting.tally.total)
    async with sitting.sink.open(), anyio.create_task_group() as group:
        try:
            if brought := tuple(_brought(sitting)):
                await sitting.sink.put(*brought)
        except Exception as error:
            errors.append(error)
        for _ in range(0 if errors else workers):
            group.start_soon(worker)
    if errors:
        raise errors[0]


def _brought(sitting: _Sitting) -> Iterator[Generation]:
    """Yield another run's answers, as this one keeps them."""
    kept = sitting.plan.kept
    if kept.brought:
        for case, repeat, key in sitting.work():
            if (found := kept.generations.get((case.id, repeat))) is not None:
                yield replace(found, key=key)


async def _attempt(sitting: _Sitting, case: EvalCase, repeat: int, key: str) -> Attempt | None:
    """Return the attempt; None where the budget is used up before it is graded."""
    kept = sitting.plan.kept
    generation = kept.generations.get((case.id, repeat))
    grades = kept.grades.get((case.id, repeat))
    foreseen = NO_JUDGING
    if generation is None:
        if sitting.purse.empty:
            return None
        foreseen = sitting.judging(case, None)
        generation = await _generate(sitting, case, repeat, key, foreseen)
        if generation is None:
            return None
        grades = None
        await sitting.sink.put(generation)
        _refuse_unpriced(sitting, generation)
    if generation.work is not None and grades is None:
        judging = sitting.judging(case, generation.work)
        if not await sitting.purse.judges(judging, promised=foreseen.calls):
            sitting.ungraded += 1
            return None
        grades = await _grade(sitting, case, repeat, generation.work, judging)
        await sitting.sink.put(grades)
    graded = grades.grades if grades is not None else ()
    return attempt_of(generation.work, generation.error, generation.seconds, graded)


def _refuse_unpriced(sitting: _Sitting, generation: Generation) -> None:
    """Stop where an answer, which is committed by now, came without a price under a budget."""
    work = generation.work
    if sitting.purse.limit is not None and work is not None and work.cost_usd is None:
        raise unknown_price(sitting.record.conditions.model)


async def _generate(
    sitting: _Sitting, case: EvalCase, repeat: int, key: str, judging: Judging
) -> Generation | None:
    """Ask, again where the provider says that it is asked too often."""
    while True:
        if not await sitting.purse.allows(judging):
            return None
        entered = await sitting.limiter.enter()
        started = time.perf_counter()
        work, error = None, ""
        try:
            work = work_of(await sitting.ask(case, repeat))
            sitting.limiter.well()
        except FATAL:
            raise
        except RateLimited as refused:
            sitting.limiter.refused(entered, refused.retry_after if sitting.plan.patient else 0.0)
            if sitting.plan.patient:
                if not refused.passing or sitting.limiter.hopeless:
                    raise  # no other case would fare better; what is done is kept
                continue
            error = str(refused)
        except (ModelError, ContextError) as failed:
            error = str(failed)
        finally:
            sitting.limiter.leave()
            sitting.purse.answered(work.usage if work else None, judging)
        seconds = time.perf_counter() - started
        return Generation(
            case=case.id, repeat=repeat, key=key, work=work, error=error, seconds=seconds
        )


async def _grade(
    sitting: _Sitting, case: EvalCase, repeat: int, work: Work, judging: Judging
) -> GradeRow:
    grades = [
        await grade(
            check, work, case, sitting.settings, sitting.graders, of_work=sitting.plan.of_work
        )
        for check in case.checks
    ]
    used = [graded.usage for graded in grades if graded.usage is not None]
    sitting.purse.judged(total_usage(used) if used else None, judging)
    return GradeRow(case=case.id, repeat=repeat, grades=tuple(grades))


def _summed_up(sitting: _Sitting, started: float) -> EvalRun:
    """Return the run over the cases whose every repeat is done."""
    seconds = sitting.record.seconds + time.perf_counter() - started
    run = sum_up(sitting.record, sitting.attempts, seconds=seconds)
    if not sitting.purse.empty:
        return run
    says = f"The budget of ${sitting.purse.limit} is used up."
    if sitting.purse.untouched:
        says = f"The budget of ${sitting.purse.limit} is too small to answer and judge one case."
    if sitting.ungraded:
        count = sitting.ungraded
        says += f" {count} {'answer is' if count == 1 else 'answers are'} kept and not graded yet."
    resume = f"--resume --run {run.run}" if run.regrades else "--resume"
    says += f" `{resume}` with a larger `--budget-usd` goes on."
    return replace(run, warnings=(says, *run.warnings))
