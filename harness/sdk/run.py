"""A run as its caller holds it: events as they come, decisions in between, the result last."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import anyio.to_thread

from harness.errors import StateError
from harness.journal.events import (
    ApprovalRequested,
    Event,
    FileChanged,
    QuestionAsked,
    Recorded,
    RunFinished,
)
from harness.journal.parts import Citation, Limits, Scope, StopReason
from harness.sdk import portal
from harness.values import Delta, Usage

if TYPE_CHECKING:
    from harness.sdk.records import Records
    from harness.sdk.run_files import RunFiles

__all__ = ["Approve", "Budget", "Decision", "Drive", "Respond", "Run", "RunResult", "attend"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What a run may use at most, its assistants included. None: no limit.

    Attributes:
        usd: US dollars.
        tokens: Input and output of all calls.
        steps: Messages of the model.
        minutes: At work.
    """

    usd: float | Decimal | str | None = None
    tokens: int | None = None
    steps: int | None = None
    minutes: float | None = None

    def limits(self) -> Limits:
        """Return it as the journal keeps it."""
        usd = None if self.usd is None else Decimal(str(self.usd))
        return Limits(usd=usd, tokens=self.tokens, steps=self.steps, minutes=self.minutes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A person's word on a call that waits.

    Attributes:
        allow: Whether the call is made.
        scope: This call, this tool for the rest of the run, or a rule.
        arguments: What to call it with instead.
        pattern: Of the rule: a glob for each argument that it binds.
        reason: Why; the record and the model have it.
    """

    allow: bool
    scope: Scope = "once"
    arguments: Mapping[str, Any] | None = None
    pattern: Mapping[str, Any] | None = None
    reason: str = ""


Approve = Callable[[ApprovalRequested], "bool | Decision | Awaitable[bool | Decision]"]
Respond = Callable[[QuestionAsked], "str | Awaitable[str]"]
Drive = Callable[[], AsyncGenerator["Delta | Recorded", None]]
"""Starts the loop and yields what it does, until the run ends or waits for nobody present."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of a run.

    Attributes:
        stop: Why it ended.
        text: The answer.
        value: Its typed value, as the domain asks for one.
        citations: Quotes in the answer, each looked up.
        problems: What failed, in words, where it did not end well.
        files: Paths in the workspace that it made, changed or removed.
        workspace: Its folder; they stand in `files` there.
        seconds: At work.
    """

    run: str
    stop: StopReason
    text: str
    value: Any = None
    citations: tuple[Citation, ...] = ()
    problems: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    workspace: Path
    usage: Usage = field(default_factory=Usage)
    steps: int = 0
    seconds: float = 0.0

    @property
    def completed(self) -> bool:
        """It ended with an answer that passed all checks."""
        return self.stop == "completed"


class Run:
    """One run: a context manager, and an iterator over its events; `async` works alike.

    Iterating drives it; a `Delta` is text as it streams in, everything else is an event that
    stands in the journal. To leave before the end stops the work, and keeps it: the run can be
    resumed.

    Args:
        name: Id of the run.
        drive: Starts the loop.
        records: The runs of the state folder.
        workspace: The folder of its files.
        approve: Decides on calls that wait; None leaves them to others.
        respond: Answers questions; None leaves them to others.
        pending: It is there already, and something may wait in it.
    """

    def __init__(
        self,
        name: str,
        drive: Drive,
        records: Records,
        workspace: Path,
        *,
        approve: Approve | None = None,
        respond: Respond | None = None,
        pending: bool = False,
    ) -> None:
        self.id = name
        self._pending = pending
        self.workspace = workspace
        self._drive = drive
        self._records = records
        self._approve = approve
        self._respond = respond
        self._finished: RunFinished | None = None
        self._files: dict[str, None] = {}
        self._items: Iterator[Delta | Recorded] | None = None

    # --- for callers that wait ------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop working on the run; what is done stays."""
        if self._items is not None:
            cast(Any, self._items).close()
            self._items = None

    def __iter__(self) -> Iterator[Delta | Event]:
        for item in self.recorded():
            yield item.event if isinstance(item, Recorded) else item

    def recorded(self) -> Iterator[Delta | Recorded]:
        """Yield the events with their numbers and hashes, and text as it comes."""
        if self._items is None:
            self._items = self._watched()
        yield from self._items

    def _watched(self) -> Iterator[Delta | Recorded]:
        for open_call in self._left_open():
            self._asked(open_call)
        for item in portal.iterate(self._drive):
            waits = self._note(item)
            yield item
            if waits is not None:
                self._asked(waits)

    @property
    def result(self) -> RunResult:
        """What came of it; works on to the end first.

        Raises:
            StateError: The loop ended without an end in the journal.
        """
        if self._finished is None:
            for _ in self.recorded():
                pass
        return self._result()

    # --- for callers in a loop of their own -----------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[Delta | Event]:
        for open_call in await anyio.to_thread.run_sync(self._left_open):
            await attend(self._records, self.id, open_call, self._approve, self._respond)
        async with aclosing(cast(Any, self._drive())) as items:
            async for item in items:
                waits = self._note(item)
                yield item.event if isinstance(item, Recorded) else item
                if waits is not None:
                    await attend(self._records, self.id, waits, self._approve, self._respond)

    async def aresult(self) -> RunResult:
        """Return what came of it; works on to the end first."""
        if self._finished is None:
            async for _ in self:
                pass
        return self._result()

    @property
    def artifacts(self) -> RunFiles:
        """The files that came of it, as the journal has them: to list, to save in a folder."""
        return self._records.files(self.id)

    # --- from another thread, while it is at work -----------------------------------------------

    def steer(self, text: str) -> None:
        """Say something to it; see `Records.steer`."""
        self._records.steer(self.id, text)

    def cancel(self, reason: str = "") -> None:
        """End it; see `Records.cancel`."""
        self._records.cancel(self.id, reason)

    # --- inside ---------------------------------------------------------------------------------

    def _left_open(self) -> list[ApprovalRequested | QuestionAsked]:
        """Look at what was before; return what waits, for the callbacks to deal with first."""
        if not self._pending:
            return []
        told = self._records.show(self.id)
        self._files.update(dict.fromkeys(told.files))
        approvals = told.approvals if self._approve else ()
        questions = told.questions if self._respond else ()
        return [*approvals, *questions]

    def _note(self, item: Delta | Recorded) -> ApprovalRequested | QuestionAsked | None:
        """Keep what the result needs; return what a callback has a word on."""
        event = item.event if isinstance(item, Recorded) else None
        if isinstance(event, RunFinished):
            self._finished = event
        elif isinstance(event, FileChanged):
            self._files[event.path] = None
        elif isinstance(event, ApprovalRequested):
            return event if self._approve else None
        elif isinstance(event, QuestionAsked):
            return event if self._respond else None
        return None

    def _asked(self, waits: ApprovalRequested | QuestionAsked) -> None:
        """Call a callback in the caller's own thread: it may ask a person at a terminal."""
        ask = _callback(waits, self._approve, self._respond)
        if inspect.iscoroutinefunction(ask):
            portal.call(lambda: attend(self._records, self.id, waits, self._approve, self._respond))
        elif ask is not None:
            _send(self._records, self.id, waits, ask(waits))

    def _result(self) -> RunResult:
        end = self._finished
        if end is None:
            raise StateError(
                f"Run {self.id} stopped without an end.",
                f"`harness runs resume {self.id}` goes on.",
            )
        return RunResult(
            run=self.id,
            stop=end.stop,
            text=end.answer,
            value=end.value,
            citations=end.citations,
            problems=end.problems,
            files=tuple(self._files),
            workspace=self.workspace,
            usage=end.usage,
            steps=end.steps,
            seconds=end.seconds,
        )


async def attend(
    records: Records,
    run: str,
    event: Event,
    approve: Approve | None,
    respond: Respond | None,
) -> None:
    """Let a callback decide on a call or answer a question, if that is what the event asks for."""
    ask = _callback(event, approve, respond)
    if ask is None:
        return
    if inspect.iscoroutinefunction(ask):
        said = await ask(event)
    else:
        said = await anyio.to_thread.run_sync(ask, event)
    await anyio.to_thread.run_sync(_send, records, run, event, said)


def _callback(
    event: Event, approve: Approve | None, respond: Respond | None
) -> Callable[[Any], Any] | None:
    """Return the callback that has a word on an event."""
    if isinstance(event, ApprovalRequested):
        return approve
    return respond if isinstance(event, QuestionAsked) else None


def _send(records: Records, run: str, event: Event, said: Any) -> None:
    """Send what a callback said to the run."""
    if isinstance(event, QuestionAsked):
        records.respond(run, event.question, str(said))
    elif isinstance(event, ApprovalRequested):
        word = said if isinstance(said, Decision) else Decision(allow=said is True)
        records.decide(
            run,
            event.call,
            "allow" if word.allow else "deny",
            scope=word.scope,
            arguments=word.arguments,
            pattern=word.pattern,
            reason=word.reason,
        )
