"""The record of a run at work: events go into state and journal, commands come out of the inbox.

An event counts in the state at once and is written with the next commit. Nothing is done in the
world before the events that say so are durable; where a commit fails, the state goes with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from anyio.to_thread import run_sync

from harness.journal.commands import Received
from harness.journal.events import Event, MessageCompleted, Recorded, SteerReceived, ToolFinished
from harness.journal.parts import Blob, Picture
from harness.loop.pictures import Taken
from harness.loop.state import RunState
from harness.seams_journal import Writer
from harness.values import Delta

__all__ = ["Emit", "Record"]

Emit = Callable[[Recorded | Delta], Awaitable[None]]


class Record:
    """Writes one run.

    Args:
        writer: Of its journal.
        state: What the journal says so far.
        emit: Told of every event that is durable, and of text as it streams in.
    """

    def __init__(self, writer: Writer, state: RunState, emit: Emit) -> None:
        self.writer = writer
        self.state = state
        self._emit = emit
        self._events: list[Event] = []
        self._reasoning: Mapping[str, Any] | None = None
        self._consumed: list[int] = []
        self._stale: list[int] = []

    @property
    def run(self) -> str:
        """Id of the run."""
        return self.writer.run

    @property
    def pending(self) -> int:
        """How many events were noted and not yet written."""
        return len(self._events)

    @property
    def next_seq(self) -> int:
        """The number that the next event will have."""
        return self.writer.seq + len(self._events) + 1

    def note(self, *events: Event, consumed: int | None = None) -> None:
        """Let events count, to be written with the next commit.

        Args:
            *events: In order.
            consumed: Id of the command that they carry out.
        """
        for event in events:
            self.state.apply(self.next_seq, event)
            self._events.append(event)
        if consumed is not None:
            self._consumed.append(consumed)

    def note_message(self, event: MessageCompleted, sealed: Mapping[str, Any] | None) -> None:
        """Let the model's message count, its reasoning sealed apart."""
        self.state.apply(self.next_seq, event, sealed)
        self._events.append(event)
        self._reasoning = sealed

    async def commit(self) -> None:
        """Write what was noted; return when it is durable.

        Raises:
            StateError: It could not be written; this object is of no use any more.
        """
        if not self._events:
            return
        events, reasoning = self._events, self._reasoning
        consumed = [*self._consumed, *self._stale]
        write = partial(self.writer.append, *events, reasoning=reasoning, consumed=consumed)
        recorded = write() if self.writer.in_memory else await run_sync(write)
        self._events, self._reasoning = [], None
        self._consumed, self._stale = [], []
        for given, kept in zip(events, recorded, strict=True):
            if given is not kept.event and _was_masked(given, kept.event):
                self.state.redact(kept.seq, kept.event)
            await self._emit(kept)

    async def say(self, delta: Delta) -> None:
        """Pass on text as it streams in."""
        await self._emit(delta)

    def received(self) -> list[Received]:
        """Return the commands that wait, those out that were dealt with.

        Read right here: it waits for nobody, and a thread would take as long again.
        """
        done = {*self._consumed, *self._stale}
        return [one for one in self.writer.inbox() if one.id not in done]

    def drop(self, received: Received) -> None:
        """Take a command that came too late out of the inbox, with the next commit."""
        self._stale.append(received.id)

    async def put_blob(self, data: bytes, *, exact: bool = False) -> Blob:
        """Keep content, for an event to name."""
        put = partial(self.writer.put_blob, data, exact=exact)
        return put() if self.writer.in_memory else await run_sync(put)

    async def put_content(self, content: bytes | None) -> Blob | None:
        """Keep what a file holds, to the byte; None where there is none."""
        return None if content is None else await self.put_blob(content, exact=True)

    async def put_pictures(self, pictures: Iterable[Taken]) -> tuple[Picture, ...]:
        """Keep pictures, for `tool.finished` to name; the state shows them without reading back."""
        kept = []
        for one in pictures:
            blob = await self.put_blob(one.data, exact=True)
            self.state.shown[blob.hash] = one.data
            kept.append(Picture(media_type=one.media_type, blob=blob))
        return tuple(kept)


def _was_masked(given: Event, kept: Event) -> bool:
    if isinstance(given, MessageCompleted) and isinstance(kept, MessageCompleted):
        return replace(given, reasoning="") != replace(kept, reasoning="")
    return isinstance(given, ToolFinished | SteerReceived) and given != kept
