"""Runs cases: asks, grades, and sums up, many at a time, the same results in whatever order.

The model is reached only through `ask`, which the SDK hands down.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from harness.domain.formats import AnswerSettings
from harness.errors import (
    ContextError,
    EvalError,
    MissingKey,
    MissingPackage,
    ModelError,
    NotAuthorized,
    ProviderNotAllowed,
    UnknownModel,
    UsageError,
)
from harness.evals.graders import Grader, grade
from harness.evals.results import Conditions, EvalRun
from harness.evals.summary import Attempt, sum_up
from harness.seams import Progress
from harness.values import Answer, EvalCase

__all__ = ["Ask", "run_evals"]

Ask = Callable[[EvalCase, int], Awaitable[Answer]]
"""Called with a case and the number of the repeat, from 0."""

FATAL = (MissingKey, MissingPackage, UnknownModel, NotAuthorized, ProviderNotAllowed)
"""Errors that no case of the run can survive."""


@dataclass(kw_only=True)
class _Sitting:
    """A run while it goes on."""

    cases: Sequence[EvalCase]
    ask: Ask
    settings: AnswerSettings
    graders: Mapping[str, Grader]
    repeats: int | None
    attempts: dict[tuple[int, int], Attempt] = field(default_factory=dict)

    def repeats_of(self, case: EvalCase) -> int:
        return self.repeats or case.repeat

    def work(self) -> Iterator[tuple[int, int]]:
        for index, case in enumerate(self.cases):
            for repeat in range(self.repeats_of(case)):
                yield index, repeat


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
) -> EvalRun:
    """Ask every case, grade every answer, and sum up in the order of the cases.

    A model's error on a case leaves it unscored, and the run goes on.

    Args:
        cases: What to ask.
        ask: Asks the model.
        conditions: Under what; stands in the result.
        settings: The domain's answers, with `labels` filled in where they come from examples.
        graders: By the name that checks have.
        jobs: Answers under way at one time, at most.
        repeats: Times that each case is asked; None: as the case says.
        progress: Called with (done, of how many) after each answer.
        keep: Called with what is done so far where the run is stopped early (an error, Ctrl-C),
            before the stop goes on to the caller; only where a case is done.

    Raises:
        EvalError: There are no cases.
        UsageError: `jobs` or `repeats` is below 1.
        HarnessError: What no case can survive: no key, no such model, a broken index.
    """
    if not cases:
        raise EvalError(
            f"The {conditions.split} split of {conditions.domain} has no case to run.",
            f"Add cases to evals/{conditions.split}.yaml, or choose another split.",
        )
    if jobs < 1 or (repeats is not None and repeats < 1):
        raise UsageError("`jobs` and `repeats` have to be at least 1.")
    sitting = _Sitting(cases=cases, ask=ask, settings=settings, graders=graders, repeats=repeats)
    started = time.perf_counter()
    try:
        await _run_all(sitting, jobs, progress)
    except BaseException:
        done = _summed_up(sitting, conditions, started)
        if keep is not None and done.n:
            keep(done)
        raise
    return _summed_up(sitting, conditions, started)


# --- asking -----------------------------------------------------------------------------------


async def _run_all(sitting: _Sitting, jobs: int, progress: Progress | None) -> None:
    """Work off all repeats of all cases; the first error that is not a case's own stops all."""
    work = sitting.work()
    total = sum(sitting.repeats_of(case) for case in sitting.cases)
    errors: list[Exception] = []

    async def worker() -> None:
        for index, repeat in work:  # shared: each worker takes the next that nobody has
            try:
                attempt = await _attempt(sitting, sitting.cases[index], repeat)
                sitting.attempts[index, repeat] = attempt
                if progress is not None:
                    progress(len(sitting.attempts), total)
            except Exception as error:
                errors.append(error)  # raised below as it is, not in a group
                group.cancel_scope.cancel()
                return

    async with anyio.create_task_group() as group:
        for _ in range(min(jobs, total)):
            group.start_soon(worker)
    if errors:
        raise errors[0]


async def _attempt(sitting: _Sitting, case: EvalCase, repeat: int) -> Attempt:
    started = time.perf_counter()
    try:
        answer = await sitting.ask(case, repeat)
    except FATAL:
        raise
    except (ModelError, ContextError) as error:
        return Attempt(error=str(error), seconds=time.perf_counter() - started)
    seconds = time.perf_counter() - started
    grades = [
        await grade(check, answer.text, case, sitting.settings, sitting.graders)
        for check in case.checks
    ]
    return Attempt(
        text=answer.text,
        abstained=answer.abstained,
        usage=answer.usage,
        warnings=answer.warnings,
        grades=tuple(grades),
        seconds=seconds,
    )


def _summed_up(sitting: _Sitting, conditions: Conditions, started: float) -> EvalRun:
    """Return the run over the cases whose every repeat is done."""
    done: list[tuple[EvalCase, list[Attempt]]] = []
    for index, case in enumerate(sitting.cases):
        repeats = range(sitting.repeats_of(case))
        attempts = [sitting.attempts.get((index, repeat)) for repeat in repeats]
        finished = [attempt for attempt in attempts if attempt is not None]
        if len(finished) == len(repeats):
            done.append((case, finished))
    seconds = time.perf_counter() - started
    return sum_up(done, planned=len(sitting.cases), conditions=conditions, seconds=seconds)
