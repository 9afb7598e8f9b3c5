"""What was acknowledged is on the disk; what can't be written is said, and harms nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import harness
from harness.adapters.journal_sql import SqlJournal
from harness.errors import JournalFull, JournalLocked, RunBusy, StateError
from harness.journal.events import MessageCompleted, RunFinished, RunStarted

Start = Callable[..., subprocess.Popen[str]]
ROOT = Path(harness.__file__).parents[1]

OPEN = """
import json, sys
from pathlib import Path
from harness.adapters.journal_sql import SqlJournal
from harness.errors import HarnessError
from harness.journal.events import FileChanged, MessageCompleted, RunFinished, RunStarted
def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()
STARTED = RunStarted(goal="g", domain="d", domain_version="v", model="m:x")
home, keys, *rest = sys.argv[1:]
url = rest[0] if rest and rest[0] else None
journal = SqlJournal(Path(home), Path(keys), url=url)
"""


def needs(program: str, package: str) -> None:
    if shutil.which(program) is None:
        reason = f"{program} is not installed (Debian package {package})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def test_every_connection_is_durable(place: Any, started: RunStarted) -> None:
    journal = place.open()
    with journal.start("r1") as writer:
        writer.append(started)
        seen: list[Any] = []
        asked = "PRAGMA synchronous" if place.url is None else "SHOW synchronous_commit"
        connections = [journal._database.connect() for _ in range(6)]
        connections.append(journal._database.connect(write=True))
        for connection in [*connections, writer._commits._connection]:
            seen.append(connection.exec_driver_sql(asked).scalar())
            connection.rollback()
        for connection in connections:
            connection.close()
    assert seen == [2 if place.url is None else "on"] * 8
    if place.url is None:
        assert (place.home / "harness.db-wal").exists()


def test_a_sync_comes_before_the_acknowledgement(sqlite: Any, tmp_path: Path) -> None:
    needs("strace", "strace")
    code = f"""{OPEN}
with journal.start("r1") as writer:
    writer.append(STARTED)
    for step in range(1, 6):
        blob = writer.put_blob(b"content" * 100_000) if step == 3 else None
        say("BEGIN", step)
        writer.append(MessageCompleted(step=step, text="x"))
        say("ACKNOWLEDGED", step)
"""
    log = tmp_path / "strace.log"
    command = ["strace", "-f", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync,rename,unlink"]
    done = subprocess.run(
        [*command, "-o", str(log), sys.executable, "-c", code, str(sqlite.home), str(sqlite.keys)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "PTRACE" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine does not let a process be traced")
    assert done.returncode == 0, done.stderr
    calls = log.read_text("utf-8", "replace")
    for step in range(1, 6):
        between = re.search(rf"BEGIN {step}\b(.*?)ACKNOWLEDGED {step}\b", calls, re.DOTALL)
        assert between is not None
        written = between[1].rindex("harness.db-wal>, ")
        synced = re.search(r"f(?:data)?sync\(\d+<[^>]*harness\.db-wal>\)\s+= 0", between[1])
        last = between[1].rfind("pwrite64", 0, written + 1)
        assert synced is not None
        assert synced.start() >= last
    # The blob and its folder, before anything names it; the key of the run, before its first event.
    blob = calls.index("content 3") if "content 3" in calls else calls.index(".part")
    assert re.search(r"fsync\(\d+<[^>]*\.part>\)\s+= 0", calls[blob : calls.index("BEGIN 3")])
    assert re.search(r"fsync\(\d+<[^>]*/blobs/r1/\w\w>\)\s+= 0", calls[: calls.index("BEGIN 3")])
    assert re.search(r"fsync\(\d+<[^>]*r1\.key\.\w+>\)\s+= 0", calls[: calls.index("BEGIN 1")])


def test_a_full_database_is_said_and_can_be_used_again(sqlite: Any, started: RunStarted) -> None:
    """SQLite's own limit on pages: the same error as of a full disk."""
    journal = sqlite.open()
    with journal.start("r1") as writer:
        writer.append(started)
        raw = writer._commits._connection.connection.driver_connection
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages + 4}")
        writer.append(MessageCompleted(step=1, text="small"))
        with pytest.raises(JournalFull, match="no room left"):
            writer.append(*[MessageCompleted(step=step, text="x" * 3000) for step in range(100)])
        kept = writer.seq
        raw.execute("PRAGMA max_page_count = 1000000")
        [after] = writer.append(MessageCompleted(step=100, text="room again"))
    assert after.seq == kept + 1
    assert len(list(journal.read("r1"))) == kept + 1
    assert journal.verify("r1").clean


