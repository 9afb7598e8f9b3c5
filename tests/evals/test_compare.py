"""Two runs are called different only when the cases show it, and in words that say how sure."""

from __future__ import annotations

import random
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.errors import EvalError
from harness.evals.ablation import ablation, ablation_json, ablation_report
from harness.evals.compare import compare, compare_json, gate
from harness.evals.compare_report import compare_report
from harness.evals.junit import junit_xml
from harness.evals.page import html_page
from harness.evals.page_cases import cases_of_run
from harness.evals.record import case_key
from harness.evals.results import CaseResult, CheckResult, EvalRun
from harness.evals.risk import risk_curve, risk_of
from harness.evals.statistics import summarise
from harness.values import Check, EvalCase
from tests.evals.conftest import PLACE
from tests.evals.test_report import made, result


def runs(before: list[float | None], after: list[float | None], **fields: Any) -> list[EvalRun]:
    tags = fields.pop("tags", lambda index: ())
    sources = fields.pop("sources", lambda index: "")
    both = []
    for name, scores in (("r1", before), ("r2", after)):
        cases = [
            result(index, score, tags=tags(index), source=sources(index))
            for index, score in enumerate(scores)
        ]
        both.append(made(cases, run=name, **fields))
    return both


RIGHT: list[float | None] = [1.0] * 60
SOME: list[float | None] = [0.0] * 20 + [1.0] * 40


def test_better_worse_and_not_shown() -> None:
    better = compare(*runs(SOME, RIGHT))
    assert better.verdict == "better"
    assert better.sentence.startswith("the run r2 is better than the run r1: +33.3 points (95 %")
    assert (len(better.newly_passing), len(better.newly_failing)) == (20, 0)
    worse = compare(*runs(RIGHT, SOME))
    assert worse.verdict == "worse"
    same = compare(*runs(SOME, SOME))
    assert same.verdict == "not shown"
    assert "Not shown that" in same.sentence
    assert "four times out of five" in same.sentence
    assert same.difference.low < 0 < same.difference.high  # not even equality is certain


def test_a_point_estimate_is_no_verdict() -> None:
    before, after = [1.0] * 20, [1.0] * 20
    before[0] = before[1] = before[2] = 0.0
    found = compare(*runs(list(before), list(after)))
    assert found.difference.mean == pytest.approx(0.15)
    assert found.verdict == "not shown"


def test_the_gate() -> None:
    better, worse = compare(*runs(SOME, RIGHT)), compare(*runs(RIGHT, SOME))
    same = compare(*runs(SOME, SOME))
    assert [gate(one, 0.0) for one in (better, worse, same)] == ["passed", "worse", "not shown"]
    assert gate(same, 0.10) == "passed"
    assert gate(worse, 0.10) == "worse"


def test_runs_over_other_cases_compare_what_is_common() -> None:
    first, second = runs(SOME, RIGHT)
    other = result(3, 1.0, key="f" * 16)  # the same id, but it asks something else
    cases = (*second.cases[:3], other, *second.cases[4:50], result(99, None), result(100, 1.0))
    found = compare(first, made(list(cases), run="r2"))
    assert found.difference.n == 49
    assert found.changed == ("c3",)
    assert found.only_first == tuple(sorted(f"c{index}" for index in range(50, 60)))
    assert found.only_second == ("c100", "c99")
    text = compare_report(found)
    assert "left out, changed between the runs: 1 (c3)" in text
    with pytest.raises(EvalError, match="no case in common"):
        compare(first, made([result(500, 1.0)]))
    assert compare(first, made([result(0, None), result(1, 1.0)])).unscored == ("c0",)


def test_siblings_count_as_one_in_the_test() -> None:
    alone = compare(*runs(SOME, RIGHT))
    related = compare(*runs(SOME, RIGHT, sources=lambda index: f"s{index // 20}"))
    assert alone.difference.method == "mcnemar_midp"
    assert related.difference.method == "sign_flip"
    assert (alone.verdict, related.verdict) == ("better", "not shown")


