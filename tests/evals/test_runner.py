"""A run asks every case once, scores what can be scored, and stops only for what all share."""

from __future__ import annotations

import dataclasses
import random
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.adapters.evals_sql import SqlEvalStore
from harness.domain.formats import AnswerSettings
from harness.errors import (
    ConnectionFailed,
    EvalError,
    HarnessError,
    MissingKey,
    NotAuthorized,
    ProviderNotAllowed,
    QuestionTooLong,
    RateLimited,
    UnknownModel,
    UsageError,
)
from harness.evals.graders import Grade, graders
from harness.evals.loading import load_run
from harness.evals.record import case_key
from harness.evals.results import Conditions, EvalRun
from harness.evals.runner import Plan, run_evals
from harness.values import Answer, EvalCase, Usage

CONDITIONS = Conditions(
    run="r1",
    domain="support-triage",
    version="v1",
    split="dev",
    model="baseline:nearest",
    policy="balanced",
)
SETTINGS = AnswerSettings(kind="label", labels=("yes", "no"), abstain="can't tell")


def run(cases: list[EvalCase], ask: Any, **options: Any) -> EvalRun:
    given = {"conditions": CONDITIONS, "settings": SETTINGS, "graders": graders(), **options}

    async def main() -> EvalRun:
        return await run_evals(cases, ask, **given)

    return anyio.run(main)


@pytest.fixture
def cases(case: Any) -> list[EvalCase]:
    return [
        case("yes" if index % 3 else "no", ("label", None), id=f"c{index}", source=f"s{index}")
        for index in range(30)
    ]


def masked(found: EvalRun) -> EvalRun:
    """Leave out what may differ from run to run: the id and the seconds."""
    cases = tuple(dataclasses.replace(one, seconds=0.0) for one in found.cases)
    return dataclasses.replace(found, run="", seconds=0.0, cases=cases)


def test_the_results_are_the_same_in_whatever_order_answers_come(
    cases: list[EvalCase], answer: Any
) -> None:
    runs, most = [], []
    for jobs, seed in ((1, 0), (8, 1), (50, 2)):
        rng, under_way = random.Random(seed), [0, 0]

        async def ask(
            case: EvalCase, repeat: int, rng: random.Random = rng, now: list[int] = under_way
        ) -> Answer:
            now[0] += 1
            now[1] = max(now)
            await anyio.sleep(rng.random() / 500)
            now[0] -= 1
            return answer("yes")

        runs.append(masked(run(cases, ask, jobs=jobs)))
        most.append(under_way[1])
    assert runs[0] == runs[1] == runs[2]
    assert [one.id for one in runs[0].cases] == [one.id for one in cases]
    assert most[:2] == [1, 8]
    assert 25 <= most[2] <= 50  # half the ceiling at first, and more while all is well


def test_a_run_says_what_it_found(cases: list[EvalCase], answer: Any) -> None:
    seen: list[tuple[int, int]] = []

    async def ask(case: EvalCase, repeat: int) -> Answer:
        return answer("Label: yes", warnings=("context cut",) if case.id == "c4" else ())

    found = run(cases, ask, progress=lambda done, total: seen.append((done, total)))
    assert (found.n, found.scored, found.unscored, found.abstained) == (30, 30, 0, 0)
    assert found.score.mean == pytest.approx(20 / 30)
    assert found.score.method == "mid_p"
    assert found.usage == Usage(input_tokens=300, cached_input_tokens=120, output_tokens=60)
    assert seen == [(done, 30) for done in range(1, 31)]
    assert found.warnings == ("context cut (answers: 1)",)
    wrong = found.cases[0]
    assert (wrong.score, wrong.expected, wrong.answers) == (0, "no", ("Label: yes",))
    assert wrong.checks[0].why == "expected “no”, got “yes”"
    assert found.cases[1].score == 1