FULL = f"""{OPEN}
from harness.errors import JournalFull
import os
ballast = Path(home) / "ballast"
writer = journal.start("r1")
writer.append(STARTED)
ballast.write_bytes(b"x" * 400_000)
said, blobs, kept = [], 0, []
try:
    for step in range(1, 10_000):
        writer.append(MessageCompleted(step=step, text="y" * 2000))
        kept.append(writer.seq)
except JournalFull as error:
    said.append(str(error))
try:
    writer.put_blob(os.urandom(500_000))
except JournalFull as error:
    said.append(str(error))
try:
    writer.append(MessageCompleted(step=1, text="z" * 500_000))
except JournalFull as error:
    said.append(str(error))
last = writer.seq
ballast.unlink()
writer.append(MessageCompleted(step=0, text="room again"))
blob = writer.put_blob(os.urandom(1000))
writer.append(FileChanged(path="a", after=blob, turn=1))
writer.close()
say(json.dumps(dict(said=said, kept=len(kept), last=last, read=sum(1 for _ in journal.read("r1")),
                    clean=journal.verify("r1").clean)))
"""


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(tmp_path: Path) -> None:
    disk, keys = tmp_path / "disk", tmp_path / "keys"
    disk.mkdir()
    isolate = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*isolate, "true"], check=False).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    script = tmp_path / "full.py"
    script.write_text(FULL, "utf-8")
    mount = f"mount -t tmpfs -o size=2m none {disk} && exec {sys.executable} {script} {disk} {keys}"
    done = subprocess.run(
        [*isolate, "sh", "-c", mount],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["said"]) == 3
    assert all("no room left" in one for one in told["said"])
    assert told["kept"] > 10
    assert told["last"] == told["kept"] + 1
    assert told["read"] == told["last"] + 2
    assert told["clean"]