def test_tags_are_slices_with_false_discoveries_held_down() -> None:
    rng = random.Random(3)
    before = [float(rng.random() < 0.7) for _ in range(400)]
    after = list(before)
    for index in range(0, 400, 20):
        after[index] = 1.0 - after[index]
    found = compare(*runs(list(before), list(after), tags=lambda index: (f"t{index % 20}",)))
    assert len(found.slices) == 20
    assert all(one.q >= one.difference.p for one in found.slices)
    assert sum(one.verdict != "not shown" for one in found.slices) <= 1
    few = compare(*runs(SOME, RIGHT, tags=lambda index: ("rare",) if index < 4 else ()))
    assert few.slices == ()


def test_what_stands_in_the_way_is_warned_of() -> None:
    first, second = runs(SOME, RIGHT)
    assert "without the guard" in compare(first, made(list(second.cases), guard=False)).warnings[0]
    assert "two domains" in compare(first, made(list(second.cases), domain="x")).warnings[0]
    changed = made(list(second.cases), version="v2", config="k2")
    assert "domain was changed" in compare(first, changed).warnings[0]


def test_json_has_the_verdict() -> None:
    says = compare_json(compare(*runs(SOME, RIGHT)))
    assert says["verdict"] == "better"
    assert says["difference"]["method"] == "mcnemar_midp"
    assert says["difference"]["low"] > 0
    assert len(says["newly_passing"]) == 20


# --- files ------------------------------------------------------------------------------------


