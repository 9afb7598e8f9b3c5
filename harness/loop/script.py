"""A recorded run as a script: what its events say that the world did, in their order.

A replay runs the loop anew, with this in place of models, tools, people and workspace. What the
loop writes is compared with what was recorded, event by event.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.journal.codec import to_tree
from harness.journal.commands import Answer, Cancel, Command, Decide, Received, Steer
from harness.journal.events import (
    ApprovalDecided,
    Event,
    FileChanged,
    MessageCompleted,
    MessageStreamed,
    QuestionAnswered,
    Recorded,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
    ToolFinished,
    UnknownEvent,
)
from harness.journal.parts import Blob
from harness.journal.summary import Tally
from harness.journal.writing import ClosedAtEnd
from harness.loop.finish import CUT_SHORT
from harness.loop.state import GATE, HARNESS

__all__ = ["Difference", "Differs", "Interrupted", "Script", "ScriptWriter"]

MASKED = frozenset({"seconds", "process", "notices", "prefix_sha256"})
"""Fields that differ from run to run: times, hashes of what else, who worked on it."""
OF_RUN = frozenset({"parent", "parent_seq", "relation"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The first thing that a replay does otherwise.

    Attributes:
        seq: Number of the recorded event.
        what: The field, or `type`.
        recorded: What the journal says.
        replayed: What the replay did.
    """

    seq: int
    what: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        return (
            f"Event {self.seq} differs in {self.what}: recorded {self.recorded[:200]!r}, "
            f"replayed {self.replayed[:200]!r}."
        )


