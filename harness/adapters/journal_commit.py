"""Commits: what a writer does to the database, each in one transaction under its lease."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from harness.adapters.journal_engine import Database
from harness.adapters.journal_lease import Lease, microseconds
from harness.adapters.journal_tables import BLOBS, EVENTS, INBOX, REASONING, RUNS
from harness.errors import HarnessError, JournalDamaged, RunBusy, RunErased, UsageError
from harness.journal.chain import Head, Link, SignedHead
from harness.journal.summary import Tally

__all__ = ["Commits", "lease_of", "there_is_one"]

_TALLY = [field.name for field in dataclasses.fields(Tally)]
_COVERED = [column.name for column in EVENTS.c if column.name != "payload"]
_MINE = sa.update(RUNS).where(
    RUNS.c.run == bindparam("of_run"), RUNS.c.owner == bindparam("by_owner")
)
_HEAD = _MINE.where(RUNS.c.seq == bindparam("after_seq"), RUNS.c.erased.is_(None)).values(
    {
        name: bindparam(name)
        for name in ("seq", "hash", "signature", "owner", "beat", "updated", *_TALLY)
    }
)
_BEAT = _MINE.values(beat=bindparam("now"))
_RELEASE = _MINE.values(owner="")
_INSERT = sa.insert(EVENTS).values({column.name: bindparam(column.name) for column in EVENTS.c})
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


class _Ready:
    """A statement of every step, put into the database's words once.

    SQLite's driver is then asked directly: what SQLAlchemy does about it would cost several times
    what SQLite does. A server's connection may break, and SQLAlchemy knows how to mend it.
    """

    def __init__(self, statement: sa.sql.ClauseElement, dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._words = str(compiled)
        self._order: Sequence[str] = getattr(compiled, "positiontup", None) or ()

    def run(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it with each row of values; return how many rows it met."""
        if not self._order:
            return connection.exec_driver_sql(self._words, list(rows)).rowcount
        raw: Any = connection.connection.driver_connection
        given = [tuple(map(row.__getitem__, self._order)) for row in rows]
        return int(raw.executemany(self._words, given).rowcount)


