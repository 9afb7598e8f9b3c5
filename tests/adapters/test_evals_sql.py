"""Eval runs in the database: safe when written, read back as they were, never half."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.evals_sql import SqlEvalStore
from harness.errors import EvalError, StateError
from harness.evals.graders import Grade, Part, ToolUse, Work
from harness.evals.record import CaseStub, Generation, GradeRow, Opening, RunRecord
from harness.evals.results import Conditions
from harness.values import Usage

RECORD = RunRecord(
    conditions=Conditions(
        run="r1", domain="d", version="v", split="dev", model="m", policy="p", config="k"
    ),
    cases=(CaseStub(id="c1", key="a", question="b", expected={"x": [1, "2"]}, tags=("t",)),),
    started="2026-10-01T00:00:00.000+00:00",
)
GENERATION = Generation(
    case="c1",
    repeat=0,
    key="key",
    work=Work(
        text="half a pair \ud800 and \x00",
        tools=(ToolUse(name="a", arguments={"x": [1]}, step=2),),
        usage=Usage(input_tokens=3, cost_usd=Decimal("0.00001")),
        confidence=0.5,
    ),
    seconds=1.5,
)
GRADES = GradeRow(
    case="c1",
    repeat=0,
    grades=(Grade(met=None, score=0.0, why="w", parts=(Part(name="p", met=True),), unreadable=1),),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Opens the same database, as another process would."""
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("new_database")() if on_server else None
    opened: list[SqlEvalStore] = []

    def make() -> SqlEvalStore:
        opened.append(SqlEvalStore(tmp_path / "state" / "harness.db", url))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def store(open_store: Callable[[], SqlEvalStore]) -> SqlEvalStore:
    made = open_store()
    made.begin(RECORD)
    return made


@pytest.fixture
def in_file(tmp_path: Path) -> Iterator[SqlEvalStore]:
    made = SqlEvalStore(tmp_path / "state" / "harness.db")
    made.begin(RECORD)
    yield made
    made.close()


def test_what_was_kept_is_read_back(
    store: SqlEvalStore, open_store: Callable[[], SqlEvalStore]
) -> None:
    store.keep([GENERATION, GRADES], "r1")
    store.keep([Generation(case="c2", repeat=1, key="k2", error="429.")], "r1")
    store.end("r1", finished=True, seconds=2.5)
    store.close()
    again = open_store()
    record = again.record("r1")
    assert (record.cases, record.conditions) == (RECORD.cases, RECORD.conditions)
    assert (record.finished, record.seconds) == (True, 2.5)
    found = {one.case: one for one in again.generations("r1")}
    assert found["c1"] == GENERATION
    assert (found["c2"].work, found["c2"].error) == (None, "429.")
    assert list(again.grades("r1")) == [GRADES]
    assert again.by_key(["key", "k2", "none"]) == {"key": GENERATION}
    assert again.records("d") == [("r1", "d", "k", True, "dev")]
    assert again.records("other") == []


def test_a_later_row_takes_the_place_of_an_older_one(store: SqlEvalStore) -> None:
    store.keep([Generation(case="c1", repeat=0, key="key", error="429.")], "r1")
    store.keep([GENERATION], "r1")
    assert list(store.generations("r1")) == [GENERATION]


def test_every_connection_syncs_every_commit(in_file: SqlEvalStore) -> None:
    with in_file._database().connect() as connection:
        raw = connection.connection.cursor()
        assert raw.execute("PRAGMA synchronous").fetchone() == (2,)
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_attempts_are_those_that_are_done(store: SqlEvalStore) -> None:
    asked = Generation(case="c2", repeat=0, key="k2", work=Work(text="not graded"))
    failed = Generation(case="c3", repeat=1, key="k3", error="half \ud800 and \x00")
    store.keep([GENERATION, GRADES, asked, failed], "r1")
    found = store.attempts("r1")
    assert found.keys() == {("c1", 0), ("c3", 1)}
    assert (found["c1", 0].text, found["c1", 0].grades) == (GENERATION.work.text, GRADES.grades)
    assert (found["c3", 1].text, found["c3", 1].error) == (None, "half ? and \ufffd")


def test_one_process_at_a_time_works_on_a_run(open_store: Callable[[], SqlEvalStore]) -> None:
    one, other = open_store(), open_store()
    with one.alone("r1"), other.alone("r2"):
        with pytest.raises(EvalError, match="at work on the run r1"), other.alone("r1"):
            pytest.fail("two have it")
        with pytest.raises(OSError, match="ours"), other.alone("r3"):
            raise OSError("ours")
    with other.alone("r1"):
        pass


def test_openings_are_counted(store: SqlEvalStore) -> None:
    one = Opening(domain="d", who="ana", at="2026", run="r1", config="k", model="m")
    assert [store.open_sealed(one), store.open_sealed(one)] == [1, 2]
    assert store.openings("d") == [one, one]
    assert store.openings("e") == []


def test_what_is_not_there_is_said(store: SqlEvalStore) -> None:
    with pytest.raises(EvalError, match="no eval run r9"):
        store.record("r9")


@pytest.mark.usefixtures("in_file")
def test_what_is_not_ours_is_said(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state" / "harness.db") as raw:
        raw.execute("UPDATE eval_format SET number = 99")
    with pytest.raises(StateError, match="newer version"):
        SqlEvalStore(tmp_path / "state" / "harness.db").record("r1")


def test_a_damaged_row_and_a_damaged_file_are_said(in_file: SqlEvalStore, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state" / "harness.db") as raw:
        raw.execute("UPDATE eval_runs SET record = '{'")
        raw.execute(
            "INSERT INTO eval_generations VALUES ('r1', 'c9', 0, 'k', '{}, {', '', 0),"
            " ('r1', 'c8', 0, 'k', '{\"text\": \"\"}', '', 0)"
        )
    for read in (in_file.record, lambda run: list(in_file.generations(run))):
        with pytest.raises(StateError, match="damaged"):
            read("r1")
    (tmp_path / "harness.db").write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match="damaged"):
        SqlEvalStore(tmp_path / "harness.db").record("r1")


def test_a_full_disk_is_said_and_keeps_what_was_there(in_file: SqlEvalStore) -> None:
    store = in_file
    store.keep([GENERATION], "r1")
    with store._database().connect() as connection:
        connection.connection.cursor().execute("PRAGMA max_page_count = 30")
    big = Generation(case="c2", repeat=0, key="k", work=Work(text="x" * 1_000_000))
    with pytest.raises(StateError, match="no room left for the eval runs"):
        store.keep([big], "r1")
    assert list(store.generations("r1")) == [GENERATION]
