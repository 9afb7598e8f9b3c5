"""A journal in memory: what the real one promises, but for the disk, the seal and other processes.

Products can be tested against the loop with it: `with MemoryJournal().start("r1") as writer`.
Threads may share it. What it was told is gone with it.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from harness.errors import JournalDamaged, RunBusy, RunErased, RunNotFound, StateError, UsageError
from harness.journal.chain import sha256
from harness.journal.codec import blobs_of, dump, load_event, to_bytes, to_tree
from harness.journal.commands import Command, Received
from harness.journal.events import (
    Event,
    MessageCompleted,
    Recorded,
    RunFinished,
    UnknownEvent,
)
from harness.journal.masking import Masker
from harness.journal.parts import Blob
from harness.journal.summary import RunSummary, Tally, fold
from harness.journal.verify import Finding, Verdict
from harness.journal.writing import ClosedAtEnd, check_events

__all__ = ["MemoryJournal", "MemoryWriter"]

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass
class _Run:
    """What is kept of a run."""

    name: str
    started: datetime
    events: list[Recorded] = dataclasses.field(default_factory=list)
    reasoning: dict[int, Any] = dataclasses.field(default_factory=dict)
    blobs: dict[str, bytes] = dataclasses.field(default_factory=dict)
    inbox: dict[int, Received] = dataclasses.field(default_factory=dict)
    tally: Tally = dataclasses.field(default_factory=Tally)
    owner: MemoryWriter | None = None
    erased: datetime | None = None


class MemoryJournal:
    """All runs, as long as it lives.

    Args:
        masker: Strikes secrets out of what is recorded.
    """

    def __init__(self, masker: Masker | None = None) -> None:
        self.masker = masker or Masker({})
        self.changed = threading.Condition(threading.RLock())
        self._runs: dict[str, _Run] = {}
        self._sent = 0

    # --- writing ------------------------------------------------------------------------------

    def start(self, run: str) -> MemoryWriter:
        """Begin a new run. See `Journal`."""
        if not _RUN.fullmatch(run):
            raise UsageError(f"{run!r} is no id of a run: letters, digits, points, dashes only.")
        with self.changed:
            if run in self._runs:
                raise self._taken(run)
            return MemoryWriter(self, _Run(run, datetime.now(UTC)))

    def open_writer(self, run: str) -> MemoryWriter:
        """Take a run up where it ends. See `Journal`."""
        with self.changed:
            kept = self._readable(run)
            if kept.owner is not None:
                raise _busy(run)
            return MemoryWriter(self, kept)

    def keep(self, kept: _Run) -> None:
        """Take in a run with its first events.

        Raises:
            UsageError: There is one of that id.
        """
        if self._runs.setdefault(kept.name, kept) is not kept:
            raise self._taken(kept.name)

    def send(self, run: str, command: Command) -> int:
        """Put a command into a run's inbox. See `Journal`."""
        with self.changed:
            kept = self._readable(run)
            self._sent += 1
            kept.inbox[self._sent] = Received(id=self._sent, at=datetime.now(UTC), command=command)
            return self._sent

    def erase(self, run: str) -> None:
        """Give nothing of a run out any more; that there was one stays. See `Journal`."""
        with self.changed:
            kept = self._kept(run)
            if kept.erased is not None:
                return
            if kept.owner is not None:
                raise _busy(run)
            kept.erased = datetime.now(UTC)
            kept.tally = dataclasses.replace(kept.tally, goal="")
            kept.blobs, kept.reasoning, kept.inbox = {}, {}, {}

    # --- reading ------------------------------------------------------------------------------

    def read(self, run: str, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """Yield a run's events, in order. See `Journal`."""
        with self.changed:
            found = self._readable(run).events[after:until]
        yield from found

    def tail(
        self,
        run: str,
        after: int = 0,
        *,
        poll: float = 0.02,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Recorded]:
        """Yield events as they come, up to `run.finished`. See `Journal`."""
        while True:
            with self.changed:
                fresh = list(self._readable(run).events[after:])
                over = self._is_over(run)
            for recorded in fresh:
                yield recorded
                after = recorded.seq
            if over:
                return
            with self.changed:
                while len(self._readable(run).events) <= after:
                    if stop():
                        return
                    self.changed.wait(poll)

    def _is_over(self, run: str) -> bool:
        return isinstance(self._kept(run).events[-1].event, RunFinished)

    def runs(self, parent: str | None = None) -> Sequence[RunSummary]:
        """Return all runs, or a parent's, newest first."""
        with self.changed:
            names = [n for n, one in self._runs.items() if parent in (None, one.tally.parent)]
            return [self.run(name) for name in reversed(names)]

    def run(self, run: str) -> RunSummary:
        """Return what is known of one run."""
        with self.changed:
            kept = self._kept(run)
            return RunSummary(
                run=run,
                tally=kept.tally,
                events=len(kept.events),
                started=kept.started,
                updated=kept.events[-1].at,
                worker="process of this test" if kept.owner else "",
                erased=kept.erased,
            )

    def blob(self, run: str, blob: Blob) -> bytes:
        """Return a blob's content. See `Journal`."""
        with self.changed:
            kept = self._readable(run)
        if not _NAME.fullmatch(blob.hash):
            raise JournalDamaged(f"{blob.hash!r} is no name of a blob.")
        if blob.hash not in kept.blobs:
            raise JournalDamaged(f"The blob {blob.hash[:12]} is not in run {run}.")
        return kept.blobs[blob.hash]

    def reasoning_for(self, run: str) -> Iterator[tuple[int, Any]]:
        """Yield sealed reasoning by number of its event."""
        with self.changed:
            found = list(self._readable(run).reasoning.items())
        yield from found

    def verify(self, run: str) -> Verdict:
        """Say whether the events still have the hashes that they were given."""
        with self.changed:
            events = self._kept(run).events
        findings: list[Finding] = []
        before = ""
        for one in events:
            if one.hash != _hash(before, one.event):
                told = "It is not what was recorded."
                findings.append(Finding(kind="changed", seq=one.seq, message=told))
            before = one.hash
        return Verdict(run=run, events=len(events), findings=tuple(findings))

    def verify_all(self) -> Iterator[Verdict]:
        """Say it of every run."""
        for run in sorted(self._runs):
            yield self.verify(run)

    def close(self) -> None:
        """Do nothing; what was recorded stays."""

    # --- inside -------------------------------------------------------------------------------

    def _kept(self, run: str) -> _Run:
        if run not in self._runs:
            raise RunNotFound(f"There is no run {run} in memory.", "See `harness runs list`.")
        return self._runs[run]

    def _readable(self, run: str) -> _Run:
        kept = self._kept(run)
        if kept.erased is not None:
            raise RunErased(f"Run {run} was erased.")
        return kept

    def _taken(self, run: str) -> StateError | UsageError:
        kept = self._runs[run]
        if kept.erased is not None:
            return RunErased(f"Run {run} was erased.")
        return UsageError(f"There is a run {run} already.", "Open it, or take a new id.")


class MemoryWriter(ClosedAtEnd):
    """Appends to a run of a `MemoryJournal`; made by its `start` and `open_writer`."""

    def __init__(self, journal: MemoryJournal, kept: _Run) -> None:
        self._journal, self._run = journal, kept
        self._blobs: dict[str, bytes] = {}
        self._closed = False
        kept.owner = self

    @property
    def run(self) -> str:
        """Id of the run."""
        return self._run.name

    @property
    def seq(self) -> int:
        """Number of the last event; 0 before the first."""
        return len(self._run.events)

    @property
    def tally(self) -> Tally:
        """What the events add up to."""
        return self._run.tally

    @property
    def in_memory(self) -> bool:
        """It waits for no disk."""
        return True

    def append(
        self, *events: Event, reasoning: Any = None, consumed: Sequence[int] = ()
    ) -> tuple[Recorded, ...]:
        """Record events, all or none. See `Writer`."""
        kept = self._run
        with self._journal.changed:
            self._check(events, reasoning)
            sealed = None if reasoning is None else self._journal.masker.tree(reasoning)
            recorded = self._recorded(events, "" if sealed is None else sha256(to_bytes(sealed)))
            if set(consumed) - kept.inbox.keys():
                raise UsageError("A command was taken before, or was never sent to this run.")
            if not kept.events:
                self._journal.keep(kept)
            kept.owner = None if isinstance(events[-1], RunFinished) else self
            kept.blobs.update(self._blobs)
            kept.events += recorded
            for one in recorded:
                kept.tally = fold(kept.tally, one.event)
                if sealed is not None and isinstance(one.event, MessageCompleted):
                    kept.reasoning[one.seq] = sealed
            for taken in set(consumed):
                del kept.inbox[taken]
            self._journal.changed.notify_all()
        return tuple(recorded)

    def put_blob(self, data: bytes, *, exact: bool = False) -> Blob:
        """Keep content for an event to name; `exact` leaves secrets in."""
        content = data if exact else self._journal.masker.data(data)
        name = sha256(self.run.encode() + b"\0" + content)
        self._blobs[name] = content
        return Blob(hash=name, bytes=len(content))

    def inbox(self) -> tuple[Received, ...]:
        """Return the commands that wait, oldest first."""
        with self._journal.changed:
            self._check_open()
            return tuple(self._run.inbox.values())

    def close(self) -> None:
        """Give the run free. Closing twice does nothing."""
        with self._journal.changed:
            self._closed = True
            if self._run.owner is self:
                self._run.owner = None

    # --- inside -------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise StateError(f"The writer of run {self.run} is closed.", "Open a new one.")

    def _check(self, events: Sequence[Event], reasoning: Any) -> None:
        self._check_open()
        if self._run.owner not in (self, None):
            raise _busy(self.run)
        check_events(events, reasoning, after=self.seq)

    def _recorded(self, events: Sequence[Event], digest: str) -> list[Recorded]:
        """Return the events as they are recorded: through JSON, masked, numbered, hashed."""
        before = self._run.events[-1].hash if self._run.events else ""
        recorded: list[Recorded] = []
        for seq, given in enumerate(events, self.seq + 1):
            event = self._as_read(given, digest)
            for name in blobs_of(event):
                if name not in self._blobs and name not in self._run.blobs:
                    raise UsageError(f"An event names the blob {name[:12]}, which was never put.")
            before = _hash(before, event)
            at = datetime.now(UTC)
            recorded.append(Recorded(run=self.run, seq=seq, at=at, event=event, hash=before))
        return recorded

    def _as_read(self, event: Event, digest: str) -> Event:
        if isinstance(event, UnknownEvent):
            return event
        if isinstance(event, MessageCompleted):
            event = dataclasses.replace(event, reasoning=digest)
        try:
            tree: Mapping[str, Any] = self._journal.masker.tree(to_tree(event))
            return load_event(event.TYPE, event.VERSION, to_bytes(tree))
        except RecursionError:
            raise UsageError(f"The {event.TYPE} event is nested too deeply.") from None


def _hash(before: str, event: Event) -> str:
    return sha256(before.encode() + event.TYPE.encode() + dump(event))


def _busy(run: str) -> RunBusy:
    return RunBusy(
        f"Run {run} is being worked on by a process of this test.",
        "Wait for it, or steer or cancel it from here.",
        owner="a process of this test",
    )
