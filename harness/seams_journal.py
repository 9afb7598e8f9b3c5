"""The seams of a run's record: the journal of all runs, and the one writer of each.

Like `harness.seams`: adapters implement them, `harness.testing` has a fake of each, and
`harness.wiring` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from harness.journal.commands import Command, Received
    from harness.journal.events import Event, Recorded
    from harness.journal.parts import Blob
    from harness.journal.summary import RunSummary, Tally
    from harness.journal.verify import Verdict

__all__ = ["Journal", "Writer"]


class Writer(Protocol):
    """The one that appends to a run's journal; a context manager that gives the run free."""

    @property
    def run(self) -> str:
        """Id of the run."""

    @property
    def seq(self) -> int:
        """Number of the last event in the journal; 0 before the first."""

    @property
    def tally(self) -> Tally:
        """What the events recorded in the journal add up to."""

    @property
    def in_memory(self) -> bool:
        """Whether it waits for no disk: then it is called where one must not wait."""

    def append(
        self, *events: Event, reasoning: Any = None, consumed: Sequence[int] = ()
    ) -> tuple[Recorded, ...]:
        """Record events, all or none, and return when they are durable.

        Args:
            *events: In order; a run's first is `run.started`.
            reasoning: JSON that the provider needs back with the one `message.completed`
                among them; the journal seals it apart from the events.
            consumed: Ids of commands that these events carry out; taken in the same commit.

        Raises:
            JournalFull: Nothing was written; the writer can be used again.
            JournalLocked: Nothing was written; the writer can be used again.
            RunBusy: Another process took the run over.
            UsageError: The events can't be recorded as they are.
        """

    def put_blob(self, data: bytes, *, exact: bool = False) -> Blob:
        """Keep content for an event of the journal to name; `exact` leaves secrets in.

        It is durable when the event is.

        Raises:
            JournalFull: No room.
        """

    def inbox(self) -> tuple[Received, ...]:
        """Return the commands that wait in the journal's inbox, oldest first."""

    def close(self) -> None:
        """Give the run free for another writer of the journal."""

    def __enter__(self) -> Self:
        """Return the writer."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""


class Journal(Protocol):
    """The append-only record of all runs: transcript, audit trail, resume and replay at once.

    Every method that names a run raises RunNotFound where there is none, and what reads its
    content RunErased where its key was destroyed, JournalDamaged where it was altered.
    """

    def start(self, run: str) -> Writer:
        """Begin a new run."""

    def open_writer(self, run: str) -> Writer:
        """Take a run up where it ends.

        Raises:
            RunBusy: Another process works on it.
        """

    def read(self, run: str, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """Yield the events numbered above `after`, up to `until`, in order."""

    def tail(
        self,
        run: str,
        after: int = 0,
        *,
        poll: float = 0.02,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Recorded]:
        """Yield events as they come, up to `run.finished`; looks every `poll` seconds."""

    def runs(self, parent: str | None = None) -> Sequence[RunSummary]:
        """Return all runs, or a parent's, newest first."""

    def run(self, run: str) -> RunSummary:
        """Return what is known of one run."""

    def blob(self, run: str, blob: Blob) -> bytes:
        """Return a blob's content."""

    def reasoning_for(self, run: str) -> Iterator[tuple[int, Any]]:
        """Yield sealed reasoning by number of its event: for the provider and the monitor only."""

    def send(self, run: str, command: Command) -> int:
        """Put a command into a run's inbox, from any process; return its id."""

    def erase(self, run: str) -> None:
        """Destroy a run's key; the journal's chain still verifies.

        Raises:
            RunBusy: A process works on it.
        """

    def verify(self, run: str) -> Verdict:
        """Say what was done to a run's record, if anything."""

    def verify_all(self) -> Iterator[Verdict]:
        """Say it of every run of the journal, also of those that were taken out of it."""

    def close(self) -> None:
        """Close the journal's connections."""
