"""A run goes on where it was stopped: nothing is scored twice, and little is asked twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.adapters.evals_sql import SqlEvalStore
from harness.domain.formats import AnswerSettings
from harness.errors import ProviderUnavailable, StateError
from harness.evals.graders import graders
from harness.evals.loading import load_run
from harness.evals.record import EvalStore, Generation, GradeRow
from harness.evals.results import Conditions, EvalRun
from harness.evals.runner import Kept, Plan, run_evals
from harness.values import Answer, EvalCase

SOAK = bool(os.environ.get("HARNESS_SOAK"))
CONDITIONS = Conditions(
    run="r1", domain="d", version="v", split="dev", model="m:x", policy="nearest", config="k"
)


def run(cases: list[EvalCase], ask: Any, store: EvalStore | None, **how: Any) -> EvalRun:
    plan = Plan(store=store, **how)

    async def main() -> EvalRun:
        return await run_evals(
            cases,
            ask,
            conditions=CONDITIONS,
            settings=AnswerSettings(kind="label", labels=("yes", "no")),
            graders=graders(),
            jobs=4,
            plan=plan,
        )

    return anyio.run(main)


def kept(store: EvalStore) -> dict[str, Any]:
    return {
        "record": store.record("r1"),
        "kept": Kept(
            generations={(one.case, one.repeat): one for one in store.generations("r1")},
            grades={(one.case, one.repeat): one for one in store.grades("r1")},
        ),
    }


@pytest.fixture
def store(tmp_path: Path) -> SqlEvalStore:
    return SqlEvalStore(tmp_path / "harness.db")


@pytest.fixture
def cases(case: Any) -> list[EvalCase]:
    return [case("yes", ("label", None), id=f"c{index}", repeat=2) for index in range(20)]


def test_a_stopped_run_goes_on_and_comes_to_the_same(
    cases: list[EvalCase], answer: Any, store: SqlEvalStore
) -> None:
    asked: list[tuple[str, int]] = []

    async def ask(case: EvalCase, repeat: int) -> Answer:
        await anyio.sleep(0)
        asked.append((case.id, repeat))
        if len(asked) == 17:
            raise ZeroDivisionError
        return answer("yes" if int(case.id[1:]) % 3 else "no")

    with pytest.raises(ZeroDivisionError):
        run(cases, ask, store)
    assert not store.record("r1").finished
    half = load_run(store, "r1")
    assert 0 < half.n < 20
    whole = run(cases, ask, store, **kept(store))
    assert store.record("r1").finished
    assert (whole.n, whole.scored) == (20, 20)
    assert len(asked) <= 40 + 4 + 1  # those under way when it stopped, and the one that broke
    again = load_run(store, "r1")
    assert [(one.id, one.score) for one in again.cases] == [
        (one.id, one.score) for one in whole.cases
    ]
    assert again.score == whole.score


def test_an_answer_is_kept_before_it_is_graded(
    cases: list[EvalCase], answer: Any, store: SqlEvalStore
) -> None:
    known = graders()
    before = known["label"]

    def stumbling(*args: Any) -> Any:
        if args[2].id == "c5":
            raise ZeroDivisionError
        return before(*args)

    async def ask(case: EvalCase, repeat: int) -> Answer:
        return answer("yes")

    async def main() -> None:
        await run_evals(
            cases,
            ask,
            conditions=CONDITIONS,
            settings=AnswerSettings(kind="label", labels=("yes", "no")),
            graders={"label": stumbling},
            jobs=2,
            plan=Plan(store=store),
        )

    with pytest.raises(ZeroDivisionError):
        anyio.run(main)
    assert ("c5", 0) in {(one.case, one.repeat) for one in store.generations("r1")}
    asked: list[str] = []

    async def noting(case: EvalCase, repeat: int) -> Answer:
        asked.append(f"{case.id}/{repeat}")
        return answer("yes")

    assert run(cases, noting, store, **kept(store)).scored == 20
    assert "c5/0" not in asked


def test_what_failed_is_kept_and_asked_again_only_when_told(
    cases: list[EvalCase], answer: Any, store: SqlEvalStore
) -> None:
    up = False

    async def ask(case: EvalCase, repeat: int) -> Answer:
        if case.id == "c3" and not up:
            raise ProviderUnavailable("It is down.")
        return answer("yes")

    assert run(cases, ask, store).unscored == 1
    up = True
    assert run(cases, ask, store, **kept(store)).unscored == 1
    there = kept(store)
    there["kept"] = Kept(
        generations={
            key: one for key, one in there["kept"].generations.items() if one.work is not None
        },
        grades=there["kept"].grades,
    )
    assert run(cases, ask, store, **there).unscored == 0


def test_a_store_that_is_full_stops_the_run(cases: list[EvalCase], answer: Any) -> None:
    class Full:
        def begin(self, record: Any) -> None: ...
        def end(self, run: str, *, finished: bool, seconds: float) -> None:
            assert not finished

        def keep(self, rows: Any, run: str) -> None:
            raise StateError("The disk is full.")

    async def ask(case: EvalCase, repeat: int) -> Answer:
        return answer("yes")

    with pytest.raises(StateError, match="full"):
        run(cases, ask, Full())  # type: ignore[arg-type]


def test_rows_that_come_together_are_committed_together(
    cases: list[EvalCase], answer: Any, store: SqlEvalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = store.keep

    def slow(rows: list[Generation | GradeRow], run: str) -> None:
        sizes.append(len(rows))
        time.sleep(0.005)
        real(rows, run)

    monkeypatch.setattr(store, "keep", slow)

    async def ask(case: EvalCase, repeat: int) -> Answer:
        return answer("yes")

    assert run(cases, ask, store).scored == 20
    assert sum(sizes) == 80
    assert max(sizes) > 1


# --- kill -9 ----------------------------------------------------------------------------------

WORKER = """
import sys, anyio, pathlib, random
from harness.adapters.evals_sql import SqlEvalStore
from harness.domain.formats import AnswerSettings
from harness.evals.graders import Work, graders
from harness.evals.record import RunRecord
from harness.evals.results import Conditions
from harness.evals.runner import Kept, Plan, run_evals
from harness.errors import EvalError
from harness.values import Check, EvalCase, Place