def test_a_database_locked_by_another_process_is_said(
    sqlite: Any, started: RunStarted, child: Start
) -> None:
    journal = sqlite.open(lock_timeout=0.2)
    writer = journal.start("r1")
    writer.append(started)
    process = child(
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); input()\n",
        sqlite.home / "harness.db",
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(JournalLocked, match=r"0\.2 seconds"):
        writer.append(MessageCompleted(step=1))
    assert [one.seq for one in journal.read("r1")] == [1]  # readers are not held up
    process.stdin.write("\n")
    process.stdin.flush()
    process.wait(10)
    writer.append(MessageCompleted(step=1))
    writer.close()
    assert journal.verify("r1").clean


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_lock_in_postgresql_is_said(place: Any, started: RunStarted) -> None:
    journal = place.open(lock_timeout=0.2)
    with journal.start("r1") as writer:
        writer.append(started)
        engine = sa.create_engine(place.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT * FROM runs FOR UPDATE")
            with pytest.raises(JournalLocked):
                writer.append(MessageCompleted(step=1))
        engine.dispose()
        writer.append(MessageCompleted(step=1))
    assert journal.verify("r1").clean


def test_a_commit_whose_answer_was_lost_counts_once(
    place: Any, started: RunStarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server committed, and the connection broke before it said so."""
    journal = place.open()
    with journal.start("r1") as writer:
        writer.append(started)
        connection = writer._commits._connection
        commit = connection.engine.dialect.do_commit

        def lose(raw: Any) -> None:
            commit(raw)
            raise sa.exc.OperationalError("COMMIT", None, Exception("connection lost"))

        monkeypatch.setattr(connection.dialect, "do_commit", lose)
        [recorded] = writer.append(MessageCompleted(step=1))
        monkeypatch.undo()
        writer.append(MessageCompleted(step=2))
    assert [one.seq for one in journal.read("r1")] == [1, recorded.seq, 3]
    assert journal.verify("r1").clean


RESUME = f"""{OPEN}
say("ready"); input()
try:
    writer = journal.open_writer("r1")
except HarnessError as error:
    say(type(error).__name__, getattr(error, "owner", ""))
else:
    writer.append(MessageCompleted(step=1))
    say("won"); input()
"""


def test_of_two_processes_that_resume_a_run_one_wins(
    place: Any, started: RunStarted, child: Start
) -> None:
    with place.open().start("r1") as writer:
        writer.append(started)
    both = [child(RESUME, place.home, place.keys, place.url or "") for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.pid: process.stdout.readline().strip() for process in both}  # type: ignore[union-attr] # a pipe
    [winner] = [pid for pid, word in said.items() if word == "won"]
    [loser] = [word for pid, word in said.items() if pid != winner]
    assert loser.startswith(f"RunBusy process {winner} on ")
    # Killed, it holds nothing any more: at once, not after a timeout.
    next(process for process in both if process.pid == winner).send_signal(signal.SIGKILL)
    next(process for process in both if process.pid == winner).wait(10)
    journal = place.open()
    with journal.open_writer("r1") as writer:
        writer.append(MessageCompleted(step=2))
    assert journal.verify("r1").clean
    assert len(list(journal.read("r1"))) == 3


FOLLOWED = f"""{OPEN}
with journal.start("r1") as writer:
    writer.append(STARTED)
    say("started")
    for step in range(1, 40):
        writer.append(MessageCompleted(step=step))
    writer.append(RunFinished(stop="completed"))
"""


def test_another_process_is_followed_live(place: Any, child: Start) -> None:
    process = child(FOLLOWED, place.home, place.keys, place.url or "")
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    journal = place.open()
    assert [one.seq for one in journal.tail("r1", poll=0.002)] == list(range(1, 42))
    process.wait(30)


def test_many_runs_are_written_at_once(place: Any, started: RunStarted) -> None:
    journal = place.open()
    failed: list[BaseException] = []

    def work(run: str) -> None:
        try:
            with journal.start(run) as writer:
                writer.append(started)
                for step in range(1, 11):
                    writer.append(MessageCompleted(step=step), MessageCompleted(step=step))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(f"r{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [(one.events, one.clean) for one in journal.verify_all()] == [(21, True)] * 6


def test_two_processes_make_one_database(place: Any, child: Start) -> None:
    code = f"""
import sys; input(){OPEN}
with journal.start(sys.argv[4]) as writer:
    writer.append(STARTED)
say("done")
"""
    many = [child(code, place.home, place.keys, place.url or "", f"r{n}") for n in range(3)]
    for process in many:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in many:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
    assert [one.clean for one in place.open().verify_all()] == [True] * 3


def test_what_is_no_database_is_said_in_words(tmp_path: Path, sqlite: Any) -> None:
    sqlite.home.mkdir()
    (sqlite.home / "harness.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="damaged"):
        sqlite.open()
    taken = tmp_path / "taken"
    taken.write_text("a file", "utf-8")
    with pytest.raises(StateError, match="can't be used"):
        SqlJournal(taken / "state", tmp_path / "keys2")
    for url in ("mysql://host/x", "postgresql", "sqlite://"):
        with pytest.raises(StateError, match="postgresql://user@host"):
            SqlJournal(tmp_path / "s", tmp_path / "k", url=url)
    with pytest.raises(StateError) as caught:
        SqlJournal(tmp_path / "s", tmp_path / "k", url="postgresql://u:pass-word@127.0.0.1:1/x")
    assert "pass-word" not in str(caught.value)


def test_a_lost_sqlite_file_does_not_come_back_as_a_new_run(
    sqlite: Any, started: RunStarted
) -> None:
    journal = sqlite.open()
    writer = journal.start("r1")
    writer.append(started)
    with sqlite3.connect(sqlite.home / "harness.db") as raw:
        raw.execute("UPDATE runs SET seq = 0, owner = ''")
    with pytest.raises(RunBusy, match="took over"):
        writer.append(MessageCompleted(step=1))
    writer.close()
    with pytest.raises(StateError, match="verify r1"):
        journal.open_writer("r1")


def test_a_finished_run_can_be_taken_up_again(sqlite: Any, started: RunStarted) -> None:
    journal = sqlite.open()
    with journal.start("r1") as writer:
        writer.append(started, RunFinished(stop="budget"))
    with journal.open_writer("r1") as writer:
        writer.append(MessageCompleted(step=1), RunFinished(stop="completed"))
    assert [one.seq for one in journal.tail("r1")] == [1, 2, 3, 4]
