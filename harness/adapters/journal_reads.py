"""Reads: a run's events as they stand or as they come, and what is known of all runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from harness.adapters.journal_blobs import Blobs
from harness.adapters.journal_commit import lease_of
from harness.adapters.journal_engine import Database
from harness.adapters.journal_keys import Keys
from harness.adapters.journal_lease import is_dead, microseconds
from harness.adapters.journal_rows import link_of, open_event, tally_of, when
from harness.adapters.journal_seal import RunCipher
from harness.adapters.journal_tables import EVENTS, REASONING, RUNS
from harness.errors import JournalDamaged, RunNotFound, StateError
from harness.journal.chain import GENESIS, Head, Link, SignedHead, sha256
from harness.journal.events import Recorded, RunFinished
from harness.journal.summary import RunSummary

__all__ = ["Reads"]

CHUNK = 500
"""Rows fetched at once."""

_ALL = sa.select(EVENTS).where(EVENTS.c.run == bindparam("of_run")).order_by(EVENTS.c.seq)
_AFTER = _ALL.where(EVENTS.c.seq > bindparam("after")).limit(CHUNK)
_SEALED = (
    sa.select(REASONING).where(REASONING.c.run == bindparam("of_run")).order_by(REASONING.c.seq)
)
_ROW = sa.select(RUNS).where(RUNS.c.run == bindparam("of_run"))
_CHANGE = sa.select(RUNS.c.seq).where(RUNS.c.run == bindparam("of_run"))


class Reads:
    """Everything that reads and changes nothing.

    Args:
        database: The journal's.
        keys: The keys folder.
        blobs: The blobs of all runs.
    """

    def __init__(self, database: Database, keys: Keys, blobs: Blobs) -> None:
        self._database, self._keys, self._blobs = database, keys, blobs

    # --- one run ------------------------------------------------------------------------------

    def cipher(self, run: str) -> RunCipher:
        """Return what opens a run.

        Raises:
            RunErased: Nothing does.
            JournalDamaged: Its key is missing.
        """
        return RunCipher(run, self._keys.load(run))

    def row(self, run: str) -> sa.Row[Any]:
        """Return the run's row.

        Raises:
            RunNotFound: There is none.
        """
        with self._database.errors(), self._database.engine.connect() as connection:
            row = connection.execute(_ROW, {"of_run": run}).one_or_none()
        if row is None:
            raise RunNotFound(
                f"There is no run {run} in {self._database.where}.", "See `harness runs list`."
            )
        return row

    def read(self, run: str, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """Yield a run's events, in order; see `SqlJournal.read`."""
        self.row(run)
        cipher = self.cipher(run)
        last = after
        previous: bytes | None = GENESIS if after == 0 else None
        for row in self._rows(run, after):
            if until is not None and row.seq > until:
                return
            if row.seq != last + 1 or (previous is not None and row.previous != previous):
                raise JournalDamaged(
                    f"Event {last + 1} of run {run} is missing or was altered.",
                    f"`harness runs verify {run}` says what else was.",
                )
            yield open_event(row, cipher, self._blobs)
            last, previous = row.seq, row.hash

    def tail(
        self, run: str, after: int, poll: float, stop: Callable[[], bool]
    ) -> Iterator[Recorded]:
        """Yield a run's events as they come; see `SqlJournal.tail`."""
        row = self.row(run)
        if row.seq <= after and self._is_over(run, after):
            return
        with self._database.connect() as connection:
            version = self._watch(connection, run)
            while True:
                seen = version()
                for recorded in self.read(run, after):
                    yield recorded
                    after = recorded.seq
                if after and self._is_over(run, after):
                    return
                while version() == seen:
                    if stop():
                        return
                    time.sleep(poll)

    def reasoning(self, run: str) -> Iterator[tuple[int, Any]]:
        """Yield sealed reasoning with the number of its event; see `SqlJournal.reasoning_for`."""
        self.row(run)
        cipher = self.cipher(run)
        with self._database.errors(), self._database.engine.connect() as connection:
            rows = connection.execute(_SEALED, {"of_run": run}).all()
        for row in rows:
            try:
                yield row.seq, json.loads(cipher.open_reasoning(row.payload))
            except ValueError as error:
                raise JournalDamaged(
                    f"The sealed reasoning of event {row.seq} of run {run} was altered."
                ) from error

    # --- for verification -----------------------------------------------------------------------

    def snapshot(self, run: str) -> tuple[SignedHead | None, list[Link], dict[int, str]]:
        """Return a run's head, rows, and hashes of sealed reasoning by event, as of one moment."""
        asked = {"of_run": run}
        with self._database.errors(), self._database.snapshot() as connection:
            row = connection.execute(_ROW, asked).one_or_none()
            links = [link_of(one) for one in connection.execute(_ALL, asked)]
            sealed = {one.seq: sha256(one.payload) for one in connection.execute(_SEALED, asked)}
        if row is None:
            return None, links, sealed
        head = Head(run=run, seq=row.seq, hash=row.hash)
        return SignedHead(head=head, signature=row.signature), links, sealed

    # --- all runs -------------------------------------------------------------------------------

    def summaries(self, parent: str | None) -> list[RunSummary]:
        """Return all runs that have begun, newest first; see `SqlJournal.runs`."""
        asked = sa.select(RUNS).where(RUNS.c.seq > 0).order_by(RUNS.c.started.desc(), RUNS.c.run)
        if parent is not None:
            asked = asked.where(RUNS.c.parent == parent)
        with self._database.errors(), self._database.engine.connect() as connection:
            rows = connection.execute(asked).all()
        return [self.summary(row) for row in rows]

    def summary(self, row: sa.Row[Any]) -> RunSummary:
        """Return what a row of the runs table says."""
        cipher = None
        if not row.erased:
            try:
                cipher = self.cipher(row.run)
            except StateError:
                cipher = None  # a list shows what it can
        lease = lease_of(row)
        working = bool(row.owner) and not is_dead(lease, row.beat, microseconds())
        return RunSummary(
            run=row.run,
            tally=tally_of(row, cipher),
            events=row.seq,
            started=when(row.started),
            updated=when(row.updated),
            worker=str(lease) if working else "",
            erased=when(row.erased) if row.erased else None,
        )

    # --- inside -------------------------------------------------------------------------------

    def _rows(self, run: str, after: int) -> Iterator[sa.Row[Any]]:
        """Yield rows in chunks, each its own short statement: a slow reader holds up nobody."""
        while True:
            with self._database.errors(), self._database.engine.connect() as connection:
                rows = connection.execute(_AFTER, {"of_run": run, "after": after}).all()
            yield from rows
            if len(rows) < CHUNK:
                return
            after = rows[-1].seq

    def _is_over(self, run: str, after: int) -> bool:
        """Whether the event of that number ended the run and nothing follows it."""
        last = sa.select(EVENTS.c.seq, EVENTS.c.type).where(EVENTS.c.run == run)
        with self._database.errors(), self._database.engine.connect() as connection:
            row = connection.execute(last.order_by(EVENTS.c.seq.desc()).limit(1)).one_or_none()
        return row is not None and tuple(row) == (after, RunFinished.TYPE)

    def _watch(self, connection: sa.Connection, run: str) -> Callable[[], Any]:
        """Return what gives another value after the run went on, cheaply."""
        if self._database.is_sqlite:
            raw: Any = connection.connection.driver_connection
            # Changes when another connection commits; costs no read of any table.
            return lambda: raw.execute("PRAGMA data_version").fetchone()

        def newest() -> Any:
            with self._database.errors(), connection.begin():
                return connection.scalar(_CHANGE, {"of_run": run})

        return newest
