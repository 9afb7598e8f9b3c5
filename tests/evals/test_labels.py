"""Experts' labels hold a judge to account, as far as they were chosen so that they can."""

from __future__ import annotations

from collections.abc import Callable

from harness.evals.labels import LabelKey, calibrate
from harness.evals.results import CaseResult, CheckResult, EvalRun
from harness.evals.statistics import Score


def run_of(cases: int, criteria: int, met: Callable[[int], bool]) -> EvalRun:
    """A run whose judge says `met` of the number of a verdict, counted through."""
    results = [
        CaseResult(
            id=f"c{case}",
            key=f"k{case}",
            score=1.0,
            checks=(
                CheckResult(
                    grader="rubric",
                    met=True,
                    score=1.0,
                    parts=(
                        tuple((f"p{one}", met(case * criteria + one)) for one in range(criteria)),
                    ),
                ),
            ),
        )
        for case in range(cases)
    ]
    return EvalRun(
        run="r",
        domain="d",
        version="v",
        split="dev",
        model="m",
        policy="balanced",
        guard=True,
        n=cases,
        scored=cases,
        unscored=0,
        abstained=0,
        score=Score(mean=1.0, low=0.9, high=1.0, method="wilson"),
        cases=tuple(results),
    )


def labels_of(cases: range, criteria: int, met: Callable[[int], bool]) -> dict[LabelKey, bool]:
    return {
        (f"c{case}", 0, f"p{one}"): met(case * criteria + one)
        for case in cases
        for one in range(criteria)
    }


def test_enough_labels_of_many_cases_correct_the_score() -> None:
    run = run_of(120, 2, lambda number: number % 4 != 0)
    found = calibrate(run, labels_of(range(0, 120, 3), 2, lambda number: number % 4 != 0))
    assert found.warning == ""
    assert found.corrected is not None
    assert found.corrected.labels == 80
    assert found.agreement.tpr == 1


def test_criteria_of_one_case_are_related() -> None:
    """Ten labels of each of six cases are not sixty labels."""
    run = run_of(60, 10, lambda number: number // 10 % 3 != 0)
    wrong = labels_of(range(6), 10, lambda number: number // 10 % 2 == 0)
    few = calibrate(run, wrong)
    assert "only 6 sources" in few.warning
    assert few.corrected is not None
    apart = run_of(600, 1, lambda number: number // 10 % 3 != 0)
    many = calibrate(apart, labels_of(range(60), 1, lambda number: number // 10 % 2 == 0))
    assert many.warning == ""
    assert many.corrected is not None
    assert many.agreement.kappa == few.agreement.kappa
    assert _width(few.agreement.kappa_interval) > 1.5 * _width(many.agreement.kappa_interval)
    assert _width(few.agreement.tpr_interval) > 1.3 * _width(many.agreement.tpr_interval)
    assert few.corrected.high - few.corrected.low > 1.5 * (many.corrected.high - many.corrected.low)


def _width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def test_labels_of_what_the_judge_calls_not_met_alone_correct_nothing() -> None:
    run = run_of(240, 1, lambda number: number % 4 != 0)
    picked = {("c" + str(case), 0, "p0"): False for case in range(0, 220, 4)}
    found = calibrate(run, picked)
    assert found.corrected is None
    assert "not chosen at random: of them the judge says 0 % are met" in found.warning


def test_labels_on_what_was_not_judged_are_named() -> None:
    run = run_of(60, 1, lambda number: True)
    labels = labels_of(range(60), 1, lambda number: True)
    labels |= {("zz", 0, "p0"): True, ("c1", 0, "p9"): False}
    assert calibrate(run, labels).warning == "Labels on what this run did not judge: c1 (p9), zz."
