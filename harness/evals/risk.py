"""Abstentions scored apart: how often an answer is wrong, against how often one is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.evals.results import CaseResult, EvalRun
from harness.evals.statistics import Score, summarise

__all__ = ["Risk", "risk_curve", "risk_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """What answering and abstaining came to.

    Attributes:
        answered: Cases in which some repeat was answered without abstaining, and scored.
        coverage: Share of the scored repeats that were no abstention.
        risk: Mean share wrong over the answered cases, with its interval; None without any.
    """

    answered: int
    coverage: float
    risk: Score | None


def risk_of(run: EvalRun) -> Risk:
    """Return the risk and the coverage of a run.

    Source of the terms: R. El-Yaniv and Y. Wiener, On the foundations of noise-free selective
    classification, Journal of Machine Learning Research 11 (2010).
    """
    scored = [case for case in run.cases if case.score is not None]
    told = [case for case in scored if case.correct_when_answered is not None]
    tries = sum(case.tries for case in scored)
    silent = sum(min(case.abstained, case.tries) for case in scored)
    wrong = [1 - (case.correct_when_answered or 0.0) for case in told]
    return Risk(
        answered=len(told),
        coverage=(tries - silent) / tries if tries else 0.0,
        risk=summarise(wrong, [case.source for case in told]) if told else None,
    )


def risk_curve(cases: Sequence[CaseResult]) -> list[tuple[float, float]]:
    """Return (coverage, risk) where only the surest answers are given, from few to all.

    Over the cases whose answers say how sure they are; those equally sure go together.
    """
    told = [
        (case.confidence, 1 - case.correct_when_answered)
        for case in cases
        if case.confidence is not None and case.correct_when_answered is not None
    ]
    told.sort(key=lambda pair: -pair[0])
    points, wrong = [], 0.0
    for rank, (sure, missed) in enumerate(told, start=1):
        wrong += missed
        if rank == len(told) or told[rank][0] != sure:
            points.append((rank / len(told), wrong / rank))
    return points