def test_junit_has_a_failure_a_case_and_no_forbidden_character() -> None:
    cases = [result(0, 1.0), result(1, 0.0, answers=("no \x00\x1b",)), result(2, None, error="4")]
    first = made(cases)
    text = junit_xml(first, compare(first, first))
    suite = ET.fromstring(text)[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["3", "1", "1"]
    kinds = [[child.tag for child in one] for one in suite.iter("testcase")]
    assert kinds == [[], ["failure"], ["error"]]
    assert "not shown" in text


def test_the_page_opens_from_disk_and_runs_nothing() -> None:
    cases = [
        result(
            index,
            float(index % 4 != 0),
            id=f"<script>{index}",
            tags=("a",),
            confidence=index / 40,
            correct_when_answered=float(index % 4 != 0),
            tries=1,
        )
        for index in range(40)
    ]
    run = made(cases)
    page = html_page(run, compare(run, run))
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 3  # scores, risk against coverage, tags
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page
    assert "Not shown that" in page


def asked(number: int, **fields: Any) -> EvalCase:
    given: dict[str, Any] = {"id": f"c{number}", "input": f"What is {number}?", "expected": "yes"}
    given["checks"] = (Check(grader="label", spec=None, place=PLACE),)
    return EvalCase(**{**given, "split": "dev", "place": PLACE, **fields})


def test_the_page_shows_what_was_asked_what_was_checked_and_which_check_failed() -> None:
    bad = "<script>alert(1)</script>"
    checks = (
        Check(grader="contains_all", spec=("three months", bad), place=PLACE),
        Check(grader="number", spec={"value": "12.5", "within": "5 %"}, place=PLACE),
    )
    cases = [
        asked(0, input=f"How long? {bad}", expected=None, checks=checks, files=("a<b>.pdf",)),
        asked(1, input="word " * 2_000),
        asked(2, input="changed since"),
        asked(3, split="holdout"),
    ]
    failed = CheckResult(grader="contains_all", met=False, score=0.5, why=f"missing: {bad}")
    done = (failed, CheckResult(grader="number", met=True, score=1.0))
    results = [
        result(0, 0.0, key=case_key(cases[0]), expected=None, checks=done, answers=(bad,)),
        result(1, 1.0, key=case_key(cases[1])),
        result(2, 1.0),
        result(3, 1.0, key=case_key(cases[3])),
    ]
    run = made(results)
    found = cases_of_run(run, cases)
    assert list(found) == ["c0", "c1"]
    assert list(cases_of_run(run, cases, "v1")) == ["c0", "c1", "c2"]  # the folder is the same
    page = html_page(run, cases=found)
    assert "<script" not in page
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert f"How long? {escaped}" in page
    assert "with a&lt;b&gt;.pdf" in page
    assert f'<code>contains_all</code>: <span class="text">“three months”, “{escaped}”' in page
    assert "value: 12.5; within: 5 %" in page
    assert f'<code>contains_all</code>: <span class="text">missing: {escaped}' in page
    assert page.count('title="not met"') == 1
    assert "<details><summary>word word" in page  # long: folded
    assert "2 of these cases are not in the domain" in page
    assert "What is 2?" not in page
    assert "changed since" not in page


def test_the_page_shows_every_comparison_and_tells_equal_configurations_apart() -> None:
    first, second = runs(SOME, RIGHT)
    third = made(list(second.cases), run="r3", model="a-model-of-a-very-long-name:" + "x" * 40)
    held = [compare(first, second), compare(third, second)]
    page = html_page(second, held, [first, third])
    for one in held:
        assert escape(one.sentence) in page
    assert page.count("Held against") == 2
    assert page.count("newly passing") == 2
    assert ">balanced, r1<" in page
    assert ">balanced, r2<" in page
    assert "…" in page  # a name too long for the plot says that it is cut


def test_arms_are_held_against_the_first_with_more_doubt_for_more_arms() -> None:
    first, second = runs(SOME, RIGHT)
    found = ablation([("none", first), ("core", second), ("same", first), ("more", second)])
    assert found.arms[1].p == pytest.approx(3 * found.arms[1].comparison.difference.p)  # type: ignore[union-attr]
    text = ablation_report(found)
    assert "better" in text
    assert [arm["verdict"] for arm in ablation_json(found)["arms"]] == [
        *("", "better", "not shown", "better")
    ]
    nothing = ablation([("none", made([result(0, None)])), ("core", first)])
    assert nothing.against == "core"
    assert "! none: no case could be scored" in ablation_report(nothing)


# --- abstaining -------------------------------------------------------------------------------


def abstaining() -> EvalRun:
    cases: list[CaseResult] = []
    for index in range(10):
        silent, right = index < 4, index >= 6
        cases.append(
            result(
                index,
                float(right),
                abstained=int(silent),
                tries=1,
                passed=int(right),
                correct_when_answered=None if silent else float(right),
            )
        )
    return made(cases, abstained=4)


def test_abstentions_are_scored_apart() -> None:
    risk = risk_of(abstaining())
    assert (risk.answered, risk.coverage) == (6, pytest.approx(0.6))
    assert risk.risk is not None
    assert risk.risk.mean == pytest.approx(2 / 6)
    assert (risk.risk.low, risk.risk.high) == (
        summarise([1, 1, 0, 0, 0, 0], [""] * 6).low,
        summarise([1, 1, 0, 0, 0, 0], [""] * 6).high,
    )
    from harness.evals.report import report, to_json

    text = report(abstaining())
    assert "answered 60 % (coverage); of the answers 33.3 % wrong (risk)" in text
    assert to_json(abstaining())["risk"]["coverage"] == pytest.approx(0.6)


def test_the_surest_answers_come_first_and_ties_together() -> None:
    cases = [
        result(index, score, confidence=sure, correct_when_answered=score)
        for index, (sure, score) in enumerate([(0.9, 1.0), (0.5, 0.0), (0.9, 0.0), (0.1, 1.0)])
    ]
    assert risk_curve(cases) == [(0.5, 0.5), (0.75, pytest.approx(2 / 3)), (1.0, 0.5)]
    assert risk_curve([result(0, 1.0)]) == []
