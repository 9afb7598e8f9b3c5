"""Commits: what a writer does to the database, each in one transaction under its lease."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from harness.adapters.journal_engine import Database
from harness.adapters.journal_lease import Lease, microseconds
from harness.adapters.journal_tables import EVENTS, INBOX, REASONING, RUNS
from harness.errors import HarnessError, JournalDamaged, RunBusy, RunErased, UsageError
from harness.journal.chain import Head, Link, SignedHead
from harness.journal.summary import Tally

__all__ = ["Commits", "lease_of"]

_TALLY = [field.name for field in dataclasses.fields(Tally)]
_COVERED = [column.name for column in EVENTS.c if column.name != "payload"]
_MINE = sa.update(RUNS).where(
    RUNS.c.run == bindparam("of_run"), RUNS.c.owner == bindparam("by_owner")
)
_HEAD = _MINE.where(RUNS.c.seq == bindparam("after_seq")).values(
    {name: bindparam(name) for name in ("seq", "hash", "signature", "beat", "updated", *_TALLY)}
)
_BEAT = _MINE.values(beat=bindparam("now"))
_RELEASE = _MINE.values(owner="")
_INSERT = sa.insert(EVENTS)
_SEALED = sa.insert(REASONING)
_TAKE = (
    sa.update(INBOX)
    .where(
        INBOX.c.run == bindparam("of_run"),
        INBOX.c.id.in_(bindparam("ids", expanding=True)),
        INBOX.c.taken.is_(None),
    )
    .values(taken=bindparam("by_seq"))
)
_WAITING = (
    sa.select(INBOX)
    .where(INBOX.c.run == bindparam("of_run"), INBOX.c.taken.is_(None))
    .order_by(INBOX.c.id)
)
_ROW = sa.select(RUNS).where(RUNS.c.run == bindparam("of_run"))


class Commits:
    """One writer's connection.

    Args:
        database: The journal's.
        run: The run.
        lease: What the writer holds.
    """

    def __init__(self, database: Database, run: str, lease: Lease) -> None:
        self._database, self._run = database, run
        self._mine = {"of_run": run, "by_owner": lease.owner}
        self._connection = database.connect(write=True)

    def append(
        self,
        rows: Sequence[tuple[Link, bytes | None]],
        *,
        after: int,
        signed: SignedHead,
        tally: dict[str, Any],
        reasoning: bytes,
        consumed: Sequence[int],
    ) -> None:
        """Write events, the new head and the summary, take commands: all or nothing.

        Args:
            rows: The events, each with the ciphertext that stands in the row.
            after: Number of the event before the first.
            signed: The new head.
            tally: Columns of the summary.
            reasoning: Ciphertext that belongs to the event that has `sealed`; may be empty.
            consumed: Ids of commands.

        Raises:
            JournalFull, JournalLocked, RunBusy, UsageError: See `SqlWriter.append`.
        """
        head, at = signed.head, rows[-1][0].at
        changes = {"seq": head.seq, "hash": head.hash, "signature": signed.signature}
        values = {**self._mine, "after_seq": after, "beat": at, "updated": at, **changes, **tally}
        try:
            with self._database.writing(self._connection) as connection:
                # The head first: it fails at once where the lease is lost.
                if connection.execute(_HEAD, values).rowcount != 1:
                    raise self._lost(connection)
                connection.execute(_INSERT, [_columns(*row) for row in rows])
                if reasoning:
                    seq = next(link.seq for link, _ in rows if link.sealed)
                    parts = {"run": self._run, "seq": seq, "payload": reasoning}
                    connection.execute(_SEALED, parts)
                if consumed:
                    self._take(connection, consumed, rows[0][0].seq)
        except HarnessError:
            # An error of the commit itself does not say that it failed.
            if not self._has(head):
                raise

    def waiting(self) -> Sequence[sa.Row[Any]]:
        """Return the rows of commands that nobody took, oldest first."""
        with self._database.errors(), self._connection.begin():
            return self._connection.execute(_WAITING, {"of_run": self._run}).all()

    def beat(self) -> None:
        """Show that the holder of the lease is there."""
        with self._database.writing(self._connection) as connection:
            connection.execute(_BEAT, {**self._mine, "now": microseconds()})

    def close(self) -> None:
        """Give the lease back; one that can't be given back ends with this process."""
        with (
            contextlib.suppress(HarnessError),
            self._database.writing(self._connection) as connection,
        ):
            connection.execute(_RELEASE, self._mine)
        with contextlib.suppress(Exception):
            self._connection.close()

    # --- inside -------------------------------------------------------------------------------

    def _take(self, connection: sa.Connection, consumed: Sequence[int], seq: int) -> None:
        ids = sorted(set(consumed))
        values = {"of_run": self._run, "ids": ids, "by_seq": seq}
        if connection.execute(_TAKE, values).rowcount != len(ids):
            raise UsageError("A command was taken before, or was never sent to this run.")

    def _lost(self, connection: sa.Connection) -> HarnessError:
        row = connection.execute(_ROW, {"of_run": self._run}).one_or_none()
        if row is not None and row.erased:
            return RunErased(f"Run {self._run} was erased.")
        if row is None or row.owner == self._mine["by_owner"]:
            return JournalDamaged(
                f"The head of run {self._run} is not where this process left it.",
                f"`harness runs verify {self._run}` says what was changed.",
            )
        owner = str(lease_of(row)) if row.owner else "another process"
        return RunBusy(f"{owner} took over run {self._run}.".capitalize(), owner=owner)

    def _has(self, head: Head) -> bool:
        try:
            with self._database.errors(), self._database.engine.connect() as connection:
                row = connection.execute(_ROW, {"of_run": self._run}).one_or_none()
        except HarnessError:
            return False
        return row is not None and (row.seq, bytes(row.hash)) == (head.seq, head.hash)


def lease_of(row: sa.Row[Any]) -> Lease:
    """Return the lease in a row of the runs table."""
    return Lease(owner=row.owner, host=row.host, boot=row.boot, pid=row.pid, born=row.born)


def _columns(link: Link, payload: bytes | None) -> dict[str, Any]:
    columns = {name: getattr(link, name) for name in _COVERED}
    columns["payload"] = payload
    return columns