def test_many_different_warnings_are_counted_not_listed(cases: list[EvalCase], answer: Any) -> None:
    async def ask(case: EvalCase, repeat: int) -> Answer:
        return answer("yes", warnings=("common", f"only {case.id}"))

    found = run(cases, ask)
    assert found.warnings[0] == "common (answers: 30)"
    assert found.warnings[5:] == ("26 other warnings (answers: 26)",)


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("429 again and again.", "Wait.", retry_after=3),
        ConnectionFailed("No connection."),
        QuestionTooLong("Too long."),
    ],
)
def test_an_error_on_a_case_leaves_it_unscored(
    cases: list[EvalCase], answer: Any, error: HarnessError
) -> None:
    async def ask(case: EvalCase, repeat: int) -> Answer:
        if case.id == "c3":
            raise error
        return answer("yes")

    found = run(cases, ask)
    assert (found.n, found.scored, found.unscored) == (30, 29, 1)
    assert found.score.mean == pytest.approx(20 / 29)
    assert found.cases[3].score is None
    assert found.cases[3].error == str(error)
    assert found.cases[3].checks == ()


@pytest.mark.parametrize("kind", [MissingKey, UnknownModel, NotAuthorized, ProviderNotAllowed])
def test_what_no_case_survives_stops_the_run(
    cases: list[EvalCase], answer: Any, kind: type[HarnessError]
) -> None:
    asked = []

    async def ask(case: EvalCase, repeat: int) -> Answer:
        asked.append(case.id)
        await anyio.sleep(0)
        if case.id == "c5":
            raise kind("No key is set.", "Set OPENAI_API_KEY.")
        return answer("yes")

    with pytest.raises(kind, match="Set OPENAI_API_KEY"):
        run(cases, ask, jobs=2)
    assert len(asked) < 10


def test_a_defect_is_raised_as_it_is(cases: list[EvalCase]) -> None:
    async def ask(case: EvalCase, repeat: int) -> Answer:
        raise ZeroDivisionError("a defect")

    with pytest.raises(ZeroDivisionError):
        run(cases, ask)


# --- repeats ----------------------------------------------------------------------------------


def test_the_score_is_the_share_of_repeats_that_pass(case: Any, answer: Any) -> None:
    asked: list[tuple[str, int]] = []

    async def ask(one: EvalCase, repeat: int) -> Answer:
        asked.append((one.id, repeat))
        if one.id == "b" and repeat == 1:
            raise RateLimited("429.")
        return answer("yes" if repeat else "no")

    cases = [case("yes", ("label", None), id=name, repeat=4) for name in "ab"]
    found = run(cases, ask)
    assert sorted(asked) == [(name, repeat) for name in "ab" for repeat in range(4)]
    assert [one.score for one in found.cases] == [0.75, pytest.approx(2 / 3)]
    assert found.cases[0].answers == ("no", "yes", "yes", "yes")
    assert (found.cases[0].checks[0].met, found.cases[0].checks[0].score) == (False, 0.75)
    assert found.cases[1].error == "429."
    assert any("some repeats could not be scored" in words for words in found.warnings)
    assert len(run(cases, ask, repeats=1).cases[0].answers) == 1


def test_every_check_has_to_be_met(case: Any, answer: Any) -> None:
    async def ask(one: EvalCase, repeat: int) -> Answer:
        return answer("yes")

    checks = [("label", "yes"), ("contains_all", ("yes", "sure"))]
    found = run([case(None, *checks)], ask).cases[0]
    assert found.score == 0
    assert [(check.met, check.score) for check in found.checks] == [(True, 1), (False, 0.5)]


def test_an_undecided_check_never_passes_and_never_fails(case: Any, answer: Any) -> None:
    async def judge(*_: Any) -> Grade:
        return Grade(met=None, score=0.0, why="the judge said nothing")

    async def ask(one: EvalCase, repeat: int) -> Answer:
        return answer("yes")

    known = {**graders(), "judge": judge}
    cases = [
        case(None, ("label", "yes"), ("judge", None), id="open"),
        case(None, ("label", "no"), ("judge", None), id="failed"),
    ]
    found = run(cases, ask, graders=known)
    assert [one.score for one in found.cases] == [None, 0]
    assert (found.scored, found.unscored) == (1, 1)
    assert found.cases[0].error == "the judge said nothing"
    assert found.cases[0].checks[1].met is None


