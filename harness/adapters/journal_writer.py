"""The writer: appends a run's events, all of a call or none, and returns when they are durable."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from harness.adapters.journal_anchor import Anchor
from harness.adapters.journal_commit import Commits
from harness.adapters.journal_keys import Keys
from harness.adapters.journal_lease import microseconds
from harness.adapters.journal_rows import Sealer, tally_columns, when
from harness.errors import HarnessError, JournalDamaged, StateError
from harness.journal.chain import Head, Link, sha256
from harness.journal.codec import load_command, to_bytes
from harness.journal.commands import Received
from harness.journal.events import Event, MessageCompleted, Recorded, RunFinished
from harness.journal.parts import Blob
from harness.journal.summary import Tally, fold
from harness.journal.writing import ClosedAtEnd, check_events

__all__ = ["SqlWriter"]

LOG = logging.getLogger(__name__)


class SqlWriter(ClosedAtEnd):
    """Writes one run; there is one at a time. Made by `SqlJournal.start` and `open_writer`.

    Threads may share it. It is a context manager; closing gives the run free.
    """

    def __init__(
        self,
        commits: Commits,
        keys: Keys,
        sealer: Sealer,
        *,
        head: Head,
        tally: Tally,
        on_close: Callable[[SqlWriter], None],
    ) -> None:
        self.run = sealer.run
        self._commits, self._keys, self._sealer = commits, keys, sealer
        self._head, self._tally = head, tally
        self._on_close = on_close
        self._anchor = Anchor(keys.anchor_file(self.run))
        self._lock = threading.Lock()
        self._closed = False

    @property
    def seq(self) -> int:
        """Number of the last event; 0 before the first."""
        return self._head.seq

    @property
    def in_memory(self) -> bool:
        """It waits for the disk."""
        return False

    @property
    def tally(self) -> Tally:
        """What the run's events add up to."""
        return self._tally

    def append(
        self, *events: Event, reasoning: Any = None, consumed: Sequence[int] = ()
    ) -> tuple[Recorded, ...]:
        """Record events, all or none, durably.

        The lease is given back with `run.finished`, and taken again for what may follow it.

        Args:
            *events: In order. The first of a run is `run.started`, and only it.
            reasoning: What the provider needs back with the one `message.completed` among
                them, as JSON; it is sealed apart and never comes out with the events.
            consumed: Ids of commands that these events carry out; taken in the same commit.

        Returns:
            The events as recorded: secrets masked, numbered, hashed.

        Raises:
            JournalFull: No room; nothing was written, and the writer can be used again.
            JournalLocked: Another process kept the database locked; nothing was written.
            RunBusy: Another process took the run over.
            UsageError: The events can't be recorded as they are.
        """
        with self._lock:
            self._check(events, reasoning)
            sealed = b"" if reasoning is None else self._seal(reasoning)
            recorded, rows, tally = self._rows(events, sha256(sealed) if sealed else "")
            last = rows[-1][0]
            head = Head(run=self.run, seq=last.seq, hash=last.hash)
            signed = self._keys.sign(head)
            self._commits.append(
                rows,
                after=self._head.seq,
                signed=signed,
                tally=tally_columns(tally, self._sealer.cipher),
                reasoning=sealed,
                consumed=consumed,
                blobs=self._sealer.fresh,
                release=isinstance(events[-1], RunFinished),
            )
            self._sealer.written()
            self._head, self._tally = head, tally
            self._anchor.add(signed)
            return recorded

    def put_blob(self, data: bytes, *, exact: bool = False) -> Blob:
        """Keep content for an event to name; it is durable when that event is.

        Args:
            data: Any bytes.
            exact: Keep it as it is, secrets and all: for a user's own files, which an undo
                has to give back to the byte.

        Raises:
            JournalFull: No room.
        """
        content = data if exact else self._sealer.masker.data(data)
        with self._lock:
            return self._sealer.keep(content)

    def inbox(self) -> tuple[Received, ...]:
        """Return the commands that wait, oldest first; `append(…, consumed=…)` takes them.

        Raises:
            JournalDamaged: One was altered, or is of a newer version of this program.
        """
        with self._lock:
            self._check_open()
            rows = self._commits.waiting()
        opened = self._sealer.cipher.open
        try:
            return tuple(
                Received(
                    id=row.id,
                    at=when(row.at),
                    command=load_command(row.type, row.version, opened(row.payload, row.type)),
                )
                for row in rows
            )
        except ValueError as error:
            raise JournalDamaged(f"A command to run {self.run} can't be read: {error}.") from error

    def beat(self) -> None:
        """Show that this process is at work, while it appends nothing."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._closed:
                self._commits.beat()
        except HarnessError as error:
            LOG.warning("Run %s could not show that it is at work: %s", self.run, error)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give the run free for another writer. Closing twice does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._anchor.close()
            self._commits.close()
        self._on_close(self)

    # --- inside -------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise StateError(f"The writer of run {self.run} is closed.", "Open a new one.")

    def _check(self, events: Sequence[Event], reasoning: Any) -> None:
        self._check_open()
        check_events(events, reasoning, after=self._head.seq)

    def _seal(self, reasoning: Any) -> bytes:
        masked = self._sealer.masker.tree(reasoning)
        return self._sealer.cipher.seal_reasoning(to_bytes(masked))

    def _rows(
        self, events: Sequence[Event], digest: str
    ) -> tuple[tuple[Recorded, ...], list[tuple[Link, bytes | None]], Tally]:
        """Return the events as recorded and as stored, and what they all add up to."""
        head, tally, at = self._head, self._tally, microseconds()
        recorded: list[Recorded] = []
        rows: list[tuple[Link, bytes | None]] = []
        for given in events:
            event = given
            if isinstance(event, MessageCompleted):
                event = dataclasses.replace(event, reasoning=digest)
            event, payload = self._sealer.masked(event)
            link, sealed = self._sealer.link(event, payload, head, at)
            head = Head(run=self.run, seq=link.seq, hash=link.hash)
            tally = fold(tally, event)
            rows.append((link, sealed))
            recorded.append(
                Recorded(run=self.run, seq=link.seq, at=when(at), event=event, hash=link.hash.hex())
            )
        return tuple(recorded), rows, tally
