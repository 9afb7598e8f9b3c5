"""What an eval refuses before it costs: no price, another judge, an opening for nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.errors import EvalError, UsageError
from harness.evals import report
from harness.evals.record import case_key
from harness.testing import ScriptedModel, Turn
from harness.wiring import make_eval_store

RUBRICS = "reply:\n  criteria:\n    - {id: kind, text: It is kind.}\n"
JUDGED = "".join(
    f"- {{id: d{number}, input: my card {number} is lost, checks: [{{rubric: reply}}]}}\n"
    for number in range(6)
)
SEALED = "- {id: s1, input: new, expected: top_up}\n- {id: s2, input: newer, expected: top_up}\n"


def always(text: str, cost: str | None = "0.01") -> ScriptedModel:
    price = None if cost is None else Decimal(cost)
    return ScriptedModel(lambda call: Turn(text=text), cost_usd=price)


def a_judge(cost: str | None = "0.02", name: str = "scripted:judge") -> ScriptedModel:
    def turn(call: Any) -> Turn:
        nonce = re.findall(r"VERDICT-([0-9a-f]+): YES", call.messages[0].text)[0]
        return Turn(text=f"So.\nVERDICT-{nonce}: YES")

    return ScriptedModel(turn, name=name, cost_usd=None if cost is None else Decimal(cost))


Open = Callable[..., Harness]


@pytest.fixture
def evals(opened, write, tmp_path: Path) -> Open:
    def open_(model: Any, **files: str) -> Harness:
        given = {"evals/dev.yaml": JUDGED, "rubrics.yaml": RUBRICS, **files}
        return opened(write(given), model=model, home=tmp_path / "state")

    return open_


# --- money ------------------------------------------------------------------------------------


def test_a_budget_needs_the_price_of_the_model_before_any_call(evals: Open, tmp_path: Path) -> None:
    model, judge = always("Dear", cost=None), a_judge()
    harness = evals(model)
    with pytest.raises(EvalError, match=r"price of .* is not known.*--limit"):
        harness.evaluate(judge=judge, budget_usd=1)
    (tmp_path / "in.csv").write_text("input\nmy card\n", "utf-8")
    with pytest.raises(EvalError, match=r"price of .* is not known"):
        harness.evals.map(tmp_path / "in.csv", tmp_path / "out.csv", budget_usd=1)
    assert not model.calls
    assert not judge.calls
    assert harness.evals.runs() == []


def test_a_budget_needs_the_price_of_the_judge_before_any_call(evals: Open) -> None:
    model, judge = always("Dear"), a_judge(cost=None)
    harness = evals(model)
    with pytest.raises(EvalError, match=r"price of scripted:judge is not known.*--limit"):
        harness.evaluate(judge=judge, budget_usd=1)
    assert not model.calls
    assert not judge.calls
    assert harness.evaluate(judge=judge).n == 6  # without a budget it may judge
    run = harness.evals.runs()[0]["run"]
    with pytest.raises(EvalError, match=r"price of scripted:judge"):
        harness.evaluate(regrade=run, judge=judge, budget_usd=1)


@pytest.mark.parametrize(("cost", "budget", "jobs"), [("1", "0.05", 4), ("0.02", "0.05", 1)])
def test_a_judge_is_paid_from_the_budget(evals: Open, cost: str, budget: str, jobs: int) -> None:
    model, judge = always("Dear"), a_judge(cost)
    harness = evals(model)
    run = harness.evaluate(judge=judge, budget_usd=budget, jobs=jobs)
    paid = len(model.calls) * Decimal("0.01") + len(judge.calls) * Decimal(cost)
    assert paid <= Decimal(budget)
    assert f"budget of ${budget} is {'too small' if cost == '1' else 'used up'}" in run.warnings[0]
    assert "budget" in report(run)
    larger = harness.evaluate(judge=judge, budget_usd="0.12", jobs=jobs, resume="latest")
    paid = len(model.calls) * Decimal("0.01") + len(judge.calls) * Decimal(cost)
    assert paid <= Decimal("0.12")
    assert larger.n == (4 if cost == "0.02" else 0)
    whole = harness.evaluate(judge=judge, budget_usd=10, jobs=jobs, resume="latest")
    assert (whole.n, whole.score.mean) == (6, 1)
    assert (len(model.calls), len(judge.calls)) == (6, 6)


def test_answers_graded_anew_cost_their_judge_alone(evals: Open) -> None:
    model, judge = always("Dear"), a_judge()
    harness = evals(model)
    run = harness.evaluate(judge=judge)
    new = a_judge("0.05", name="scripted:other")
    again = harness.evaluate(regrade=run.run, judge=new, budget_usd="0.12")
    assert (again.n, len(new.calls)) == (2, 2)
    assert f"--resume --run {again.run}" in again.warnings[0]
    assert "4 answers are kept and not graded yet" in again.warnings[0]
    whole = harness.evaluate(resume=again.run, judge=new, budget_usd="0.30")
    assert (whole.n, len(new.calls), len(model.calls)) == (6, 6, 6)
    assert harness.evals.load(again.run).cases == whole.cases


def test_answers_taken_over_from_a_run_are_not_paid_again(evals: Open) -> None:
    model = always("Dear")
    harness = evals(model)
    harness.evaluate(judge=a_judge(), cases=["d0", "d1", "d2"])
    judge = a_judge("0")
    run = harness.evaluate(judge=judge, reuse=True, budget_usd="0.02")
    assert (run.n, len(model.calls)) == (5, 5)
    again = harness.evaluate(judge=judge, resume=run.run, budget_usd="0.03")
    assert (again.n, len(model.calls)) == (6, 6)


# --- one judge --------------------------------------------------------------------------------


def test_a_run_keeps_to_its_judge(evals: Open) -> None:
    judge, other = a_judge(), a_judge(name="scripted:other")
    harness = evals(always("Dear"))
    run = harness.evaluate(judge=judge, budget_usd="0.07")
    for resume in (run.run, "latest"):
        with pytest.raises(EvalError, match=r"scripted:judge, not by scripted:other") as raised:
            harness.evaluate(judge=other, resume=resume)
        assert "--judge scripted:judge" in raised.value.mend
        assert f"--regrade {run.run} --judge scripted:other" in raised.value.mend
    assert not other.calls
    assert harness.evaluate(judge=judge, resume=run.run).n == 6
    assert harness.evaluate(judge=other, regrade=run.run).judge == "scripted:other"


def test_a_run_whose_cases_were_hashed_alone_goes_on(evals: Open) -> None:
    """As runs were kept before a rubric's own words counted."""
    judge = a_judge()
    harness = evals(always("Dear"))
    run = harness.evaluate(judge=judge, budget_usd="0.07")
    cases = {case.id: case for case in harness.evals.domain().cases}
    with closing(make_eval_store(harness.home, harness.settings)) as store:
        record = store.record(run.run)
        alone = tuple(replace(one, key=case_key(cases[one.id])) for one in record.cases)
        assert alone != record.cases
        store.begin(replace(record, cases=alone))
    assert harness.evaluate(judge=judge, resume="latest").n == 6


