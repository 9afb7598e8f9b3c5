"""Scenery: a world made of a script. Models, tools, people and files are as they were recorded."""

# ruff: noqa: ARG002 -- what is asked of the world; the script has the answers

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio

from harness.errors import (
    BadResponse,
    ContextTooLong,
    HarnessError,
    ModelError,
    ProviderUnavailable,
)
from harness.journal.events import (
    ApprovalRequested,
    ContextCompacted,
    MessageCompleted,
    ModelRequested,
    RunFinished,
    RunStarted,
    SteerReceived,
    ToolFinished,
    ToolStarted,
)
from harness.loop.gate import Gated
from harness.loop.means import Delegation, Means
from harness.loop.messages import ai_message
from harness.loop.pictures import Taken
from harness.loop.prompts import words
from harness.loop.script import Interrupted, Script
from harness.loop.state import GATE
from harness.loop.tooling import Outcome, ToolFacts
from harness.loop.turn import OutOfTime
from harness.loop.world import World
from harness.seams import Change
from harness.values import Delta, Reply

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from harness.journal.commands import Received
    from harness.loop.record import Record

__all__ = ["Price", "RecordedModel", "Scenery", "noted"]

Price = Callable[[str, int, int], Decimal | None]


def noted(script: Script) -> Mapping[str, Any]:
    """Return what a run noted of its means when it began."""
    started = script.event(0)
    told = started.options.get("loop") if isinstance(started, RunStarted) else None
    return told if isinstance(told, Mapping) else {}


class RecordedModel:
    """Says what a recorded run's model said.

    Args:
        script: The run.
        name: The model's name.
        price: Of a model by name, input and output tokens.
        in_order: Each call gets the next message of the script, which nobody else moves on.
    """

    def __init__(
        self, script: Script, name: str, price: Price | None = None, *, in_order: bool = False
    ) -> None:
        self._script, self._name, self._price = script, name, price
        self._in_order = in_order

    @property
    def name(self) -> str:
        """As recorded with the next request."""
        if not self._in_order:
            for event in self._script.ahead():
                if isinstance(event, ModelRequested):
                    return event.model
        return self._name

    @property
    def context_window(self) -> int | None:
        """Not known here; the run noted its own."""
        return None

    @property
    def destination(self) -> str:
        """Nowhere."""
        return ""

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        """Return the price, where it can be told; a replay costs nothing."""
        if self._price is None:
            return Decimal(0)
        return self._price(self.name, input_tokens, output_tokens)

    async def aclose(self) -> None:
        """Do nothing."""

    async def stream(
        self,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[Any] = (),
        schema: Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
    ) -> AsyncIterator[Delta | Reply]:
        """Yield the next recorded message, or fail as it did."""
        if self._in_order:
            self._move_on()
        found = self._script.message()
        if found is None:
            event = self._script.next
            if isinstance(event, RunFinished) and event.stop == "cancelled":
                await anyio.sleep_forever()
            raise self._failure()
        event, sealed = found
        if self._in_order:
            self._script.at += 1
        yield Reply(
            message=ai_message(event.text, event.calls, sealed or event.message),
            text=event.text,
            usage=event.usage,
            model=event.model,
            stop=event.stop,
        )

    def _move_on(self) -> None:
        """Go to the next message of the model.

        Raises:
            ModelError: There is none.
        """
        while not self._script.is_over:
            event = self._script.next
            if isinstance(event, MessageCompleted) and event.purpose == "step":
                return
            self._script.at += 1
        raise ModelError("The recorded run has no more messages.", model=self._name)

    def _failure(self) -> HarnessError:
        """Return the error that the next event came from."""
        event = self._script.next
        if isinstance(event, ContextCompacted) and event.problem:
            return BadResponse(event.problem)
        if isinstance(event, ContextCompacted):
            return ContextTooLong("As recorded.")
        if isinstance(event, ModelRequested):
            too_long = event.purpose == "compact"
            return (ContextTooLong if too_long else ProviderUnavailable)("As recorded.")
        problems = event.problems if isinstance(event, RunFinished) else ()
        told = problems[0] if problems else "As recorded."
        if isinstance(event, RunFinished) and event.stop == "budget":
            return OutOfTime(told)
        return ModelError(told)


