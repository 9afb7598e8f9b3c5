"""A record altered behind the journal's back: what `verify` says, and what reading does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from harness.adapters.journal_blobs import IN_TABLE
from harness.adapters.journal_sql import SqlJournal
from harness.errors import JournalDamaged, UsageError
from harness.journal.chain import GENESIS, Link, link_hash, sha256
from harness.journal.events import FileChanged, MessageCompleted, RunStarted
from harness.journal.verify import Verdict

Fill = Callable[..., SqlJournal]


def found(verdict: Verdict) -> list[tuple[str, int]]:
    return [(one.kind, one.seq) for one in verdict.findings]


def flip(data: bytes, at: int = -1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def payload(place: Any, seq: int) -> bytes:
    engine = sa.create_engine(place.database.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            asked = sa.text("SELECT payload FROM events WHERE seq = :seq")
            return bytes(connection.scalar(asked, {"seq": seq}))
    finally:
        engine.dispose()


def test_one_flipped_bit_is_reported_at_its_event(filled: Fill, place: Any) -> None:
    journal = filled()
    assert journal.verify("r1").clean
    changed = flip(payload(place, 6))
    place.attack("UPDATE events SET payload = :payload WHERE seq = 6", payload=changed)
    assert found(journal.verify("r1")) == [("changed", 6)]
    read = journal.read("r1")
    assert [next(read).seq for _ in range(5)] == [1, 2, 3, 4, 5]
    with pytest.raises(JournalDamaged, match=r"Event 6 of run r1 was altered.*verify r1"):
        next(read)


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        ("UPDATE events SET type = 'run.resumed' WHERE seq = 4", [("changed", 4)]),
        ("UPDATE events SET at = at - 1 WHERE seq = 1", [("changed", 1)]),
        ("DELETE FROM events WHERE seq = 4", [("removed", 4)]),
        ("DELETE FROM events WHERE seq > 9", [("truncated", 10)]),
        ("DELETE FROM events", [("truncated", 1)]),
        ("DELETE FROM runs", [("head", 11)]),
        ("UPDATE runs SET seq = 9", [("head", 9)]),
        ("UPDATE runs SET hash = signature", [("head", 11)]),
        (
            "UPDATE events SET seq = 30 - seq WHERE seq > 9 AND seq < 12",
            [("reordered", 19), ("reordered", 20)],
        ),
    ],
)
def test_each_change_of_the_database_is_named(
    filled: Fill, place: Any, statement: str, kinds: list[tuple[str, int]]
) -> None:
    journal = filled()
    place.attack(statement)
    assert found(journal.verify("r1")) == kinds


def test_a_run_that_was_taken_out_whole_is_missed(filled: Fill, place: Any) -> None:
    journal = filled()
    filled("r2")
    for table in ("events", "runs"):
        place.attack(f"DELETE FROM {table} WHERE run = 'r1'")
    assert {one.run: one.clean for one in journal.verify_all()} == {"r1": False, "r2": True}
    with pytest.raises(JournalDamaged, match="older copy"):
        journal.start("r1")


def test_a_run_rewritten_and_hashed_anew_is_found(filled: Fill, place: Any) -> None:
    """The chain has no key: who can write the database can make it fit again, but not sign it."""
    journal = filled()
    previous = GENESIS
    for link in journal._reads.snapshot("r1")[1]:
        stored = payload(place, link.seq)
        stored = stored if link.seq < 6 else flip(stored, 0)
        values = {name: getattr(link, name) for name in Link.__slots__}
        new = Link(**{**values, "digest": sha256(stored), "previous": previous})
        previous = link_hash(new)
        place.attack(
            "UPDATE events SET payload = :p, previous = :v, hash = :h WHERE seq = :s",
            p=stored, v=new.previous, h=previous, s=link.seq,
        )  # fmt: skip
    # After the last event of a commit, an anchor: 1, 3, 5, 7, …
    assert found(journal.verify("r1")) == [("rewritten", 6)]
    place.attack("UPDATE runs SET hash = :h", h=previous)
    assert found(journal.verify("r1")) == [("rewritten", 6), ("head", 11)]
    with pytest.raises(JournalDamaged, match="verify r1"):
        journal.open_writer("r1")


@pytest.fixture
def with_more(place: Any, started: RunStarted) -> tuple[SqlJournal, str]:
    return kept(place, started, b"content")


def kept(place: Any, started: RunStarted, content: bytes) -> tuple[SqlJournal, str]:
    journal = place.open()
    with journal.start("r1") as writer:
        writer.append(started)
        blob = writer.put_blob(content)
        writer.append(FileChanged(path="a", after=blob, turn=1))
        writer.append(MessageCompleted(step=1, text="x"), reasoning={"a": "hm"})
    return journal, blob.hash


def test_a_small_blob_is_missed_and_its_change_seen(
    with_more: tuple[SqlJournal, str], place: Any
) -> None:
    journal, name = with_more
    place.attack("UPDATE blobs SET payload = :p WHERE name = :n", p=b"x" * 40, n=name)
    assert found(journal.verify("r1")) == [("blob_changed", 2)]
    with pytest.raises(JournalDamaged, match="altered"):
        [journal.blob("r1", one.event.after) for one in journal.read("r1", 1, 2)]  # type: ignore[attr-defined] # a FileChanged
    place.attack("DELETE FROM blobs")
    assert found(journal.verify("r1")) == [("blob_missing", 2)]


def test_a_large_blob_is_missed_and_its_change_seen(place: Any, started: RunStarted) -> None:
    journal, name = kept(place, started, b"content" * IN_TABLE)
    file = journal._blobs.file("r1", name)
    whole = file.read_bytes()
    file.write_bytes(flip(whole))
    assert found(journal.verify("r1")) == [("blob_changed", 2)]
    with pytest.raises(JournalDamaged, match="altered"):
        [journal.blob("r1", one.event.after) for one in journal.read("r1", 1, 2)]  # type: ignore[attr-defined] # a FileChanged
    file.unlink()
    assert found(journal.verify("r1")) == [("blob_missing", 2)]
    file.write_bytes(whole)
    assert journal.verify("r1").clean


def test_sealed_reasoning_is_missed_and_its_change_seen(
    with_more: tuple[SqlJournal, str], place: Any
) -> None:
    journal, _ = with_more
    place.attack("UPDATE reasoning SET payload = :p", p=b"x" * 40)
    assert found(journal.verify("r1")) == [("reasoning_changed", 3)]
    with pytest.raises(JournalDamaged, match="sealed reasoning of event 3"):
        list(journal.reasoning_for("r1"))
    place.attack("DELETE FROM reasoning")
    assert found(journal.verify("r1")) == [("reasoning_missing", 3)]


@pytest.mark.parametrize("name", ["x", "../../../etc/passwd"])
def test_a_row_that_names_a_strange_blob_does_no_harm(
    with_more: tuple[SqlJournal, str], place: Any, name: str
) -> None:
    journal, _ = with_more
    place.attack("UPDATE events SET blobs = :n WHERE seq = 2", n=name)
    assert found(journal.verify("r1")) == [("changed", 2), ("blob_missing", 2)]


def test_an_old_copy_of_the_state_is_seen_and_not_written(sqlite: Any) -> None:
    journal = sqlite.open()
    started = RunStarted(goal="g", domain="d", domain_version="v", model="m")
    with journal.start("r1") as writer:
        writer.append(started)
    journal.close()
    copy = {file: file.read_bytes() for file in sqlite.home.glob("harness.db*")}
    journal = sqlite.open()
    with journal.open_writer("r1") as writer:
        writer.append(MessageCompleted(step=1))
    journal.close()
    for file in sqlite.home.glob("harness.db*"):
        file.unlink()
    for file, content in copy.items():
        file.write_bytes(content)
    journal = sqlite.open()
    assert found(journal.verify("r1")) == [("truncated", 2)]
    with pytest.raises(JournalDamaged, match="older copy"):
        journal.open_writer("r1")
    assert journal.run("r1").worker == ""
    assert len(list(journal.read("r1"))) == 1


def test_an_anchor_may_lag_and_end_in_a_torn_line(filled: Fill, place: Any) -> None:
    """As after a power cut."""
    journal = filled()
    anchor = next((place.keys / "anchors").glob("*/r1"))
    whole = anchor.read_bytes()
    anchor.write_bytes(whole[: len(whole) // 2])
    verdict = journal.verify("r1")
    assert verdict.clean
    assert "the anchor ends at event" in verdict.notes[0]
    with journal.open_writer("r1") as writer:
        writer.append(MessageCompleted(step=9))
    verdict = journal.verify("r1")
    assert verdict.clean
    assert verdict.notes == ()
    anchor.unlink()
    assert journal.verify("r1").clean


def test_an_anchor_that_can_not_be_written_stops_no_work(
    filled: Fill, place: Any, caplog: pytest.LogCaptureFixture
) -> None:
    journal = filled()
    anchor = next((place.keys / "anchors").glob("*/r1"))
    with journal.open_writer("r1") as writer:
        kept = anchor.rename(anchor.with_name("kept"))
        anchor.symlink_to("/dev/full")
        writer.append(MessageCompleted(step=9))
    assert "is behind: No space left" in caplog.text
    anchor.unlink()
    kept.rename(anchor)
    assert journal.run("r1").events == 12
    assert journal.verify("r1").clean


def test_another_keys_folder_is_no_way_around(filled: Fill, place: Any, tmp_path: Path) -> None:
    filled()
    other = SqlJournal(place.home, tmp_path / "other", url=place.url)
    place.opened.append(other)
    with pytest.raises(JournalDamaged, match="HARNESS_KEYS"):
        list(other.read("r1"))
    with pytest.raises(JournalDamaged, match="HARNESS_KEYS"):
        other.open_writer("r1")
    assert ("head", 11) in found(other.verify("r1"))
    assert other.runs()[0].tally.goal == ""  # a list shows what it can


def test_keys_may_not_lie_beside_what_they_open(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="HARNESS_KEYS"):
        SqlJournal(tmp_path, tmp_path / "keys")
