"""Opening a run: one process gets its lease, after its end was found where it was left.

A new run has no row before its first events: beginning it costs no commit of its own.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from harness.adapters.journal_anchor import last_anchor
from harness.adapters.journal_commit import Commits, lease_of, there_is_one
from harness.adapters.journal_engine import Database
from harness.adapters.journal_keys import Keys
from harness.adapters.journal_lease import Lease, is_dead, microseconds, my_lease
from harness.adapters.journal_tables import EVENTS, RUNS
from harness.errors import JournalDamaged, RunBusy, RunErased, RunNotFound
from harness.journal.chain import GENESIS, SignedHead

__all__ = ["begin", "check_end", "mark_erased", "take"]


def begin(database: Database, keys: Keys, run: str) -> Commits:
    """Return what will make the row of a new run, with its first events, and hold its lease.

    Raises:
        UsageError: There is such a run.
        JournalDamaged: There was one: its anchor is there.
    """
    lease, now = my_lease(), microseconds()
    with database.errors(), database.engine.connect() as connection:
        if _row(connection, run) is not None:
            raise there_is_one(run)
    if keys.anchor_file(run).exists():
        raise _behind(run)
    new = {"run": run, "started": now, **_columns(lease, now)}
    return Commits(database, run, lease, new)


def take(database: Database, run: str) -> Lease:
    """Take the lease on a run; that of a process that is gone is taken over.

    Raises:
        RunNotFound: There is no such run.
        RunErased: It was erased.
        RunBusy: Another process works on it.
    """
    lease, now = my_lease(), microseconds()
    with database.connect(write=True) as connection, database.writing(connection):
        row = _row(connection, run)
        if row is None:
            raise RunNotFound(
                f"There is no run {run} in {database.where}.", "See `harness runs list`."
            )
        if row.erased:
            raise RunErased(f"Run {run} was erased: its key is destroyed.")
        other = lease_of(row)
        if row.owner and not is_dead(other, row.beat, now):
            raise RunBusy(
                f"Run {run} is being worked on by {other}.",
                "Wait for it, or steer or cancel it from here.",
                owner=str(other),
            )
        mine = sa.update(RUNS).where(RUNS.c.run == run).values(_columns(lease, now))
        connection.execute(mine)
    return lease


def check_end(database: Database, keys: Keys, signed: SignedHead) -> None:
    """Check that a run ends where its signed head and its anchor say.

    Raises:
        JournalDamaged: It does not.
    """
    head = signed.head
    last = sa.select(EVENTS.c.seq, EVENTS.c.hash).where(EVENTS.c.run == head.run)
    with database.errors(), database.engine.connect() as connection:
        row = connection.execute(last.order_by(EVENTS.c.seq.desc()).limit(1)).one_or_none()
    end = (row.seq, row.hash) if row is not None else (0, GENESIS)
    anchored = last_anchor(keys.anchor_file(head.run), head.run)
    ahead = anchored and anchored.head.seq > head.seq and keys.signed_by_us(anchored)
    if end != (head.seq, head.hash) or (head.seq and not keys.signed_by_us(signed)) or ahead:
        raise _behind(head.run)


def mark_erased(database: Database, run: str) -> None:
    """Note that a run's key is destroyed, and take the goal out of its summary."""
    gone = sa.update(RUNS).where(RUNS.c.run == run, RUNS.c.erased.is_(None))
    with database.connect(write=True) as connection, database.writing(connection):
        connection.execute(gone.values(erased=microseconds(), goal=b""))


def _row(connection: sa.Connection, run: str) -> sa.Row[Any] | None:
    asked = sa.select(RUNS).where(RUNS.c.run == run).with_for_update()
    return connection.execute(asked).one_or_none()


def _columns(lease: Lease, now: int) -> dict[str, Any]:
    return {
        "owner": lease.owner,
        "host": lease.host,
        "boot": lease.boot,
        "pid": lease.pid,
        "born": lease.born,
        "beat": now,
    }


def _behind(run: str) -> JournalDamaged:
    return JournalDamaged(
        f"Run {run} does not end where it was left: the journal was altered, or put back from an "
        "older copy.",
        f"`harness runs verify {run}` says what is gone; fork the run to go on from there.",
    )
