"""A question through the loop: one call without tools, a run in the journal like any other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from harness.errors import BadResponse, StateError
from harness.journal.events import MessageCompleted, ModelRequested, Recorded, RunFinished
from harness.loop import UNKNOWN_RATIO, Loop, Means, RunState
from harness.sdk.equipment import reader_of
from harness.sdk.openings import opening_of
from harness.sdk.runs import new_run_id
from harness.sdk.unrecorded import UnrecordedWriter
from harness.values import Answer, Delta
from harness.values_packed import Packed
from harness.wiring import make_counter

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.sdk.journal_door import JournalDoor
    from harness.seams import Model
    from harness.seams_journal import Writer

__all__ = ["Asked", "Before", "Question"]


@dataclass(frozen=True, kw_only=True)
class Before:
    """The conversation that a question goes on with.

    Attributes:
        run: Id of the run before.
        seq: Number of its last event.
        state: What it came to, made ready for a run that continues it.
    """

    run: str
    seq: int
    state: RunState


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked, of whom.

    Attributes:
        text: The question.
        packed: What the model is shown.
        ratio: Of the model's tokens to ours, as far as it is known.
        fallback: Tried where the model can't be reached.
        schema: A JSON Schema for this answer.
        listed: The answer lists what stood in the context.
    """

    domain: Domain
    text: str
    packed: Packed
    model: Model
    ratio: float = UNKNOWN_RATIO
    fallback: Model | None = None
    schema: Mapping[str, Any] | None = None
    listed: bool = True


class Question:
    """A question on its way. Make one before packing: the journal gets ready meanwhile.

    Args:
        door: Opens the journal; None keeps no record.
        before: The conversation so far.
        name: Id of the run; by default one of its own.
    """

    def __init__(
        self, door: JournalDoor | None, before: Before | None = None, name: str | None = None
    ) -> None:
        self.run = name or new_run_id()
        self._door = door
        self._before = before
        self._started = time.perf_counter()
        self._writer: Future[Writer] | None = door.start_soon(self.run) if door else None
        self.state: RunState | None = None

    def drop(self) -> None:
        """Give up: nothing will be asked."""
        if self._writer is not None:
            self._writer.add_done_callback(_close)

    async def ask(self, asked: Asked) -> AsyncGenerator[Delta | Answer, None]:
        """Yield text as the model says it, and the answer last.

        Raises:
            ModelError: The model could not answer.
            StateError: The journal can't be written.
        """
        writer = await self._opened()
        try:
            loop = self._loop(writer, asked)
            self.state = loop.state
            said: list[MessageCompleted] = []
            models: list[str] = []
            async with aclosing(cast(Any, loop.events())) as items:
                async for item in items:
                    event = item.event if isinstance(item, Recorded) else item
                    if isinstance(event, Delta):
                        yield event
                    elif isinstance(event, ModelRequested):
                        models.append(event.model)
                    elif isinstance(event, MessageCompleted):
                        said.append(event)
            finished = loop.state.finished
            if finished is None or finished.stop == "failed" or not said:
                words = "; ".join(finished.problems) if finished else ""
                raise loop.error or BadResponse(words or "The model gave no answer.")
            yield self._answer(asked, said[-1], finished, _went_over(models))
        finally:
            if self._door is not None:
                self._door.close_soon(writer)

    async def _opened(self) -> Writer:
        """Return what writes the run.

        Raises:
            StateError: The journal can't be written.
        """
        if self._writer is None or self._door is None:
            return cast("Writer", UnrecordedWriter(self.run))
        try:
            return await asyncio.wrap_future(self._writer)
        except StateError:
            # Packing, which went on beside it, may have put a broken state folder right.
            return await asyncio.wrap_future(self._door.start_soon(self.run))

    def _loop(self, writer: Writer, asked: Asked) -> Loop:
        before = self._before
        how = opening_of(
            asked.domain,
            asked.packed,
            goal=asked.text,
            model=asked.model.name,
            approvals="never",
            options={"kind": "ask"},
            parent=before.run if before else "",
            parent_seq=before.seq if before else 0,
            relation="continue" if before else "",
        )
        means = Means(
            model=asked.model,
            counter=make_counter(),
            fallback=asked.fallback,
            schema=asked.schema or asked.domain.settings.answer.schema,
            token_ratio=asked.ratio,
            mask=self._door.masker.text if self._door else str,  # as it is recorded
        )
        if before is None:
            return Loop(writer, means, how)
        before.state.leave_parent()
        if self._door is not None:
            before.state.blob = partial(self._door().blob, self.run)
        return Loop(writer, means, how, state=before.state)

    def _answer(
        self, asked: Asked, said: MessageCompleted, finished: RunFinished, warnings: list[str]
    ) -> Answer:
        domain, packed = asked.domain, asked.packed
        read = reader_of(domain, asked.schema)(said.text)
        if read.problem:
            warnings.append(f"The answer has no value to read: {read.problem}.")
        return Answer(
            run=self.run,
            domain=domain.name,
            version=domain.version,
            text=said.text,
            value=read.value,
            unit=read.unit,
            abstained=read.abstained,
            model=said.model,
            usage=finished.usage,
            demonstrations=packed.shown("example", "eval") if asked.listed else (),
            passages=packed.shown("passage") if asked.listed else (),
            seconds=time.perf_counter() - self._started,
            warnings=tuple(warnings),
        )


def _went_over(models: list[str]) -> list[str]:
    """Return a warning for each time that another model had to answer."""
    return [
        f"{failed} failed, so {other} answered."
        for failed, other in pairwise(models)
        if failed != other
    ]


def _close(pending: Future[Writer]) -> None:
    if pending.exception() is None:
        pending.result().close()
