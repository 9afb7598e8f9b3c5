"""The report says the score, its doubt and what failed; the JSON says all of it unrounded."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest

from harness.evals.report import report, to_json
from harness.evals.results import CaseResult, CheckResult, EvalRun
from harness.evals.statistics import summarise
from harness.values import Usage


def result(index: int, score: float | None, **fields: object) -> CaseResult:
    met = None if score is None else score == 1
    why = "" if met else f"expected “yes”, got “no {index}”"
    check = CheckResult(grader="label", met=met, score=score or 0.0, why=why)
    given: dict[str, object] = {
        "id": f"c{index}",
        "key": f"{index:016x}",
        "expected": "yes",
        "score": score,
        "answers": ("yes" if met else f"no {index}",),
        "checks": (check,),
        **fields,
    }
    return CaseResult(**given)  # type: ignore[arg-type]


def made(results: list[CaseResult], **fields: object) -> EvalRun:
    scored = [one for one in results if one.score is not None]
    given: dict[str, object] = {
        "run": "r1",
        "domain": "support-triage",
        "version": "v1",
        "split": "dev",
        "model": "baseline:nearest",
        "policy": "balanced",
        "guard": True,
        "n": len(results),
        "scored": len(scored),
        "unscored": len(results) - len(scored),
        "abstained": 0,
        "score": summarise([one.score or 0.0 for one in scored], [one.source for one in scored]),
        "cases": tuple(results),
        "usage": Usage(input_tokens=12345, cached_input_tokens=10000, output_tokens=67),
        "seconds": 1.25,
        **fields,
    }
    return EvalRun(**given)  # type: ignore[arg-type]


def test_the_headline_says_score_and_interval_in_words() -> None:
    text = report(made([result(index, float(index % 10 != 0)) for index in range(100)]))
    assert text.splitlines()[0] == (
        "support-triage, dev split, baseline:nearest: 90 % right (90 of 100); on new cases like"
        " these between 82.6 % and 94.5 %, with 95 % confidence."
    )
    assert "100 cases, 100 scored, 0 unscored; context: balanced, guard on" in text
    assert "12,345 tokens in (10,000 cached), 67 out, cost unknown, 1.2 s" in text
    assert "!" not in text
    many = report(made([result(index, 1.0) for index in range(1500)]))
    assert "1,500 cases, 1,500 scored, 0 unscored" in many


def test_at_most_ten_failures_are_shown() -> None:
    text = report(made([result(index, float(index >= 12)) for index in range(40)]))
    assert "Not right: 12 cases" in text
    assert "  c0\n    expected  “yes”\n    got       “no 0”\n    label: expected" in text
    assert "  c9\n" in text
    assert "  c10\n" not in text
    assert "and 2 more" in text


def test_what_was_not_scored_is_said_with_the_reason() -> None:
    results = [result(0, 1.0), *(result(index, None, error="429 again.") for index in range(1, 4))]
    results.append(result(4, None, error="Cut off.\nTwice."))
    text = report(made(results))
    assert "Not scored, neither right nor wrong: 4 cases" in text
    assert "3x 429 again. (c1, c2, c3)" in text
    assert "1x Cut off. Twice. (c4)" in text
    many = report(made([result(index, None, error=f"e{index}") for index in range(8)]))
    assert "and 3 other reasons" in many
    assert "no score, as none of the 8 cases could be scored" in many


def test_warnings_and_abstentions_stand_out() -> None:
    text = report(
        made([result(0, 1.0)], guard=False, abstained=1, warnings=("The guard was off: …",))
    )
    assert "\n! The guard was off: …\n" in text
    assert "guard OFF" in text
    assert "1 abstained" in text


def test_repeats_and_costs() -> None:
    usage = Usage(input_tokens=1, output_tokens=1, cost_usd=Decimal("0.12345"))
    results = [result(0, 2 / 3, answers=("yes", "no", "yes")), result(1, 1.0), result(2, 1.0)]
    text = report(made(results, usage=usage))
    assert "88.9 % right, over 3 cases" in text
    assert "c0 (right in 66.7 % of its repeats)" in text
    assert "“yes | no | yes”" in text
    assert "$0.1234" in text or "$0.1235" in text


@pytest.mark.parametrize(("wrong", "said"), [(1, "99.9 % right (19,999"), (0, "100 % right")])
def test_only_all_right_reads_as_a_hundred(wrong: int, said: str) -> None:
    run = made([result(0, 1.0)])
    cases = tuple(result(index, float(index >= wrong)) for index in range(20000))
    score = summarise([case.score or 0.0 for case in cases], [""] * 20000)
    text = report(dataclasses.replace(run, cases=cases, score=score, scored=20000, n=20000))
    assert said in text.splitlines()[0]


def test_json_has_the_documented_shape() -> None:
    results = [result(0, 1.0), result(1, 0.0), result(2, None, error="429."), result(3, 1.0)]
    says = to_json(made(results, warnings=("w",)))
    assert json.loads(json.dumps(says)) == says
    assert says["run"] == "r1"
    assert (says["n"], says["scored"], says["unscored"]) == (4, 3, 1)
    assert set(says["score"]) == {"mean", "low", "high", "method"}
    assert says["score"]["mean"] == 2 / 3
    assert says["cases"][1] == {
        "id": "c1",
        "key": "0000000000000001",
        "score": 0.0,
        "tags": [],
        "passed": 0,
        "tries": 0,
        "abstained": 0,
        "confidence": None,
        "checks": [
            {
                "grader": "label",
                "met": False,
                "score": 0.0,
                "why": "expected “yes”, got “no 1”",
                "parts": [],
            }
        ],
    }
    assert says["cases"][2]["score"] is None
    assert says["errors"] == {"c2": "429."}
    assert set(says) == {
        *("run", "domain", "version", "split", "model", "policy", "guard", "n", "scored"),
        *("unscored", "abstained", "score", "cases", "errors", "usage", "seconds", "warnings"),
        *("config", "repeats", "risk", "detectable", "judge", "openings", "regrades"),
        "answered",
    }


def test_a_run_without_a_score_is_null_in_json() -> None:
    score = to_json(made([result(0, None, error="e")]))["score"]
    assert score == {"mean": None, "low": None, "high": None, "method": "none"}
