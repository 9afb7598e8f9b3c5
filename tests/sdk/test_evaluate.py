"""Evals through the SDK: the guard catches the leak, and a score is the same twice."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path

import pytest

from harness import Harness
from harness.errors import EvalError, UsageError
from harness.evals import EvalRun
from harness.testing import Fault, ScriptedModel, Turn

ROOT = Path(__file__).parents[2]
SOAK = bool(os.environ.get("HARNESS_SOAK"))


def timeless(run: EvalRun) -> EvalRun:
    """The run without its id, its times and its tokens."""
    cases = tuple(dataclasses.replace(case, seconds=0) for case in run.cases)
    return dataclasses.replace(run, run="", seconds=0, cases=cases)


def test_the_guard_catches_the_leak(shipped) -> None:
    """Near-twins stand in the bank of contract clauses: without the guard they answer."""
    harness = shipped("contract-clauses")
    guarded = harness.evaluate(split="dev", limit=60, guard=True)
    leaking = harness.evaluate(split="dev", limit=60, guard=False)
    print(f"guard on {guarded.score.mean:.2f}, off {leaking.score.mean:.2f}")
    assert [case.id for case in guarded.cases] == [case.id for case in leaking.cases]
    assert (guarded.scored, leaking.scored) == (60, 60)
    assert (guarded.guard, leaking.guard) == (True, False)
    assert leaking.score.mean >= guarded.score.mean + 0.15
    assert guarded.score.high < leaking.score.low


@pytest.mark.soak
def test_a_score_is_the_same_twice(shipped, shipped_home: Path) -> None:
    limit = None if SOAK else 40
    started = time.monotonic()
    first = shipped("support-triage").evaluate(split="holdout", limit=limit, jobs=2)
    with Harness("support-triage", home=shipped_home, model="baseline:nearest") as anew:
        second = anew.evaluate(split="holdout", limit=limit, jobs=7)
    assert timeless(first) == timeless(second)
    assert first.run != second.run
    assert first.unscored == 0
    if not SOAK:
        assert first.n == limit
        assert first.score.mean >= 0.8
        return
    figures = {
        "date": time.strftime("%Y-%m-%d"),
        "n": first.n,
        "mean": first.score.mean,
        "low": first.score.low,
        "high": first.score.high,
        "method": first.score.method,
        "model": first.model,
        "version": first.version,
        "same_twice": True,
        "seconds": round(time.monotonic() - started, 1),
    }
    kept = ROOT / ".cache" / "soak" / "holdout.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    assert first.n == 1540
    assert first.score.mean >= 0.90


# --- over a small domain ---------------------------------------------------------------------

CASES = "id,input,expected\nd1,my card is lost,lost_card\nd2,top up by card,top_up\n"


def test_an_eval_asks_each_case_under_its_guard(opened, write, tmp_path: Path) -> None:
    model = ScriptedModel(lambda call: Turn(text="lost_card"))
    folder = write(
        {"evals/dev.csv": CASES, "evals/holdout.csv": "id,input,expected\nh1,x y,top_up\n"}
    )
    harness = opened(folder, model=model, home=tmp_path / "state")
    run = harness.evaluate(split="dev")
    assert [(case.id, case.score) for case in run.cases] == [("d1", 1), ("d2", 0)]
    assert (run.model, run.n, run.scored, run.score.mean) == ("scripted:model", 2, 2, 0.5)
    asked = {call.messages[1].text: call for call in model.calls}
    for own, other in (
        ("my card is lost", "top up by card"),
        ("top up by card", "my card is lost"),
    ):
        (text,) = (one for one in asked if one.endswith(f"<question>\n{own}\n</question>\n"))
        assert own not in text[: text.index("<question>")]
        assert other in text[: text.index("<question>")]  # the dev case that is not asked
    assert [one["run"] for one in harness.evals.runs()] == [run.run]
    assert harness.evals.load(run.run).cases == run.cases


def test_a_failing_model_leaves_cases_unscored(opened, write) -> None:
    turns = iter([Turn(text="lost_card"), Turn(fault=Fault(kind="refused"))])
    harness = opened(write({"evals/dev.csv": CASES}), model=ScriptedModel(turns))
    run = harness.evaluate(split="dev", jobs=1)
    assert (run.n, run.scored, run.unscored) == (2, 1, 1)
    assert run.score.mean == 1


def test_what_is_asked_for_and_not_there(opened, write) -> None:
    harness = opened(write({"evals/dev.csv": CASES}))
    with pytest.raises(EvalError, match="no case d9"):
        harness.evaluate(cases=["d9"])
    with pytest.raises(UsageError, match="at least 1"):
        harness.evaluate(limit=0)
    with pytest.raises(EvalError, match="no sealed cases"):
        harness.evaluate(split="sealed")
    assert [case.id for case in harness.evaluate(cases=["d2"]).cases] == ["d2"]
