"""Sums up: the attempts at a case make its result, the results make the run's score."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.evals.graders import Grade
from harness.evals.results import CaseResult, CheckResult, Conditions, EvalRun, total_usage
from harness.evals.statistics import summarise
from harness.values import EvalCase, Usage, jsonable

__all__ = ["Attempt", "case_key", "sum_up"]

MOST_WARNINGS = 5
"""Different warnings of answers that a run repeats; it says how many more there are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One repeat of one case: the answer and its grades, or why there is none.

    Attributes:
        text: The model's words; None where it gave none.
        grades: One a check, in their order; none where there is no answer.
        error: Why there is no answer.
        seconds: Waiting for the answer.
    """

    text: str | None = None
    abstained: bool = False
    usage: Usage = field(default_factory=Usage)
    warnings: tuple[str, ...] = ()
    grades: tuple[Grade, ...] = ()
    error: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool | None:
        """Every check is met; one that is not decides, an undecided one leaves it open (None)."""
        verdicts = [graded.met for graded in self.grades]
        if self.text is None:
            return None
        if False in verdicts:
            return False
        return None if None in verdicts else True

    @property
    def problem(self) -> str:
        """Why the attempt could not be scored; "" where it could."""
        if self.passed is not None:
            return ""
        return self.error or next(graded.why for graded in self.grades if graded.met is None)


def case_key(case: EvalCase) -> str:
    """Return the hash of what a case asks and checks: 16 hex digits."""
    checks = [[check.grader, jsonable(check.spec)] for check in case.checks]
    said = [case.id, case.input, jsonable(case.expected), checks, list(case.files)]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sum_up(
    done: Sequence[tuple[EvalCase, Sequence[Attempt]]],
    *,
    planned: int,
    conditions: Conditions,
    seconds: float,
) -> EvalRun:
    """Return the run over the cases that are done.

    Args:
        done: Cases with all their attempts, in the order of the cases.
        planned: Cases that there were to do.
        conditions: Under what they were run.
        seconds: From start to end.
    """
    results = [_case_result(case, attempts) for case, attempts in done]
    scored = [(result.score, result.source) for result in results if result.score is not None]
    score = summarise([score for score, _ in scored], [source for _, source in scored])
    return EvalRun(
        run=conditions.run,
        domain=conditions.domain,
        version=conditions.version,
        split=conditions.split,
        model=conditions.model,
        policy=conditions.policy,
        guard=conditions.guard,
        n=len(results),
        scored=len(scored),
        unscored=len(results) - len(scored),
        abstained=sum(result.abstained > 0 for result in results),
        score=score,
        cases=tuple(results),
        usage=total_usage(result.usage for result in results if result.answers),
        warnings=(
            *([score.warning] if score.warning else []),
            *_warnings(results, planned, conditions.guard),
            *_said([attempt for _, attempts in done for attempt in attempts]),
        ),
        seconds=seconds,
    )


def _case_result(case: EvalCase, attempts: Sequence[Attempt]) -> CaseResult:
    answered = [attempt for attempt in attempts if attempt.text is not None]
    passes = [attempt.passed for attempt in attempts if attempt.passed is not None]
    return CaseResult(
        id=case.id,
        key=case_key(case),
        source=case.source,
        tags=case.tags,
        expected=jsonable(case.expected),
        score=sum(passes) / len(passes) if passes else None,
        answers=tuple(attempt.text or "" for attempt in answered),
        checks=tuple(
            _check_result(check.grader, [attempt.grades[index] for attempt in answered])
            for index, check in enumerate(case.checks if answered else ())
        ),
        abstained=sum(attempt.abstained for attempt in answered),
        error=next((attempt.problem for attempt in attempts if attempt.problem), ""),
        usage=total_usage(attempt.usage for attempt in answered),
        seconds=sum(attempt.seconds for attempt in attempts),
    )


def _check_result(grader: str, grades: Sequence[Grade]) -> CheckResult:
    decided = [graded for graded in grades if graded.met is not None]
    failed = [graded for graded in decided if not graded.met]
    undecided = [graded for graded in grades if graded.met is None]
    return CheckResult(
        grader=grader,
        met=not failed if decided else None,
        score=sum(graded.score for graded in decided) / len(decided) if decided else 0.0,
        why=[*failed, *undecided, *grades][0].why,
    )


def _warnings(results: Sequence[CaseResult], planned: int, guard: bool) -> list[str]:
    warnings = []
    if not guard:
        warnings.append(
            "The guard was off: cases, their twins and siblings could stand in their own"
            " contexts, so the score says nothing about new work."
        )
    if len(results) < planned:
        warnings.append(f"Stopped early: {len(results)} of {planned} cases were done.")
    partly = sum(bool(result.error) and result.score is not None for result in results)
    if partly:
        warnings.append(f"In {partly} of the scored cases some repeats could not be scored.")
    return warnings


def _said(attempts: Sequence[Attempt]) -> list[str]:
    """Return the answers' own warnings, each once with how many had it, the most common first."""
    counts = Counter(words for attempt in attempts for words in attempt.warnings)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [f"{words} (answers: {count})" for words, count in ordered[:MOST_WARNINGS]]
    if len(ordered) > MOST_WARNINGS:
        rest = sum(count for _, count in ordered[MOST_WARNINGS:])
        lines.append(f"{len(ordered) - MOST_WARNINGS} other warnings (answers: {rest})")
    return lines
