"""Keys, leases and secrets: who may read, who may write, and what never gets in."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.journal_anchor import Anchor
from harness.adapters.journal_blobs import MAX_BYTES, Blobs
from harness.adapters.journal_keys import Keys
from harness.adapters.journal_lease import STALE, Pulse, is_dead, microseconds, my_lease
from harness.adapters.journal_seal import RunCipher
from harness.errors import (
    HarnessError,
    JournalDamaged,
    RunErased,
    StateError,
    UsageError,
)
from harness.journal.commands import Steer
from harness.journal.events import (
    FileChanged,
    MessageCompleted,
    RunStarted,
    ToolFinished,
    ToolStarted,
)
from harness.journal.export import to_jsonl, to_markdown
from harness.journal.masking import Masker
from harness.journal.parts import ToolCall
from harness.settings import Settings, find_keys
from harness.wiring import make_journal


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_their_owner_can_read_keys(sqlite: Any, started: RunStarted) -> None:
    with sqlite.open().start("r1") as writer:
        writer.append(started)
    files = [path for path in sqlite.keys.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"r1", "r1.key", "sign.key", "sign.pub"}
    assert {mode(path) for path in files} == {0o600}
    assert {mode(path) for path in sqlite.keys.rglob("*") if path.is_dir()} == {0o700}
    assert mode(sqlite.keys) == 0o700


def test_a_key_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    made: list[bytes] = []

    def make() -> None:
        made.append(Keys(tmp_path / "keys").make("r1"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert [path.name for path in (tmp_path / "keys" / "runs").iterdir()] == ["r1.key"]


def test_an_erased_key_is_gone_from_the_disk(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    key = keys.make("r1")
    held = (tmp_path / "keys" / "runs" / "r1.key").open("rb")  # as a backup by link would
    keys.erase("r1")
    assert held.read() != key
    held.close()
    assert not (tmp_path / "keys" / "runs" / "r1.key").exists()
    for call in (keys.load, keys.make):
        with pytest.raises(RunErased):
            call("r1")
    keys.erase("r1")


def test_an_erasure_cut_short_is_finished_at_the_next_look(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    keys.make("r1")
    (tmp_path / "keys" / "runs" / "r1.erased").touch()
    with pytest.raises(RunErased):
        keys.load("r1")
    assert not (tmp_path / "keys" / "runs" / "r1.key").exists()


def test_an_erasure_is_not_claimed_where_it_failed(
    sqlite: Any, started: RunStarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = sqlite.open()
    with journal.start("r1") as writer:
        writer.append(started)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(StateError, match="could not be destroyed"):
        journal.erase("r1")
    monkeypatch.undo()
    assert journal.run("r1").erased is None
    assert journal.run("r1").worker == ""
    assert len(list(journal.read("r1"))) == 1


def test_a_keys_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(StateError, match="HARNESS_KEYS"):
        Keys(tmp_path / "file" / "keys").make("r1")


def test_a_ciphertext_opens_only_where_it_belongs() -> None:
    key = bytes(range(32))
    one, other = RunCipher("r1", key), RunCipher("r2", key)
    sealed = one.seal(b"data", "event 1")
    assert one.open(sealed, "event 1") == b"data"
    assert one.seal(b"data", "event 1") != sealed
    for cipher, place in ((one, "event 2"), (other, "event 1")):
        with pytest.raises(ValueError, match="does not open"):
            cipher.open(sealed, place)
    for short in (b"", b"x", sealed[:13]):
        with pytest.raises(ValueError, match="does not open"):
            one.open(short, "event 1")
    with pytest.raises(ValueError, match="does not open"):
        one.open(one.seal_reasoning(b"hm"), "event 1")
    with pytest.raises(ValueError, match="does not open"):
        one.open_blob(other.seal_blob(b"x"))


def test_a_blob_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return MAX_BYTES + 1

    with pytest.raises(UsageError, match="too large"):
        Blobs(tmp_path).put("r1", RunCipher("r1", bytes(32)), Huge())


def test_a_blob_cut_short_by_a_crash_is_written_anew(tmp_path: Path) -> None:
    blobs, cipher = Blobs(tmp_path / "blobs"), RunCipher("r1", bytes(32))
    blob = blobs.put("r1", cipher, b"content")
    file = blobs.file("r1", blob.hash)
    file.write_bytes(b"half")
    assert blobs.put("r1", cipher, b"content") == blob
    assert blobs.get("r1", cipher, blob.hash) == b"content"
    file.unlink()
    file.mkdir()
    with pytest.raises(StateError, match="can't be kept"):
        blobs.get("r1", cipher, blob.hash)


# --- leases ---------------------------------------------------------------------------------------


def test_a_process_of_this_machine_is_known_by_more_than_its_number() -> None:
    mine, now = my_lease(), microseconds()
    assert not is_dead(mine, 0, now)  # however long ago it beat
    assert is_dead(dataclasses.replace(mine, born=mine.born - 1), now, now)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    zombie = dataclasses.replace(mine, pid=ended.pid)
    while not is_dead(zombie, now, now):
        time.sleep(0.01)  # it ended, but nobody waited for it yet
    ended.wait()
    assert is_dead(zombie, now, now)
    assert str(mine) == f"process {os.getpid()} on {mine.host}"


def test_a_process_elsewhere_is_known_by_its_heartbeat() -> None:
    now = microseconds()
    away = dataclasses.replace(my_lease(), boot="another/machine", pid=1)
    assert not is_dead(away, now, now)
    assert not is_dead(away, now + 10**9, now)  # its clock is ahead of ours
    assert is_dead(away, now - int((STALE + 1) * 1e6), now)
    renamed = dataclasses.replace(my_lease(), host="other")
    assert not is_dead(renamed, now, now)


def test_a_writer_shows_that_it_is_there_while_it_appends_nothing(
    place: Any, started: RunStarted
) -> None:
    journal = place.open()
    journal._pulse = Pulse(every=0.01)
    with journal.start("r1") as writer:
        writer.append(started)
        place.attack("UPDATE runs SET beat = 0")
        deadline = time.monotonic() + 30
        while journal._reads.row("r1").beat == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert journal._pulse._wake is None
    writer.beat()  # closed: does nothing


def test_a_heartbeat_that_fails_is_logged_and_no_more(
    sqlite: Any, started: RunStarted, caplog: pytest.LogCaptureFixture
) -> None:
    journal = sqlite.open(lock_timeout=0.05)
    with journal.start("r1") as writer:
        writer.append(started)
        holder = journal._database.connect(write=True)
        with journal._database.writing(holder):
            writer.beat()
        holder.close()
        assert "could not show" in caplog.text
        writer.append(MessageCompleted(step=1))


def test_a_torn_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    file = keys.anchor_file("r1")
    file.write_bytes(b"12 abcd")
    from harness.adapters.journal_anchor import last_anchor, read_anchor
    from harness.journal.chain import Head

    anchor = Anchor(file)
    for seq in (13, 14):
        anchor.add(keys.sign(Head(run="r1", seq=seq, hash=bytes(32))))
    anchor.close()
    anchor.close()
    assert [one.head.seq for one in read_anchor(file, "r1")] == [13, 14]
    last = last_anchor(file, "r1")
    assert last is not None
    assert last.head.seq == 14
    assert keys.signed_by_us(last)
    assert not keys.signed_by_us(dataclasses.replace(last, signature=b"x" * 64))
    assert last_anchor(tmp_path / "none", "r1") is None


# --- secrets --------------------------------------------------------------------------------------

CANARY = 'canary"9f/A3x Q7Lm2\\ü'


def written(canary: str) -> Iterator[str]:
    """The canary as programs write it."""
    yield canary
    yield json.dumps({"header": json.dumps(canary)})
    yield "Basic " + base64.b64encode(f"user:{canary}".encode()).decode()
    from urllib.parse import quote

    yield "https://host/?key=" + quote(canary, safe="")


def pieces(canary: str) -> list[bytes]:
    """What would give it away, in a file that is not encrypted."""
    raw = canary.encode()
    return [raw, raw[:8], base64.b64encode(raw)[:12], raw.hex().encode()[:20], b"Q7Lm2"]


def test_a_canary_in_the_environment_reaches_nothing(
    place: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    journal = place.open(masker=Masker.from_environment(os.environ), lock_timeout=0.1)
    errors: list[HarnessError] = []
    with journal.start("r1") as writer:
        writer.append(
            RunStarted(
                goal=f"use {CANARY}", domain=CANARY, domain_version=CANARY, model=CANARY,
                options={CANARY: [CANARY]},
            )
        )  # fmt: skip
        blob = writer.put_blob("\n".join(written(CANARY)).encode())
        for step, text in enumerate(written(CANARY), 1):
            call = ToolCall(id="c", tool="t", arguments={"a": text}, written=text)
            done = writer.append(
                MessageCompleted(step=step, text=text, calls=(call,), message={"content": text}),
                reasoning={"thinking": text},
            )
            done += writer.append(
                ToolStarted(step=step, call="c", tool="t", arguments={"a": [text]}),
                ToolFinished(step=step, call="c", tool="t", text=text * 4000, full=blob),
            )
            assert CANARY not in repr(done)
        journal.send("r1", Steer(text=CANARY, by=CANARY))
        inbox = repr(writer.inbox())
        with pytest.raises(UsageError) as refused:
            writer.append(MessageCompleted(step=1, message={"reasoning": CANARY}))
        errors.append(refused.value)
        holder = journal._database.connect(write=True)
        with journal._database.writing(holder):
            holder.exec_driver_sql("UPDATE runs SET beat = beat")
            with pytest.raises(StateError) as locked:
                writer.append(MessageCompleted(step=1, text=CANARY))
        holder.close()
        errors.append(locked.value)
    events = list(journal.read("r1"))
    told = [
        "".join(to_jsonl(events)),
        "".join(to_markdown(events)),
        repr(events) + repr(journal.runs()) + repr(list(journal.reasoning_for("r1"))),
        inbox + caplog.text,
        journal.blob("r1", blob).decode(),
        *(f"{error} {error!r} {error.__cause__!r} {error.__cause__}" for error in errors),
    ]
    assert "[secret:CANARY_API_KEY]" in told[0]
    for text in told:
        assert "Q7Lm2" not in text
    files = [path for root in (place.home, place.keys) for path in root.rglob("*")]
    for path in files:
        content = path.read_bytes() if path.is_file() else path.name.encode()
        for piece in pieces(CANARY):
            assert piece not in content, path
    assert journal.verify("r1").clean


def test_a_users_own_file_is_kept_to_the_byte_where_asked(sqlite: Any, started: RunStarted) -> None:
    """Undo has to give it back as it was; it is sealed like all else."""
    journal = sqlite.open(masker=Masker({"A_KEY": CANARY}))
    data = f"my own {CANARY}".encode()
    with journal.start("r1") as writer:
        exact, masked = writer.put_blob(data, exact=True), writer.put_blob(data)
        writer.append(started, FileChanged(path="a", before=exact, after=masked, turn=1))
        assert journal.blob("r1", exact) == data
        assert journal.blob("r1", masked) == b"my own [secret:A_KEY]"
    for path in sqlite.home.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


# --- settings -------------------------------------------------------------------------------------


def test_the_keys_folder_is_a_setting(tmp_path: Path, started: RunStarted) -> None:
    asked = {"HARNESS_KEYS": str(tmp_path / "own"), "XDG_DATA_HOME": str(tmp_path / "data")}
    settings = Settings(environment=asked, folder=tmp_path)
    assert find_keys(settings) == tmp_path / "own"
    journal = make_journal(settings, tmp_path / "home", Masker({}))
    with journal.start("r1") as writer:
        writer.append(started)
    journal.close()
    assert (tmp_path / "own" / "runs" / "r1.key").exists()
    assert (tmp_path / "home" / "harness.db").exists()


def test_the_default_keys_folder_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = find_keys(Settings(environment={}, folder=tmp_path))
    assert folder.parts[-2:] == ("harness", "keys")


def test_a_damaged_key_is_said(sqlite: Any, started: RunStarted) -> None:
    journal = sqlite.open()
    with journal.start("r1") as writer:
        writer.append(started)
    (sqlite.keys / "runs" / "r1.key").write_bytes(b"short")
    with pytest.raises(JournalDamaged, match="HARNESS_KEYS"):
        list(journal.read("r1"))
    assert journal.verify("r1").clean
