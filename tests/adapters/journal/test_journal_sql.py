"""What a run's record gives back, in SQLite and in PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from harness.adapters.journal_blobs import IN_TABLE
from harness.adapters.journal_rows import INLINE_BYTES
from harness.adapters.journal_sql import SqlJournal
from harness.adapters.journal_tables import METADATA
from harness.errors import (
    JournalDamaged,
    RunBusy,
    RunErased,
    RunNotFound,
    StateError,
    UsageError,
)
from harness.journal.commands import Answer, Cancel, Decide, Steer
from harness.journal.events import (
    Event,
    FileChanged,
    MessageCompleted,
    QuestionAsked,
    RunFinished,
    RunStarted,
    SteerReceived,
    ToolFinished,
    UnknownEvent,
)
from harness.journal.parts import Blob
from harness.values import Usage

Fill = Callable[..., SqlJournal]


def said(text: str, step: int = 1) -> MessageCompleted:
    return MessageCompleted(
        step=step,
        text=text,
        usage=Usage(input_tokens=10, output_tokens=5, cost_usd=Decimal("0.01")),
    )


def test_what_was_appended_is_read_again(anywhere: Any, started: RunStarted) -> None:
    journal = anywhere.open()
    with journal.start("r1") as writer:
        first = writer.append(started)
        more = writer.append(said("a"), ToolFinished(step=1, call="c", tool="t", text="ä\ud83d"))
        assert (writer.seq, writer.tally.tokens) == (3, 15)
    read = list(anywhere.open().read("r1"))
    assert tuple(read) == first + more
    assert [one.seq for one in read] == [1, 2, 3]
    assert list(journal.read("r1", after=1, until=2)) == [more[0]]
    assert list(journal.read("r1", after=3)) == []


def test_an_append_is_all_or_nothing(anywhere: Any, started: RunStarted) -> None:
    journal = anywhere.open()
    with journal.start("r1") as writer:
        writer.append(started)
        missing = FileChanged(path="a", after=Blob(hash="a" * 64, bytes=1), turn=1)
        with pytest.raises(UsageError, match="never put"):
            writer.append(said("lost"), missing)
        with pytest.raises(UsageError, match="never sent"):
            writer.append(said("lost"), consumed=[7])
        assert writer.seq == 1
        writer.append(said("kept"))
    assert [one.event for one in journal.read("r1", after=1)] == [said("kept")]
    assert journal.verify("r1").clean


@pytest.mark.parametrize(
    ("seq", "events", "reasoning"),
    [
        (0, [said("a")], None),
        (1, [RunStarted(goal="", domain="", domain_version="", model="")], None),
        (1, [], None),
        (1, [SteerReceived(text="x")], {"a": 1}),
        (1, [said("a"), said("b")], {"a": 1}),
        (1, [MessageCompleted(step=1, message={"content": [{"type": "thinking"}]})], None),
    ],
)
def test_what_can_not_be_recorded_is_refused(
    anywhere: Any, started: RunStarted, seq: int, events: list[Event], reasoning: Any
) -> None:
    with anywhere.open().start("r1") as writer:
        if seq:
            writer.append(started)
        with pytest.raises(UsageError):
            writer.append(*events, reasoning=reasoning)
        assert writer.seq == seq


def test_arguments_nested_without_end_are_refused_in_words(
    sqlite: Any, started: RunStarted
) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with sqlite.open().start("r1") as writer:
        writer.append(started)
        with pytest.raises(UsageError, match="nested too deeply"):
            writer.append(ToolFinished(step=1, call="c", tool="t", artifact=deep))


def test_a_large_event_goes_to_a_blob_by_itself(place: Any, started: RunStarted) -> None:
    journal = place.open()
    with journal.start("r1") as writer:
        writer.append(started)
        [large] = writer.append(said("x" * (INLINE_BYTES + 1)))
    [row] = rows(place, "SELECT payload, spilled FROM events WHERE seq = 2")
    assert row.payload is None
    [blob] = rows(place, "SELECT payload FROM blobs")
    assert len(blob.payload) > INLINE_BYTES
    assert list(journal.read("r1", after=1)) == [large]
    with journal.open_writer("r1") as writer:
        writer.append(said("x" * (IN_TABLE + 1)))
    [row] = rows(place, "SELECT payload, spilled FROM events WHERE seq = 3")
    assert journal._blobs.file("r1", row.spilled).stat().st_size > IN_TABLE
    assert journal.verify("r1").clean


def test_the_same_content_is_one_blob_in_a_run_and_another_in_another_run(
    place: Any, started: RunStarted
) -> None:
    journal = place.open()
    with journal.start("r1") as one, journal.start("r2") as two:
        blob, same, other = one.put_blob(b"abc"), one.put_blob(b"abc"), two.put_blob(b"abc")
        assert blob == same
        assert blob.hash != other.hash
        assert blob.bytes == 3
        for writer, kept in ((one, blob), (two, other)):
            writer.append(started, FileChanged(path="a", after=kept, turn=1))
            writer.append(FileChanged(path="b", after=writer.put_blob(b"abc"), turn=1))
    assert journal.blob("r1", blob) == b"abc"
    with pytest.raises(JournalDamaged, match="is not in"):
        journal.blob("r1", other)
    with pytest.raises(JournalDamaged, match="no name"):
        journal.blob("r1", Blob(hash="../../r2/x", bytes=1))


def test_what_a_newer_program_wrote_is_copied_unchanged(anywhere: Any, started: RunStarted) -> None:
    journal = anywhere.open()
    event = UnknownEvent(name="tool.dreamt", version=9, payload=b'{"a" : 1}')
    with journal.start("r1") as writer:
        writer.append(started)
        blob = writer.put_blob(b"x")
        named = UnknownEvent(name="x.y", version=1, payload=b"{}", blobs=(blob.hash,))
        writer.append(event, named)
    assert [one.event for one in journal.read("r1", after=1)] == [event, named]
    assert journal.verify("r1").clean


def test_reasoning_comes_back_by_its_own_door_only(anywhere: Any, started: RunStarted) -> None:
    journal = anywhere.open()
    sealed = [{"type": "thinking", "thinking": "hm hm", "signature": "s"}]
    with journal.start("r1") as writer:
        writer.append(started)
        recorded = writer.append(
            said("a"), ToolFinished(step=1, call="c", tool="t"), reasoning=sealed
        )
        writer.append(said("b", 2), reasoning={"x": 1})
    assert list(journal.reasoning_for("r1")) == [(2, sealed), (4, {"x": 1})]
    assert "hm hm" not in repr(list(journal.read("r1")))
    assert isinstance(recorded[0].event, MessageCompleted)
    assert len(recorded[0].event.reasoning) == 64
    assert journal.verify("r1").clean


def test_a_list_of_runs_says_how_far_they_are(anywhere: Any, started: RunStarted) -> None:
    journal = anywhere.open()
    with journal.start("r1") as writer:
        writer.append(started)
        writer.append(said("a"), QuestionAsked(question="q", text="?"))
        [one] = journal.runs()
        assert (one.run, one.events, one.tally.goal) == ("r1", 3, "Check it.")
        assert (one.tally.state, one.tally.waiting) == ("waiting", ("q",))
        assert (one.tally.steps, one.tally.tokens, one.tally.usd) == (1, 15, Decimal("0.01"))
        assert one.worker.startswith("process ")
        assert one.started <= one.updated
    with journal.start("r2") as writer:
        child = RunStarted(
            goal="part", domain="law", domain_version="v", model="m", parent="r1", relation="fork"
        )
        writer.append(child, RunFinished(stop="completed"))
    with journal.start("r3"):
        pass  # begun, and nothing recorded: no run yet
    assert [one.run for one in journal.runs()] == ["r2", "r1"]
    assert [one.run for one in journal.runs(parent="r1")] == ["r2"]
    assert journal.run("r1").worker == ""
    assert journal.run("r2").tally.state == "completed"


def test_a_run_goes_on_where_it_ended(filled_anywhere: Fill, anywhere: Any) -> None:
    filled_anywhere(steps=3)
    journal = anywhere.open()
    with journal.open_writer("r1") as writer:
        assert (writer.seq, writer.tally.goal) == (7, "Check it.")
        writer.append(said("more"))
    assert [one.seq for one in journal.read("r1")] == list(range(1, 9))
    assert journal.verify("r1").clean


def test_names_of_runs_are_checked(anywhere: Any, started: RunStarted) -> None:
    journal = anywhere.open()
    for name in ("", "../x", "a/b", ".hidden", "a b", "x" * 200):
        with pytest.raises(UsageError):
            journal.start(name)
    with journal.start("r1") as one, journal.start("r1") as other:
        one.append(started)
        with pytest.raises(UsageError, match="already"):
            other.append(started)
    with pytest.raises(UsageError, match="already"):
        journal.start("r1")
    journal.start("r9").close()  # nothing came of it
    for call in (journal.read, journal.tail, journal.reasoning_for):
        with pytest.raises(RunNotFound, match="harness runs list"):
            list(call("r9"))
    for one in (journal.open_writer, journal.run, journal.erase, journal.verify):
        with pytest.raises(RunNotFound):
            one("r9")
    with pytest.raises(RunNotFound):
        journal.send("r9", Cancel())


def test_commands_wait_in_order_and_are_taken_once(anywhere: Any, started: RunStarted) -> None:
    journal, elsewhere = anywhere.open(), anywhere.open()
    commands = [
        Steer(text="shorter", by="Ann"),
        Decide(call="c", decision="allow", arguments={"a": [1]}, reason="fine"),
        Answer(question="q", text="42"),
        Cancel(reason="enough"),
    ]
    with journal.start("r1") as writer, journal.start("r2") as other:
        writer.append(started)
        ids = [elsewhere.send("r1", command) for command in commands]
        assert other.inbox() == ()
        waiting = writer.inbox()
        assert [one.command for one in waiting] == commands
        assert [one.id for one in waiting] == ids == sorted(ids)
        writer.append(SteerReceived(text="shorter", by="Ann"), consumed=ids[:1])
        with pytest.raises(UsageError, match="taken before"):
            writer.append(SteerReceived(text="again"), consumed=ids[:2])
        assert [one.id for one in writer.inbox()] == ids[1:]
    with elsewhere.open_writer("r1") as writer:
        assert writer.seq == 2
        assert [one.command for one in writer.inbox()] == commands[1:]


def test_a_command_that_was_altered_is_not_carried_out(filled: Fill, place: Any) -> None:
    journal = filled()
    journal.send("r1", Answer(question="q", text="42"))
    place.attack("UPDATE inbox SET type = 'cancel' WHERE type = 'answer'")
    with journal.open_writer("r1") as writer, pytest.raises(JournalDamaged, match="command"):
        writer.inbox()


def test_only_one_may_write(filled_anywhere: Fill, anywhere: Any) -> None:
    journal = filled_anywhere()
    with journal.open_writer("r1") as writer:
        with pytest.raises(RunBusy, match="process") as caught:
            anywhere.open().open_writer("r1")
        assert caught.value.owner in str(caught.value)
        with pytest.raises(RunBusy):
            journal.erase("r1")
        writer.append(said("a"))
    with pytest.raises(StateError, match="closed"):
        writer.append(said("b"))
    with pytest.raises(StateError, match="closed"):
        writer.inbox()
    writer.close()
    anywhere.open().open_writer("r1").close()


def test_who_lost_the_lease_can_not_append(filled: Fill, place: Any) -> None:
    """As after a machine slept so long that another one took over."""
    journal = filled()
    slept = journal.open_writer("r1")
    place.attack("UPDATE runs SET boot = 'elsewhere', beat = 0")
    with place.open().open_writer("r1") as writer:
        writer.append(said("the new one's"))
        with pytest.raises(RunBusy, match="took over"):
            slept.append(said("the old one's"))
    slept.close()
    assert journal.read("r1", after=11).__next__().event == said("the new one's")
    assert journal.verify("r1").clean


@pytest.mark.parametrize("table", ["events", "reasoning"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET seq = seq", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_stands(
    place: Any, started: RunStarted, table: str, verb: str
) -> None:
    journal = place.open()
    with journal.start("r1") as writer:
        writer.append(started)
        writer.append(said("a"), reasoning=[1])
    with (
        pytest.raises(StateError, match="append-only"),
        journal._database.connect(write=True) as connection,
        journal._database.writing(connection),
    ):
        connection.exec_driver_sql(verb.format(table))
    assert journal.verify("r1").clean


def test_a_database_of_a_newer_program_is_left_alone(place: Any) -> None:
    place.open().close()
    place.open().close()
    assert len(rows(place, "SELECT * FROM journal_versions")) == 1
    place.attack("INSERT INTO journal_versions (version, applied) VALUES (99, 'tomorrow')")
    with pytest.raises(StateError, match="newer version of this program"):
        place.open()


def test_the_tables_are_what_the_program_thinks(place: Any) -> None:
    journal = place.open()
    inspector = sa.inspect(journal._database.engine)
    assert set(inspector.get_table_names()) == set(METADATA.tables)
    for name, table in METADATA.tables.items():
        there = {one["name"]: one["nullable"] for one in inspector.get_columns(name)}
        thought = {one.name: one.nullable for one in table.columns}
        keys = {one.name for one in table.primary_key}
        assert list(there) == list(thought)
        assert {n: v for n, v in there.items() if n not in keys} == {
            n: v for n, v in thought.items() if n not in keys
        }


def test_a_tail_follows_to_the_end(anywhere: Any, started: RunStarted) -> None:
    writing, reading = anywhere.open(), anywhere.open()
    writer = writing.start("r1")
    writer.append(started)
    got: list[int] = []

    def follow() -> None:
        got.extend(one.seq for one in reading.tail("r1", poll=0.001))

    thread = threading.Thread(target=follow)
    thread.start()
    for step in range(1, 30):
        writer.append(said("x", step))
    writer.append(RunFinished(stop="completed"))
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert got == list(range(1, 32))
    assert list(reading.tail("r1", after=31)) == []
    assert [one.seq for one in reading.tail("r1", after=29)] == [30, 31]
    writer.close()


def test_a_tail_ends_when_it_is_told_to(filled_anywhere: Fill) -> None:
    journal = filled_anywhere(steps=2)
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert [one.seq for one in journal.tail("r1", after=3, poll=0.001, stop=stop)] == [4, 5]
    assert len(asked) == 3


def test_an_erased_run_can_not_be_read_but_verifies(filled_anywhere: Fill, anywhere: Any) -> None:
    journal = filled_anywhere()
    with journal.open_writer("r1") as writer:
        blob = writer.put_blob(b"secret plans")
        writer.append(FileChanged(path="a", after=blob, turn=1))
        writer.append(said("a"), reasoning=["hm"])
    journal.erase("r1")
    journal.erase("r1")
    for one in (journal, anywhere.open()):
        for call in (one.read, one.reasoning_for, one.tail):
            with pytest.raises(RunErased):
                list(call("r1"))
        with pytest.raises(RunErased):
            one.blob("r1", blob)
        with pytest.raises(RunErased):
            one.open_writer("r1")
        with pytest.raises(RunErased):
            one.send("r1", Cancel())
        with pytest.raises(RunErased):
            one.start("r1")
        summary = one.run("r1")
        assert summary.erased is not None
        assert (summary.tally.goal, summary.tally.steps) == ("", 1)
        assert one.verify("r1").clean


def test_an_erased_run_that_is_altered_is_told(filled: Fill, place: Any) -> None:
    journal = filled()
    journal.erase("r1")
    place.attack("UPDATE events SET at = at + 1 WHERE seq = 3")
    assert [one.kind for one in journal.verify("r1").findings] == ["changed"]


def rows(place: Any, statement: str) -> Any:
    engine = sa.create_engine(place.database.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(statement)).all()
    finally:
        engine.dispose()
