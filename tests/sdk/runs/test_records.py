"""The runs of a state folder as the SDK shows them, over a real journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import RunErased, RunNotFound, UsageError
from harness.journal.commands import Answer, Cancel, Decide, Steer
from harness.journal.events import (
    ApprovalRequested,
    FileChanged,
    PlanUpdated,
    QuestionAsked,
    RunFinished,
    RunStarted,
)
from harness.journal.parts import PlanStep
from harness.sdk.journal_door import JournalDoor
from harness.sdk.records import Records, workspace_folder
from harness.settings import Settings
from harness.wiring import make_workspace


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    monkeypatch.setenv("HARNESS_KEYS", str(tmp_path / "keys"))
    door = JournalDoor(Settings(), tmp_path / "home")
    yield Records(door)
    door.close()


def begun(records: Records, name: str = "20260101-000000-aa", **more: str) -> str:
    with records.journal.start(name) as writer:
        writer.append(
            RunStarted(goal="Do it.", domain="small", domain_version="1", model="m", **more)
        )
        writer.append(
            PlanUpdated(steps=(PlanStep(text="read", state="done"),)),
            FileChanged(path="a.md", turn=1),
            ApprovalRequested(call="c1", tool="send", preview="To: you"),
            ApprovalRequested(call="c2", tool="send"),
            QuestionAsked(question="q1", text="Which one?"),
        )
    return name


def test_a_run_is_told_from_its_events(records: Records) -> None:
    run = begun(records)
    told = records.show(run)
    assert told.started.goal == "Do it."
    assert [one.text for one in told.plan] == ["read"]
    assert [one.call for one in told.approvals] == ["c1", "c2"]
    assert [one.text for one in told.questions] == ["Which one?"]
    assert told.files == ("a.md",)
    assert told.finished is None
    assert [one.run for one in records.list(domain="small", state="waiting")] == [run]
    assert records.list(domain="other") == []
    with pytest.raises(UsageError, match=r"no state .wating.\. .*running, stopped, waiting"):
        records.list(state="wating")


def test_a_run_that_its_process_left_is_stopped_and_an_erased_one_erased(records: Records) -> None:
    with records.journal.start("r1") as writer:
        writer.append(RunStarted(goal="x", domain="small", domain_version="v", model="m"))
        assert records.list(state="stopped") == []
        assert [one.run for one in records.list(state="running")] == ["r1"]
    assert [one.run for one in records.list(state="stopped")] == ["r1"]
    records.erase("r1")
    assert [one.run for one in records.list(state="erased")] == ["r1"]
    assert records.list(state="stopped") == []


def test_a_run_is_found_by_its_beginning(records: Records) -> None:
    first, second = begun(records, "20260101-aa"), begun(records, "20260101-bb")
    child = begun(records, "20260102-cc", parent=second, relation="delegate")
    assert records.find("20260101-a") == first
    assert records.find(first) == first
    assert records.find("last") != child
    with pytest.raises(UsageError, match="2 runs begin"):
        records.find("20260101")
    with pytest.raises(RunNotFound):
        records.find("2027")


def test_what_people_say_goes_to_the_inbox_in_order(records: Records) -> None:
    run = begun(records)
    records.steer(run, "shorter")
    records.answer(run, "the first")
    with pytest.raises(UsageError, match="2 of them wait"):
        records.approve(run)
    records.approve(run, "c1", scope="run", arguments={"to": "me"}, reason="fine")
    records.deny(run, "c2", reason="no")
    records.cancel(run)
    with pytest.raises(UsageError, match="no approval c9"):
        records.deny(run, "c9")
    with pytest.raises(UsageError, match="nothing to say"):
        records.steer(run, " ")
    with records.journal.open_writer(run) as writer:
        sent = [one.command for one in writer.inbox()]
    assert [type(one) for one in sent] == [Steer, Answer, Decide, Decide, Cancel]
    allowed = sent[2]
    assert isinstance(allowed, Decide)
    assert (allowed.call, allowed.decision, allowed.scope) == ("c1", "allow", "run")
    assert allowed.arguments == {"to": "me"}
    assert allowed.by


def test_a_run_that_has_ended_takes_nothing_more(records: Records) -> None:
    run = begun(records)
    with records.journal.open_writer(run) as writer:
        writer.append(RunFinished(stop="completed", answer="done"))
    for say in (records.cancel, lambda name: records.steer(name, "x")):
        with pytest.raises(UsageError, match="has ended"):
            say(run)
    told = records.show(run)
    assert told.finished
    assert told.finished.answer == "done"


def test_it_is_exported_and_erased_with_its_workspace_and_children(records: Records) -> None:
    run = begun(records)
    child = begun(records, "child", parent=run, relation="delegate")
    workspace = make_workspace(workspace_folder(records.door.home, run))
    workspace.write("a.md", b"private")
    lines = [json.loads(line) for line in records.export(run)]
    assert [one["seq"] for one in lines] == [1, 2, 3, 4, 5, 6]
    assert "Do it." in "".join(records.export(run, "markdown"))
    records.erase(run)
    assert not workspace.folder.exists()
    for name in (run, child):
        with pytest.raises(RunErased):
            records.show(name)
        assert records.verify(name)[0].clean
    assert all(one.clean for one in records.verify())


def test_following_ends_where_nobody_works(records: Records) -> None:
    run = begun(records)
    assert [one.seq for one in records.follow(run, after=2)] == [3, 4, 5, 6]