def test_a_function_that_changed_makes_another_case(evals: Open) -> None:
    case = "- {id: d1, input: a card, checks: [{python: 'own.py:fine'}]}\n"
    code = "def fine(answer, case):\n    'Fine.'\n    return True\n"
    files = {"evals/dev.yaml": case, "tools/own.py": code}
    harness = evals(always("Dear"), **files)
    run = harness.evaluate(trust_tools=True)
    (harness.domain.path / "tools" / "own.py").write_text(code.replace("True", "False"), "utf-8")
    with pytest.raises(EvalError, match="ask or check something else now: d1"):
        harness.evaluate(resume=run.run, trust_tools=True)
    again = harness.evaluate(regrade=run.run, trust_tools=True)
    assert (run.score.mean, again.score.mean) == (1, 0)
    with pytest.raises(EvalError, match="checked in another way: d1"):
        harness.evals.compare(run, again)


# --- sealed -----------------------------------------------------------------------------------


def test_a_resumed_sealed_run_says_how_often_it_was_opened_by_now(evals: Open) -> None:
    harness = evals(always("top_up"), **{"evals/sealed/a.yaml": SEALED})
    first = harness.evaluate(split="sealed", budget_usd="0.01", jobs=1)
    assert (first.n, first.openings) == (1, 1)
    again = harness.evaluate(split="sealed", resume="latest")
    assert (again.run, again.n, again.openings) == (first.run, 2, 2)
    assert any("opened 2 times" in words for words in again.warnings)
    assert harness.evals.load(first.run).openings == 2


def test_what_can_be_known_before_is_refused_without_an_opening(evals: Open) -> None:
    harness = evals(always("top_up"), **{"evals/sealed/a.yaml": SEALED})
    dev = harness.evaluate(judge=a_judge())
    unpriced = evals(always("top_up", cost=None), **{"evals/sealed/a.yaml": SEALED})
    refused: list[tuple[Harness, dict[str, Any]]] = [
        *((harness, {"resume": "latest"}), (harness, {"resume": "nope"})),
        *((harness, {"resume": dev.run}), (harness, {"regrade": "nope"})),
        *((harness, {"limit": 0}), (harness, {"jobs": 0}), (harness, {"repeats": 0})),
        *((unpriced, {"budget_usd": 1}), (harness, {"resume": "a", "regrade": "b"})),
    ]
    for one, how in refused:
        with pytest.raises((EvalError, UsageError)):
            one.evaluate(split="sealed", **how)
    assert harness.evals.openings() == []


def test_an_id_that_is_not_there_is_an_opening_and_said_to_be(evals: Open) -> None:
    harness = evals(always("top_up"), **{"evals/sealed/a.yaml": SEALED})
    with pytest.raises(EvalError, match=r"no case nope\. They were opened .* this was opening 1\."):
        harness.evaluate(split="sealed", cases=["nope"])
    with pytest.raises(EvalError, match=r"with the tag x\. They were opened .* opening 2\."):
        harness.evaluate(split="sealed", tags=["x"])
    assert len(harness.evals.openings()) == 2