class Differs(BaseException):
    """Ends a replay at its first difference."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference


class Interrupted(BaseException):
    """Ends a replay's process where the recorded one ended.

    Not an Exception: what turns a model's or a tool's errors into words must not see it.
    """


class Script:
    """The recorded events, and how far the replay has come.

    Args:
        events: Of the run, in order.
        sealed: Messages with their reasoning, by number of the event.
        blobs: Reads a blob of the run.

    Attributes:
        at: How many events were done again; what was kept of messages on their way is left out.
    """

    def __init__(
        self,
        events: Sequence[Recorded],
        sealed: Mapping[int, Any],
        blobs: Callable[[Blob], bytes],
    ) -> None:
        self.events = [one for one in events if not isinstance(one.event, MessageStreamed)]
        self.sealed = sealed
        self.blobs = blobs
        self.at = 0

    @property
    def is_over(self) -> bool:
        """Everything recorded was done again."""
        return self.at >= len(self.events)

    @property
    def next(self) -> Event | None:
        """The next recorded event."""
        return self.event(self.at)

    def event(self, at: int) -> Event | None:
        """Return a recorded event by its place, from 0."""
        return self.events[at].event if at < len(self.events) else None

    def ahead(self) -> Iterator[Event]:
        """Yield what comes, up to where the process ended."""
        for recorded in self.events[self.at :] if self.at < len(self.events) else ():
            if isinstance(recorded.event, RunResumed):
                return
            yield recorded.event

    def result_of(self, call: str) -> ToolFinished | None:
        """Return the recorded result of a call, if the process came to it."""
        found = (one for one in self.ahead() if isinstance(one, ToolFinished) and one.call == call)
        return next(found, None)

    def was_cancelled(self) -> bool:
        """Return whether the process ended with a cancelled run."""
        return any(isinstance(one, RunFinished) and one.stop == "cancelled" for one in self.ahead())

    def changes_of(self, call: str) -> list[FileChanged]:
        """Return the changes that were recorded for a call, or when the run was taken up again."""
        found: list[FileChanged] = []
        resumed = isinstance(self.next, RunResumed)
        for number, recorded in enumerate(self.events[self.at :]):
            event = recorded.event
            if isinstance(event, FileChanged) and event.call == call:
                found.append(event)
            elif _ends_changes(event, call, first=not number, resumed=resumed):
                break
        return found

    def message(self) -> tuple[MessageCompleted, Any] | None:
        """Return the next event if it is a message of the model, with what was sealed of it.

        Raises:
            Interrupted: The process ended before there was one.
        """
        event = self.next
        if event is None or isinstance(event, RunResumed):
            raise Interrupted
        if isinstance(event, MessageCompleted):
            return event, self.sealed.get(self.events[self.at].seq)
        return None

    def commands(self, pending: int) -> list[Received]:
        """Return what people asked for next.

        Args:
            pending: How many events are done again and not yet compared.

        Raises:
            Interrupted: The process ended while it waited.
        """
        event = self.event(self.at + pending)
        if not pending and (event is None or isinstance(event, RunResumed)):
            raise Interrupted
        command = _command(event)
        if command is None:
            return []
        return [Received(id=self.at + pending + 1, at=datetime.now(UTC), command=command)]

    def skip_undo(self) -> None:
        """Pass over what an undo wrote, which no process of the loop does."""
        undoing = False
        while True:
            event = self.next
            if isinstance(event, RunResumed) and event.reason.startswith("undo"):
                undoing = True
            elif not (
                (isinstance(event, FileChanged) and not event.call)
                or (undoing and isinstance(event, RunFinished))
            ):
                return
            self.at += 1


def _ends_changes(event: Event, call: str, *, first: bool, resumed: bool) -> bool:
    """Whether no more changes of a call come after an event."""
    if isinstance(event, ToolFinished) and event.call == call:
        return True
    if isinstance(event, RunResumed):
        return not first
    return resumed and not isinstance(event, SteerReceived)


def _command(event: Event | None) -> Command | None:
    """Return the command that an event came of."""
    match event:
        case SteerReceived(by=by, text=text) if by not in (HARNESS, GATE):
            return Steer(text=text, by=by)
        case ApprovalDecided(by=by) if by != "policy":
            return Decide(
                call=event.call,
                decision=event.decision,
                scope=event.scope,
                arguments=event.arguments,
                pattern=event.pattern,
                reason=event.reason,
                by=by,
            )
        case QuestionAnswered():
            return Answer(question=event.question, text=event.text, by=event.by)
        case RunFinished(stop="cancelled"):
            reasons = (one for one in event.problems if not one.startswith(CUT_SHORT))
            return Cancel(reason=next(reasons, ""))
        case _:
            return None


class ScriptWriter(ClosedAtEnd):
    """Compares what would be written with what was.

    Args:
        script: What was.
        run: Id of the run.

    Attributes:
        run: Its id: children are named after it.
        replayed: What came out the same.
    """

    def __init__(self, script: Script, run: str) -> None:
        self._script = script
        self.run = run
        self.replayed: list[Recorded] = []

    @property
    def seq(self) -> int:
        """Number of the last event: the next one takes the number that it had."""
        script = self._script
        if script.at < len(script.events):
            return script.events[script.at].seq - 1
        return script.events[-1].seq if script.events else 0

    @property
    def in_memory(self) -> bool:
        """The script is."""
        return True

    @property
    def tally(self) -> Tally:
        """Nothing: a replay is not listed."""
        return Tally()

    def append(
        self,
        *events: Event,
        reasoning: Any = None,  # noqa: ARG002 -- what it came from was compared
        consumed: Sequence[int] = (),  # noqa: ARG002 -- there is no inbox
    ) -> tuple[Recorded, ...]:
        """Compare events with what was recorded.

        Raises:
            Differs: At the first difference.
            Interrupted: The recorded process ended before it wrote them.
        """
        found = []
        for event in events:
            if self._script.is_over:
                raise Interrupted
            recorded = self._script.events[self._script.at]
            if _ends_process(recorded.event) and type(event) is not type(recorded.event):
                raise Interrupted
            difference = compare(recorded, event)
            if difference is not None:
                raise Differs(difference)
            self._script.at += 1
            found.append(dataclasses.replace(recorded, event=event))
        self.replayed += found
        return tuple(found)

    def put_blob(self, data: bytes, *, exact: bool = False) -> Blob:  # noqa: ARG002
        """Keep nothing: names of blobs are not compared."""
        return Blob(hash="", bytes=len(data))

    def inbox(self) -> tuple[Received, ...]:
        """Return nothing: see `Script.commands`."""
        return ()


def _ends_process(event: Event) -> bool:
    """Whether an event shows that the process before it had ended, or that files were set back."""
    return isinstance(event, RunResumed) or (isinstance(event, FileChanged) and not event.call)


def compare(recorded: Recorded, replayed: Event) -> Difference | None:
    """Return the first field in which two events differ; None where they say the same."""
    before = recorded.event
    if isinstance(before, UnknownEvent):
        return None
    if type(before) is not type(replayed):
        return Difference(
            seq=recorded.seq, what="type", recorded=before.TYPE, replayed=replayed.TYPE
        )
    masked = MASKED
    if isinstance(before, RunStarted):
        masked |= OF_RUN
    elif isinstance(before, MessageCompleted):
        masked |= {"reasoning"}
    one, other = to_tree(before), to_tree(replayed)
    for name in one:
        left, right = _masked(one[name]), _masked(other[name])
        if name not in masked and left != right:
            return Difference(
                seq=recorded.seq,
                what=f"{before.TYPE}.{name}",
                recorded=str(left),
                replayed=str(right),
            )
    return None


def _masked(tree: Any) -> Any:
    """Return JSON without the names of blobs, which no two runs share."""
    if isinstance(tree, Mapping):
        if tree.keys() == {"hash", "bytes"}:
            return "blob"
        return {str(key): _masked(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_masked(one) for one in tree]
    return tree
