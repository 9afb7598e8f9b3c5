"""The inbox: what people ask of a run at work, carried out at the boundaries between its steps."""

from __future__ import annotations

import anyio

from harness.journal.commands import Answer, Cancel, Decide, Received, Steer
from harness.journal.events import ApprovalDecided, QuestionAnswered, SteerReceived
from harness.loop.attend import POLL
from harness.loop.finish import end
from harness.loop.record import Record
from harness.loop.state import OpenCall
from harness.loop.world import World

__all__ = ["Inbox"]


class Inbox:
    """Carries out commands.

    Args:
        record: Of the run.
        world: Has what people ask for.
        stop: Once set, the run is cancelled.
    """

    def __init__(self, record: Record, world: World, stop: anyio.Event | None) -> None:
        self._record, self._world = record, world
        self._stop = stop

    async def drain(self) -> None:
        """Carry out everything that waits; what it gives is noted, not yet written.

        Raises:
            Ended: The run was cancelled.
        """
        while received := await self._world.received(self._record):
            for one in received:
                await self._carry_out(one)
        if self._stop is not None and self._stop.is_set():
            await end(self._record, "cancelled", answer=self._record.state.last_text)

    async def cancelled(self) -> bool:
        """Return whether the run shall end; nothing is carried out."""
        if self._stop is not None and self._stop.is_set():
            return True
        received = await self._world.received(self._record)
        return any(isinstance(one.command, Cancel) for one in received)

    async def wait_for(self, call: OpenCall) -> None:
        """Wait until a call is decided on or a question answered.

        Raises:
            Ended: The run was cancelled.
        """
        while call.decision is None and call.answer is None:
            await self.drain()
            await self._record.commit()
            if call.decision is None and call.answer is None:
                await anyio.sleep(POLL)

    async def _carry_out(self, received: Received) -> None:
        record, command = self._record, received.command
        match command:
            case Steer():
                record.note(
                    SteerReceived(text=command.text, by=command.by or "user"),
                    consumed=received.id,
                )
            case Decide() if self._waits(command.call):
                record.note(
                    ApprovalDecided(
                        call=command.call,
                        decision=command.decision,
                        scope=command.scope,
                        arguments=command.arguments,
                        pattern=command.pattern,
                        reason=command.reason,
                        by=command.by or "user",
                    ),
                    consumed=received.id,
                )
            case Answer() if self._asks(command.question):
                record.note(
                    QuestionAnswered(
                        question=command.question, text=command.text, by=command.by or "user"
                    ),
                    consumed=received.id,
                )
            case Cancel():
                record.drop(received)
                problems = (command.reason,) if command.reason else ()
                await end(record, "cancelled", answer=record.state.last_text, problems=problems)
            case _:
                record.drop(received)

    def _waits(self, name: str) -> bool:
        call = self._record.state.calls.get(name)
        return call is not None and call.asked is not None and call.decision is None

    def _asks(self, name: str) -> bool:
        call = self._record.state.calls.get(name)
        return call is not None and call.question is not None and call.answer is None
