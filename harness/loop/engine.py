"""The engine: asks the model, works off its calls, and again, until the run has come to an end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from harness.errors import HarnessError, UsageError
from harness.journal.events import (
    ContextPacked,
    MessageCompleted,
    Recorded,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
)
from harness.journal.parts import Limits
from harness.loop.calls import Calls
from harness.loop.controls import Controls, refusal
from harness.loop.finish import Ended, end
from harness.loop.inbox import Inbox
from harness.loop.means import Means
from harness.loop.messages import to_json
from harness.loop.prompts import words
from harness.loop.record import Emit, Record
from harness.loop.state import GATE, HARNESS, RunState
from harness.loop.turn import CUT_SHORT, Turns
from harness.loop.upkeep import Upkeep
from harness.loop.world import World
from harness.seams_journal import Writer
from harness.values import Delta
from harness.values_packed import Message
from harness.words.blank import is_blank

__all__ = ["Loop", "Opening", "Resumption", "new_state"]

MOST_NUDGES = 1
"""Times that a message which can't be used is asked for again."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a new run begins.

    Attributes:
        started: Its first event.
        packed: What of the packed context is journalled; its blob is put in here.
        messages: What the model is shown first; of a run that continues another, what is new.
    """

    started: RunStarted
    packed: ContextPacked
    messages: Sequence[Message] = ()


@dataclass(frozen=True, kw_only=True)
class Resumption:
    """How a run is taken up again.

    Attributes:
        reason: Why it had stopped, in words; found out where it is empty.
        notices: What differs from the start: the domain changed, another model.
        limits: What holds from now on; None keeps the limits.
        message: Something new from the user: also a run that is done goes on with it.
        by: Who says it.
    """

    reason: str = ""
    notices: tuple[str, ...] = ()
    limits: Limits | None = None
    message: str = ""
    by: str = "user"


def new_state(means: Means) -> RunState:
    """Return the state of a run that has not begun."""
    return RunState(means.counter, _no_blob, ratio=means.token_ratio)


class Loop:
    """Works on one run.

    `events` yields what happens; leaving it early stops the work, which can be resumed.

    Args:
        writer: Of the run's journal; the caller closes it.
        means: What the run works with.
        how: The opening of a new run, or how an old one is taken up again.
        state: Of an old run: see `load_state`.
        world: What it touches outside; of the means by default.

    Raises:
        UsageError: A budget in US dollars can't be kept: the model has no known price.

    Attributes:
        state: What the run has come to.
    """

    def __init__(
        self,
        writer: Writer,
        means: Means,
        how: Opening | Resumption,
        *,
        state: RunState | None = None,
        world: World | None = None,
    ) -> None:
        limits = how.started.limits if isinstance(how, Opening) else how.limits
        limits = limits or (state.limits if state else Limits())
        refuse_unpriced(means, limits)
        self._blobs: dict[str, bytes] = {}
        self.state = state or new_state(means)
        if isinstance(how, Opening):
            self.state.blob = lambda blob: self._blobs[blob.hash]
        self._writer, self._means, self._how = writer, means, how
        self._world = world or World(means)
        self._turns: Turns | None = None

    @property
    def error(self) -> HarnessError | None:
        """The error of the model with which a run ended as `failed`, with its type."""
        return self._turns.error if self._turns else None

    async def events(self) -> AsyncGenerator[Delta | Recorded, None]:
        """Yield events when they are durable, and text as it streams in, to the run's end.

        Raises:
            StateError: The journal could not be written; what it has stands.
        """
        queue: asyncio.Queue[Delta | Recorded | None] = asyncio.Queue(maxsize=64)
        failed: list[BaseException] = []
        left = False

        async def tell(item: Delta | Recorded | None) -> None:
            if not left:  # nobody would ever take it
                await queue.put(item)

        async def work() -> None:
            try:
                await self.run(tell)
            except Exception as error:
                failed.append(error)
            await tell(None)

        task = asyncio.create_task(work())
        try:
            while (item := await queue.get()) is not None:
                yield item
            if failed:
                raise failed[0]
        finally:
            left = True
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def run(self, emit: Emit) -> RunFinished:
        """Work on the run to its end; return the last event.

        Args:
            emit: Told of every event when it is durable, and of text as it streams in.

        Raises:
            StateError: The journal could not be written; what it has stands.
        """
        record = Record(self._writer, self.state, emit)
        stop = self._means.stop or anyio.Event()
        inbox = Inbox(record, self._world, self._means.stop)
        turns = Turns(record, self._world, inbox, self._tool_tokens())
        self._turns = turns
        controls = Controls(record, self._world, inbox, stop)
        calls = Calls(record, self._world, inbox, controls)
        with contextlib.suppress(Ended):
            await self._begin(record, calls)
            await self._work(record, turns, inbox, controls, calls)
        if self.state.finished is None:
            raise AssertionError("the loop ends with run.finished")
        return self.state.finished

    # --- the loop itself ----------------------------------------------------------------------

    async def _work(
        self, record: Record, turns: Turns, inbox: Inbox, controls: Controls, calls: Calls
    ) -> None:
        """Ask and work off, until `Ended`."""
        upkeep = Upkeep(record, turns)
        while True:
            await calls.work_off()
            if self.state.answer is not None:
                await self._answered(record, controls, self.state.answer)
            await inbox.drain()
            await upkeep.make_room()
            await turns.check_budgets()
            await turns.ask(upkeep.make_room_at_once)

    async def _answered(self, record: Record, controls: Controls, said: MessageCompleted) -> None:
        """Take a message without calls for the answer, if it is one.

        Raises:
            Ended: It is, or there is none to be had.
        """
        nudge = "empty" if is_blank(said.text) else ""
        if not nudge and said.stop in CUT_SHORT and self.state.nudged < MOST_NUDGES:
            nudge = "cut"
        if nudge and self.state.nudged >= MOST_NUDGES:
            await end(record, "failed", problems=("The model answered with nothing.",))
        if nudge:
            record.note(SteerReceived(text=words(nudge), by=HARNESS))
        else:
            problems = await controls.judge(said.text)
            record.note(SteerReceived(text=refusal(problems), by=GATE))

    # --- beginning ----------------------------------------------------------------------------

    async def _begin(self, record: Record, calls: Calls) -> None:
        how = self._how
        if isinstance(how, Opening):
            await self._open(record, how)
            return
        self._resume(record, how)
        unfinished = [one.id for one in self.state.calls.values() if one.uncertain]
        await calls.note_changes(unfinished[0] if unfinished else "")
        await record.commit()

    async def _open(self, record: Record, how: Opening) -> None:
        mask = self._means.mask
        options = {**how.started.options, "loop": self._world.noted()}
        record.note(replace(how.started, goal=mask(how.started.goal), options=options))
        if how.messages:
            # As the journal has it: what a resumed run would be shown, and no secret.
            data = mask(to_json(how.messages).decode()).encode()
            blob = await record.put_blob(data)
            self._blobs[blob.hash] = data
            record.note(replace(how.packed, messages=blob))

    def _resume(self, record: Record, how: Resumption) -> None:
        state = self.state
        finished = state.finished
        done = finished is not None and finished.stop in ("completed", "unverified")
        if done and not how.message:
            raise UsageError(
                f"Run {record.run} is {finished.stop if finished else 'over'}.",
                "Say what more is to be done, or fork it.",
            )
        unfinished = tuple(one.id for one in state.calls.values() if one.started is not None)
        reason = how.reason or (finished.stop if finished else "stopped")
        record.note(
            RunResumed(
                process=f"process {os.getpid()} on {platform.node()}",
                reason=reason,
                unfinished=unfinished,
                notices=how.notices,
                limits=how.limits,
            )
        )
        if how.message:
            record.note(SteerReceived(text=how.message, by=how.by))

    def _tool_tokens(self) -> int:
        """Return about how many tokens the tools' descriptions have."""
        options: Mapping[str, Any] = self.state.started.options if self.state.started else {}
        known = options.get("loop")
        if isinstance(known, Mapping) and "tool_tokens" in known:
            return int(known["tool_tokens"])
        return self._world.tool_tokens()


def refuse_unpriced(means: Means, limits: Limits) -> None:
    """Check that a budget in US dollars can be kept.

    Raises:
        UsageError: A model's price is not known.
    """
    if limits.usd is None:
        return
    for model in (means.model, means.fallback):
        if model is not None and model.cost(1_000, 1_000) is None:
            raise UsageError(
                f"The price of {model.name} is not known, so a budget in US dollars can't be kept.",
                "Give a budget in tokens, steps or minutes instead.",
            )


def _no_blob(blob: object) -> bytes:
    raise KeyError(blob)