class Scenery(World):
    """The world as a script has it.

    Args:
        means: What the loop is told.
        script: Of the run.
    """

    def __init__(self, means: Means, script: Script) -> None:
        super().__init__(means)
        self._script = script
        self._noted = noted(script)
        tools = self._noted.get("tools")
        for name, told in (tools if isinstance(tools, Mapping) else {}).items():
            self._facts[name] = ToolFacts(
                name=name,
                effect=told["effect"],
                idempotent=told["idempotent"],
                control=told["control"],
            )
            self._defaults[name] = told["defaults"]

    def noted(self) -> Mapping[str, Any]:
        """Return what the run noted."""
        return self._noted

    def tool_tokens(self) -> int:
        """Return what the run noted."""
        return int(self._noted.get("tool_tokens", 0))

    def clock(self) -> float:
        """Return nothing: how long things took is as recorded."""
        return 0.0

    def elapsed(self, since: float, call: str = "") -> float:
        """Return the recorded seconds."""
        event = self._script.result_of(call) if call else self._script.next
        return event.seconds if isinstance(event, MessageCompleted | ToolFinished) else 0.0

    # --- people ---------------------------------------------------------------------------------

    def waits(self, record: Record) -> bool:
        """Return whether the process waited then."""
        event = self._script.event(self._script.at + record.pending)
        return not (isinstance(event, RunFinished) and event.stop == "needs_input")

    async def received(self, record: Record) -> list[Received]:
        """Return what people asked for next."""
        return self._script.commands(record.pending)

    # --- tools ----------------------------------------------------------------------------------

    def problem(self, call: str, name: str, arguments: Mapping[str, Any]) -> str:
        """Return what was found wrong with a call before it was made."""
        for event in self._script.ahead():
            if isinstance(event, ToolFinished) and event.call == call:
                return event.text if event.outcome == "invalid" else ""
            if isinstance(event, ToolStarted | ApprovalRequested) and event.call == call:
                return ""
        return ""

    async def preview(self, call: str, name: str, arguments: Mapping[str, Any]) -> str:
        """Return the preview that was shown."""
        for event in self._script.ahead():
            if isinstance(event, ApprovalRequested) and event.call == call:
                return event.preview.removeprefix(words("unfinished")).strip()
        return ""

    async def execute(
        self, call: str, name: str, arguments: Mapping[str, Any], most: float
    ) -> Outcome:
        """Return the recorded result."""
        done = self._script.result_of(call)
        if done is None:
            if self._script.was_cancelled():
                await anyio.sleep_forever()
            raise Interrupted
        text = done.text
        if done.full is not None:
            text = self._script.blobs(done.full).decode("utf-8", "replace")
        pictures = tuple(
            Taken(media_type=one.media_type, data=self._script.blobs(one.blob))
            for one in done.pictures
        )
        return Outcome(text=text, artifact=done.artifact, outcome=done.outcome, pictures=pictures)

    async def delegate(self, call: str, delegation: Delegation) -> Outcome:
        """Return the recorded result."""
        return await self.execute(call, "delegate", {}, 0.0)

    async def changes(self, call: str) -> Sequence[Change]:
        """Return the recorded changes; what the files held is not looked at."""
        return [
            Change(
                path=one.path,
                before=None if one.before is None else b"",
                after=None if one.after is None else b"",
            )
            for one in self._script.changes_of(call)
        ]

    async def write(self, call: str, path: str, content: bytes) -> bool:
        """Return whether it was written."""
        done = self._script.result_of(call)
        return done is not None and f"in the file `{path}`" in done.text

    # --- the answer -----------------------------------------------------------------------------

    async def gate(self, answer: str) -> Gated:
        """Return what was found then."""
        for event in self._script.ahead():
            match event:
                case RunFinished():
                    problems = event.problems if event.stop == "unverified" else ()
                    return Gated(citations=event.citations, problems=problems)
                case ToolFinished(artifact={"refused": refused}):
                    return Gated(problems=tuple(refused))
                case SteerReceived(by=by) if by == GATE:
                    before, _, after = words("gate").partition("{problems}")
                    listed = event.text.removeprefix(before).removesuffix(after)
                    return Gated(problems=tuple(listed.removeprefix("- ").split("\n- ")))
        return Gated()

    async def value(self, answer: str) -> Any:
        """Return the recorded value."""
        found = (one.value for one in self._script.ahead() if isinstance(one, RunFinished))
        return next(found, None)
