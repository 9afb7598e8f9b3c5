"""Sums up: the attempts at a case make its result, the results make the run's score."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.evals.attempt import Attempt
from harness.evals.graders import Grade
from harness.evals.record import CaseStub, RunRecord
from harness.evals.results import CaseResult, CheckResult, EvalRun
from harness.evals.statistics import luck_of_the_best, summarise
from harness.values import total_usage

__all__ = ["sum_up"]

MOST_WARNINGS = 5
"""Different warnings of answers that a run repeats; it says how many more there are."""

MANY_UNSCORED = 0.1
"""Share of cases without a score from which on the others may not stand for all."""


def sum_up(
    record: RunRecord, attempts: Mapping[tuple[str, int], Attempt], *, seconds: float
) -> EvalRun:
    """Return the run over the cases whose every repeat is done.

    Args:
        record: The run, with its cases in their order.
        attempts: By case and repeat.
        seconds: From start to end.
    """
    results, everything = [], []
    for case in record.cases:
        found = [attempts.get((case.id, repeat)) for repeat in range(case.repeats)]
        done = [attempt for attempt in found if attempt is not None]
        if len(done) == case.repeats:
            results.append(_case_result(case, done))
            everything += done
    scored = [(result.score, result.source) for result in results if result.score is not None]
    score = summarise([score for score, _ in scored], [source for _, source in scored])
    how = record.conditions
    judged = [result.judged for result in results if result.judged is not None]
    return EvalRun(
        run=how.run,
        domain=how.domain,
        version=how.version,
        split=how.split,
        model=how.model,
        policy=how.policy,
        guard=how.guard,
        n=len(results),
        scored=len(scored),
        unscored=len(results) - len(scored),
        abstained=sum(result.abstained > 0 for result in results),
        score=score,
        cases=tuple(results),
        usage=total_usage(result.usage for result in results if result.answers),
        warnings=(
            *([score.warning] if score.warning else []),
            *_warnings(results, record),
            *_luck(record, [one for one, _ in scored]),
            *_said(everything),
        ),
        seconds=seconds,
        config=how.config,
        judge=how.judge,
        judged=total_usage(judged) if judged else None,
        unreadable=sum(result.unreadable for result in results),
        openings=record.openings,
        regrades=record.regrades,
        answered=how.answered,
    )


def _case_result(case: CaseStub, attempts: Sequence[Attempt]) -> CaseResult:
    answered = [attempt for attempt in attempts if attempt.text is not None]
    passes, told = [], []
    for attempt in attempts:
        passed = attempt.passed
        if passed is not None:
            passes.append(passed)
            if not attempt.abstained:
                told.append(passed)
    sure = [one.confidence for one in answered if one.confidence is not None]
    judged = [graded.usage for one in answered for graded in one.grades if graded.usage is not None]
    return CaseResult(
        id=case.id,
        key=case.key,
        source=case.source,
        tags=case.tags,
        expected=case.expected,
        score=sum(passes) / len(passes) if passes else None,
        answers=tuple(attempt.text or "" for attempt in answered),
        checks=tuple(
            _check_result(
                grader, [one.grades[index] for one in answered if len(one.grades) > index]
            )
            for index, grader in enumerate(case.graders if answered else ())
        ),
        abstained=sum([attempt.abstained for attempt in answered]),
        error="" if len(passes) == len(attempts) else _problem(attempts),
        usage=total_usage([attempt.usage for attempt in answered]),
        seconds=sum([attempt.seconds for attempt in attempts]),
        passed=sum(passes),
        tries=len(passes),
        correct_when_answered=sum(told) / len(told) if told else None,
        confidence=math.fsum(sure) / len(sure) if sure else None,
        judged=total_usage(judged) if judged else None,
        unreadable=sum([graded.unreadable for one in answered for graded in one.grades]),
    )


def _problem(attempts: Sequence[Attempt]) -> str:
    return next((attempt.problem for attempt in attempts if attempt.problem), "")


def _check_result(grader: str, grades: Sequence[Grade]) -> CheckResult:
    decided = [graded for graded in grades if graded.met is not None]
    failed = [graded for graded in decided if not graded.met]
    undecided = [graded for graded in grades if graded.met is None]
    judged = any(graded.parts for graded in grades)
    return CheckResult(
        grader=grader,
        met=not failed if decided else None,
        score=sum([graded.score for graded in decided]) / len(decided) if decided else 0.0,
        why=next((graded.why for graded in (*failed, *undecided, *grades)), ""),
        parts=tuple(tuple((part.name, part.met) for part in graded.parts) for graded in grades)
        if judged
        else (),
    )


def _warnings(results: Sequence[CaseResult], record: RunRecord) -> list[str]:
    warnings = []
    planned = len(record.cases)
    if not record.conditions.guard:
        warnings.append(
            "The guard was off: cases, their twins and siblings could stand in their own"
            " contexts, so the score says nothing about new work."
        )
    if len(results) < planned:
        warnings.append(f"Stopped early: {len(results)} of {planned} cases were done.")
    partly = sum(bool(result.error) and result.score is not None for result in results)
    if partly:
        warnings.append(f"In {partly} of the scored cases some repeats could not be scored.")
    unscored = sum(result.score is None for result in results)
    if len(results) > unscored >= MANY_UNSCORED * len(results):
        warnings.append(
            f"{unscored} of {len(results)} cases could not be scored: the score is of the others,"
            " which may be the easier ones."
        )
    if record.openings:
        times = "once" if record.openings == 1 else f"{record.openings} times"
        warnings.append(
            f"The sealed cases have been opened {times}: each look makes them worth less."
        )
    return warnings


def _luck(record: RunRecord, scores: Sequence[float]) -> Iterable[str]:
    """Yield a warning where several configurations were tried on the split."""
    if record.candidates < 3 or len(scores) < 2:
        return
    mean = math.fsum(scores) / len(scores)
    error = math.sqrt(max(0.0, mean * (1 - mean)) / len(scores))
    luck = luck_of_the_best(record.candidates, error)
    if luck >= 0.001:
        yield (
            f"{record.candidates} configurations have been tried on this split: if none were any"
            f" better, the best would still look {100 * luck:.1f} points too good by luck."
            " Confirm it on another split."
        )


def _said(attempts: Sequence[Attempt]) -> list[str]:
    """Return the answers' own warnings, each once with how many had it, the most common first."""
    counts = Counter(words for attempt in attempts for words in attempt.warnings)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [f"{words} (answers: {count})" for words, count in ordered[:MOST_WARNINGS]]
    if len(ordered) > MOST_WARNINGS:
        rest = sum(count for _, count in ordered[MOST_WARNINGS:])
        lines.append(f"{len(ordered) - MOST_WARNINGS} other warnings (answers: {rest})")
    return lines