class Commits:
    """One writer's connection.

    Args:
        database: The journal's.
        run: The run.
        lease: What the writer holds.
        new: The row of a run that has not begun: it is written with the first events.
    """

    def __init__(
        self, database: Database, run: str, lease: Lease, new: dict[str, Any] | None = None
    ) -> None:
        self._database, self._run = database, run
        self._lease = lease.owner
        self._mine = {"of_run": run, "by_owner": lease.owner}
        self._new = new
        self._none_at: int | None = None
        self._connection = database.connect(write=True)
        insert = sqlite.insert if database.is_sqlite else postgresql.insert
        self._keep = insert(BLOBS).on_conflict_do_nothing()
        dialect = database.engine.dialect
        self._to_head, self._insert = _Ready(_HEAD, dialect), _Ready(_INSERT, dialect)

    def append(
        self,
        rows: Sequence[tuple[Link, bytes | None]],
        *,
        after: int,
        signed: SignedHead,
        tally: dict[str, Any],
        reasoning: bytes,
        consumed: Sequence[int],
        blobs: Mapping[str, bytes],
        release: bool,
    ) -> None:
        """Write events, the new head and the summary, take commands: all or nothing.

        Args:
            rows: The events, each with the ciphertext that stands in the row.
            after: Number of the event before the first.
            signed: The new head.
            tally: Columns of the summary.
            reasoning: Ciphertext that belongs to the event that has `sealed`; may be empty.
            consumed: Ids of commands.
            blobs: Ciphertexts by name; one that is there already is left as it is.
            release: Give the lease back with it.

        Raises:
            JournalFull, JournalLocked, RunBusy, UsageError: See `SqlWriter.append`.
        """
        head, at = signed.head, rows[-1][0].at
        changes: dict[str, Any] = {
            "seq": head.seq,
            "hash": head.hash,
            "signature": signed.signature,
        }
        changes |= {"beat": at, "updated": at, "owner": "" if release else self._lease, **tally}
        try:
            with self._database.writing(self._connection) as connection:
                # The head first: it fails at once where the lease is lost.
                self._head(connection, after, changes)
                self._insert.run(connection, [_columns(*row) for row in rows])
                if blobs:
                    kept = [{"run": self._run, "name": n, "payload": b} for n, b in blobs.items()]
                    connection.execute(self._keep, kept)
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
        self._new = None
        self._mine["by_owner"] = changes["owner"]

    def _head(self, connection: sa.Connection, after: int, changes: dict[str, Any]) -> None:
        """Write the head of a run; of a new one, its row."""
        if self._new is None:
            values = {**self._mine, "after_seq": after, **changes}
            if self._to_head.run(connection, [values]) != 1:
                raise self._lost(connection)
            return
        if connection.execute(_ROW, {"of_run": self._run}).one_or_none() is not None:
            raise there_is_one(self._run)
        connection.execute(sa.insert(RUNS), {**self._new, **changes})

    def waiting(self) -> Sequence[sa.Row[Any]]:
        """Return the rows of commands that nobody took, oldest first.

        Asked at every step: where no other connection wrote since there were none, SQLite is not
        asked again.
        """
        with self._database.errors():
            version = self._data_version()
            if version is not None and version == self._none_at:
                return ()
            with self._database.engine.connect() as connection:
                rows = connection.execute(_WAITING, {"of_run": self._run}).all()
        self._none_at = None if rows else version
        return rows

    def beat(self) -> None:
        """Show that the holder of the lease is there."""
        if not self._holds:
            return
        with self._database.writing(self._connection) as connection:
            connection.execute(_BEAT, {**self._mine, "now": microseconds()})

    def close(self) -> None:
        """Give the lease back; one that can't be given back ends with this process."""
        if self._holds:
            with (
                contextlib.suppress(HarnessError),
                self._database.writing(self._connection) as connection,
            ):
                connection.execute(_RELEASE, self._mine)
        with contextlib.suppress(Exception):
            self._connection.close()

    # --- inside -------------------------------------------------------------------------------

    def _data_version(self) -> int | None:
        """Return a number that changes when another connection commits; None where there is none.

        Taken before the commands are read, so that one that comes meanwhile changes it.
        """
        if not self._database.is_sqlite:
            return None
        raw: Any = self._connection.connection.driver_connection
        return int(raw.execute("PRAGMA data_version").fetchone()[0])

    @property
    def _holds(self) -> bool:
        return self._new is None and bool(self._mine["by_owner"])

    def _take(self, connection: sa.Connection, consumed: Sequence[int], seq: int) -> None:
        ids = sorted(set(consumed))
        values = {"of_run": self._run, "ids": ids, "by_seq": seq}
        if connection.execute(_TAKE, values).rowcount != len(ids):
            raise UsageError("A command was taken before, or was never sent to this run.")

    def _lost(self, connection: sa.Connection) -> HarnessError:
        row = connection.execute(_ROW, {"of_run": self._run}).one_or_none()
        if row is not None and row.erased:
            return RunErased(f"Run {self._run} was erased.")
        if row is None or (row.owner and row.owner == self._mine["by_owner"]):
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


def there_is_one(run: str) -> UsageError:
    """Return the error that a run can't begin: there is one of that id."""
    return UsageError(f"There is a run {run} already.", "Open it, or take a new id.")


def lease_of(row: sa.Row[Any]) -> Lease:
    """Return the lease in a row of the runs table."""
    return Lease(owner=row.owner, host=row.host, boot=row.boot, pid=row.pid, born=row.born)


def _columns(link: Link, payload: bytes | None) -> dict[str, Any]:
    columns = {name: getattr(link, name) for name in _COVERED}
    columns["payload"] = payload
    return columns