def test_abstentions_are_counted_and_are_no_pass(case: Any, answer: Any) -> None:
    async def ask(one: EvalCase, repeat: int) -> Answer:
        return answer("can't tell", abstained=True)

    cases = [case("yes", ("label", None), id="a"), case("can't tell", ("label", None), id="b")]
    found = run(cases, ask)
    assert (found.abstained, [one.score for one in found.cases]) == (2, [0, 1])


# --- stopping ---------------------------------------------------------------------------------


def test_ctrl_c_leaves_what_is_done(cases: list[EvalCase], answer: Any, tmp_path: Path) -> None:
    async def ask(case: EvalCase, repeat: int) -> Answer:
        await anyio.sleep(0)
        if case.id == "c9":
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep(10)
        return answer("yes")

    with pytest.raises(KeyboardInterrupt):
        run(cases, ask, jobs=2, plan=Plan(store=SqlEvalStore(tmp_path / "harness.db")))
    kept = load_run(SqlEvalStore(tmp_path / "harness.db"), "r1")
    assert 8 <= kept.n < 30
    assert [one.id for one in kept.cases][:8] == [f"c{index}" for index in range(8)]
    assert f"Stopped early: {kept.n} of 30 cases were done." in kept.warnings


def test_a_stop_before_anything_is_done_keeps_nothing(cases: list[EvalCase]) -> None:
    kept: list[EvalRun] = []

    async def ask(case: EvalCase, repeat: int) -> Answer:
        raise MissingKey("No key.")

    with pytest.raises(MissingKey):
        run(cases, ask, keep=kept.append)
    assert kept == []


def test_a_cancelled_run_is_cancelled(cases: list[EvalCase]) -> None:
    kept: list[EvalRun] = []

    async def ask(case: EvalCase, repeat: int) -> Answer:
        await anyio.sleep(30)
        raise AssertionError

    async def main() -> bool:
        with anyio.move_on_after(0.01) as scope:
            await run_evals(
                cases, ask, conditions=CONDITIONS, settings=SETTINGS, graders={}, keep=kept.append
            )
        return scope.cancelled_caught

    assert anyio.run(main)
    assert kept == []


def test_calls_that_make_no_sense() -> None:
    async def ask(case: EvalCase, repeat: int) -> Answer:
        raise AssertionError

    with pytest.raises(EvalError, match="dev split of support-triage has no case"):
        run([], ask)


@pytest.mark.parametrize("options", [{"jobs": 0}, {"repeats": 0}])
def test_jobs_and_repeats_are_at_least_one(cases: list[EvalCase], options: dict[str, int]) -> None:
    async def ask(case: EvalCase, repeat: int) -> Answer:
        raise AssertionError

    with pytest.raises(UsageError, match="at least 1"):
        run(cases, ask, **options)


# --- usage and keys ---------------------------------------------------------------------------


def test_a_cost_is_known_only_where_every_cost_is(cases: list[EvalCase], answer: Any) -> None:
    def asks(unknown: str) -> Any:
        async def ask(case: EvalCase, repeat: int) -> Answer:
            cost = None if case.id == unknown else Decimal("0.001")
            return answer("yes", usage=Usage(input_tokens=1, output_tokens=1, cost_usd=cost))

        return ask

    assert run(cases, asks("")).usage.cost_usd == Decimal("0.030")
    assert run(cases, asks("c7")).usage.cost_usd is None


def test_the_key_changes_with_what_is_asked_and_checked(case: Any) -> None:
    key = case_key(case("yes", ("label", None)))
    assert key == case_key(case("yes", ("label", None), tags=("x",), split="holdout"))
    others = [
        case("no", ("label", None)),
        case("yes", ("label", "yes")),
        case("yes", ("exact", None)),
        case("yes", ("label", None), input="!"),
        case("yes", ("label", None), id="c2"),
        case("yes", ("label", None), files=("a.pdf",)),
    ]
    assert len({key, *map(case_key, others)}) == 7
