"""A writer that keeps nothing: for questions of an eval, whose answers have a record of their own.

One question of an eval would cost two commits and a key; a thousand of them would double the
time of an eval against a fast model, and bury a list of runs. They go through the same loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from harness.journal.commands import Received
from harness.journal.events import Event, Recorded
from harness.journal.parts import Blob
from harness.journal.summary import Tally, fold
from harness.journal.writing import ClosedAtEnd

__all__ = ["UnrecordedWriter"]


class UnrecordedWriter(ClosedAtEnd):
    """Stands where a journal's writer does.

    Args:
        run: Id of the run.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._seq = 0
        self._tally = Tally()

    @property
    def run(self) -> str:
        """Id of the run."""
        return self._run

    @property
    def seq(self) -> int:
        """Number of the last event."""
        return self._seq

    @property
    def in_memory(self) -> bool:
        """There is nothing to wait for."""
        return True

    @property
    def tally(self) -> Tally:
        """What the events add up to."""
        return self._tally

    def append(
        self, *events: Event, reasoning: Any = None, consumed: Sequence[int] = ()
    ) -> tuple[Recorded, ...]:
        """Count events and give them back."""
        del reasoning, consumed
        recorded = []
        for event in events:
            self._seq += 1
            self._tally = fold(self._tally, event)
            recorded.append(
                Recorded(run=self._run, seq=self._seq, at=datetime.now(UTC), event=event, hash="")
            )
        return tuple(recorded)

    def put_blob(self, data: bytes, *, exact: bool = False) -> Blob:
        """Name content; nobody will read it."""
        del exact
        return Blob(hash=hashlib.sha256(data).hexdigest(), bytes=len(data))

    def inbox(self) -> tuple[Received, ...]:
        """Return nothing: nobody knows of this run."""
        return ()
