"""A saved run comes back as it was, whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from harness.errors import EvalError, StateError, UsageError
from harness.evals.results import CaseResult, CheckResult, EvalRun
from harness.evals.statistics import summarise
from harness.evals.store import load_run, save_run
from harness.values import Usage

RUN = EvalRun(
    run="2025-r1",
    domain="clinical-calculators",
    version="v1",
    split="holdout",
    model="baseline:nearest",
    policy="balanced",
    guard=True,
    n=2,
    scored=1,
    unscored=1,
    abstained=0,
    score=summarise([1 / 3], [""]),
    cases=(
        CaseResult(
            id="a/b\nc",
            key="0" * 16,
            source="note",
            tags=("x", "y"),
            expected={"total": 0.1, "lines": [1, None, "é"]},
            score=1 / 3,
            answers=("yes\u2028", "no 🩺", "broken \ud83d"),
            checks=(CheckResult(grader="json", met=False, score=0.1, why="so"),),
            usage=Usage(input_tokens=3, cost_usd=Decimal("0.000123456789")),
            seconds=0.1,
        ),
        CaseResult(id="d", key="1" * 16, score=None, error="429."),
    ),
    usage=Usage(input_tokens=3, cost_usd=Decimal("0.000123456789")),
    warnings=("w",),
    seconds=2.5,
)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save_run(tmp_path / "new" / "evals", RUN)
    assert load_run(tmp_path / "new" / "evals", RUN.run) == RUN
    assert [file.name for file in path.parent.iterdir()] == ["2025-r1.json"]


def test_two_equal_runs_differ_in_id_and_seconds_only(tmp_path: Path) -> None:
    other = dataclasses.replace(RUN, run="r2", seconds=9.0)
    one, two = (json.loads(save_run(tmp_path, run).read_bytes()) for run in (RUN, other))
    assert {key for key in one if one[key] != two[key]} == {"run", "seconds"}


def test_saving_again_replaces(tmp_path: Path) -> None:
    save_run(tmp_path, RUN)
    save_run(tmp_path, dataclasses.replace(RUN, warnings=()))
    assert load_run(tmp_path, RUN.run).warnings == ()


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_run(tmp_path, RUN)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="No space left on device"):
        save_run(tmp_path, dataclasses.replace(RUN, warnings=("new",)))
    assert load_run(tmp_path, RUN.run) == RUN
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(StateError, match="can't be kept"):
        save_run(tmp_path / "f", RUN)
    with pytest.raises(StateError, match="can't be read"):
        load_run(tmp_path / "f", "r")


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="no eval run r9"):
        load_run(tmp_path, "r9")


@pytest.mark.parametrize("name", ["", "../r", "a/b", ".r", "a b", "r" * 200])
def test_an_id_can_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        load_run(tmp_path, name)
    with pytest.raises(UsageError):
        save_run(tmp_path, dataclasses.replace(RUN, run=name))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format": 1}', '{"format": "x"}', "\xff", '{"format": 1, "run": 5}'],
)
def test_a_damaged_file_is_said_to_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StateError, match="damaged"):
        load_run(tmp_path, "r")


def test_a_file_of_a_newer_version(tmp_path: Path) -> None:
    path = save_run(tmp_path, RUN)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}))
    with pytest.raises(StateError, match="newer version"):
        load_run(tmp_path, RUN.run)