folder, count, jobs = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
place = Place(file="evals/dev.yaml")
check = (Check(grader="label", spec=None, place=place),)
cases = [
    EvalCase(id=f"c{i}", input=f"q{i}", expected="yes", checks=check, split="dev", place=place)
    for i in range(count)
]
store = SqlEvalStore(folder / "harness.db")
how = Conditions(run="r1", domain="d", version="v", split="dev", model="m", policy="p", config="k")
try:
    record = store.record("r1")
    kept = Kept(
        generations={(one.case, one.repeat): one for one in store.generations("r1")},
        grades={(one.case, one.repeat): one for one in store.grades("r1")},
    )
except EvalError:
    record, kept = None, Kept()
asked, started = open(folder / "asked", "a", buffering=1), []

async def ask(case, repeat):
    asked.write(case.id + "\\n")
    if repeat == 0 and not started:
        started.append(True)
        print("ready", flush=True)
    await anyio.sleep(0.05)
    return Work(text="yes" if int(case.id[1:]) % 4 else "no")

async def main():
    run = await run_evals(
        cases, ask, conditions=how, settings=AnswerSettings(kind="label", labels=("yes", "no")),
        graders=graders(), jobs=jobs, plan=Plan(store=store, record=record, kept=kept),
    )
    print(run.scored, run.score.mean)

anyio.run(main)
"""


@pytest.mark.soak
def test_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """Fifty kills during 1,000 cases in `make soak`, two during 120 with the other tests."""
    kills, count, jobs = (50, 1_000, 12) if SOAK else (2, 120, 8)
    dice = random.Random(11)
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER), "utf-8")
    line = [sys.executable, str(script), str(tmp_path), str(count), str(jobs)]
    done = 0
    for _ in range(kills):
        worker = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.09))  # work is under way, and some is left for the next
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        done += 1
    last = subprocess.run(line, capture_output=True, text=True, check=True)
    assert last.stdout.split()[-2:] == [str(count), "0.75"]
    asked = (tmp_path / "asked").read_text().split()
    store = SqlEvalStore(tmp_path / "harness.db")
    assert len(list(store.grades("r1"))) == len(list(store.generations("r1"))) == count
    assert set(asked) == {f"c{index}" for index in range(count)}
    assert len(asked) - count <= done * 2 * jobs
    if SOAK:
        figures = {"kills": kills, "cases": count, "jobs": jobs, "asked": len(asked)}
        path = Path(__file__).parents[2] / ".cache" / "soak" / "kill_evals.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
