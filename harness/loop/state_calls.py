"""The calls of a run in its state: which are open, what they came to, what they have cost.

A part of `RunState`'s fold: what events of tools, approvals, questions and files change.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    FileChanged,
    MessageCompleted,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    ToolFinished,
    ToolRequested,
    ToolStarted,
)
from harness.journal.parts import Blob, Effect, Limits, Picture, PlanStep
from harness.loop.approvals import Grant, Rule
from harness.loop.budgets import Left, Spent, left, remaining_note
from harness.loop.conversation import Conversation, Entry
from harness.loop.pictures import Seen
from harness.loop.prompts import words
from harness.seams import Counter
from harness.values import Usage

__all__ = ["CallState", "OpenCall", "limits_of"]

WARN_REPEATS = 3
REPEATS_KEPT = 64
"""Different calls that are remembered, to find a model that goes in circles."""


@dataclass(kw_only=True, slots=True)
class OpenCall:
    """A call that has no result yet.

    Attributes:
        id: In this run: step and number.
        provider_id: As the model's message has it.
        repeat: The how many-th time it is made alike.
        uncertain: It had begun in a process that ended: whether it took effect is not known.
    """

    id: str
    provider_id: str
    tool: str
    arguments: Mapping[str, Any]
    effect: Effect
    idempotent: bool
    repeat: int = 1
    asked: ApprovalRequested | None = None
    question: QuestionAsked | None = None
    answer: QuestionAnswered | None = None
    decision: ApprovalDecided | None = None
    started: ToolStarted | None = None
    attempt: int = 0
    uncertain: bool = False


class CallState:
    """What a run's calls have come to.

    Args:
        counter: Counts tokens of what the model is shown.
    """

    blob: Callable[[Blob], bytes]
    """Reads a blob of the run whose events are applied."""

    def __init__(self, counter: Counter) -> None:
        self.seq = 0
        self.conversation = Conversation(counter)
        self.answer: MessageCompleted | None = None
        self.calls: dict[str, OpenCall] = {}
        self.plan: tuple[PlanStep, ...] = ()
        self.grants: list[Grant] = []
        self.spent = Spent()
        self.limits = Limits()
        self.refused_answers = 0
        self.decisions: list[str] = []
        self.files: dict[str, Blob | None] = {}
        self.turn_before: dict[str, Blob | None] = {}
        self._turn = 0
        self._repeats: OrderedDict[str, int] = OrderedDict()
        self._waiting: list[Entry] = []
        self.shown: dict[str, bytes] = {}
        """What a tool just showed, by the name of its blob."""
        self._reads_seconds = 0.0
        self._to_request: dict[str, str] = {}

    @property
    def grants_to_children(self) -> tuple[Limits, ...]:
        """What children at work may use."""
        return tuple(
            limits_of(one.started.arguments.get("limits"))
            for one in self.calls.values()
            if one.started is not None and "limits" in one.started.arguments
        )

    @property
    def left(self) -> Left:
        """What is left of the budgets."""
        return left(self.limits, self.spent, self.grants_to_children)

    # --- events of tools ----------------------------------------------------------------------

    def _asked_for(self, event: ToolRequested) -> None:
        self.calls[event.call] = OpenCall(
            id=event.call,
            provider_id=self._to_request.get(event.call, event.call),
            tool=event.tool,
            arguments=event.arguments,
            effect=event.effect,
            idempotent=event.idempotent,
            repeat=self._repeat(event),
        )

    def _repeat(self, event: ToolRequested) -> int:
        """Count calls made alike; one that is new and changes something breaks the circle."""
        key = json.dumps([event.tool, event.arguments], sort_keys=True, default=str)
        if key not in self._repeats and event.effect != "read":
            self._repeats.clear()
        count = self._repeats.pop(key, 0) + 1
        self._repeats[key] = count
        if len(self._repeats) > REPEATS_KEPT:
            self._repeats.popitem(last=False)
        return count

    def _approval_asked(self, event: ApprovalRequested) -> None:
        if event.call in self.calls:
            call = self.calls[event.call]
            call.asked, call.decision = event, None

    def _decided(self, event: ApprovalDecided) -> None:
        call = self.calls.get(event.call)
        tool = call.tool if call else ""
        if event.by != "policy":
            why = f" ({event.reason})" if event.reason else ""
            word = "allowed" if event.decision == "allow" else "refused"
            self.decisions.append(f"{event.by or 'The user'} {word} {tool} {event.call}{why}")
        if call is None:
            return
        call.decision = event
        if event.scope != "once":
            pattern = {name: str(glob) for name, glob in (event.pattern or {}).items()}
            rule = Rule(tool=tool, arguments=pattern if event.scope == "rule" else {})
            self.grants.append(Grant(rule=rule, allow=event.decision == "allow"))

    def _began(self, event: ToolStarted) -> None:
        if event.call in self.calls:
            call = self.calls[event.call]
            call.started, call.attempt, call.uncertain = event, event.attempt, False

    def _done(self, event: ToolFinished) -> None:
        call = self.calls.pop(event.call, None)
        self._count_tool(event, call)
        self._add_result(event, call)

    def _count_tool(self, event: ToolFinished, call: OpenCall | None) -> None:
        if call is not None and call.effect == "read":
            self._reads_seconds = max(self._reads_seconds, event.seconds)  # they run together
        else:
            self.spent.seconds += event.seconds
        artifact = event.artifact if isinstance(event.artifact, Mapping) else {}
        self.refused_answers += "refused" in artifact
        child = artifact.get("child")
        if isinstance(child, Mapping):
            cost = child.get("usd")
            usage = Usage(
                input_tokens=int(child["input_tokens"]),
                cached_input_tokens=int(child["cached_input_tokens"]),
                output_tokens=int(child["output_tokens"]),
                cost_usd=None if cost is None else _decimal(cost),
            )
            self.spent.add(usage, steps=int(child["steps"]))

    def _add_result(self, event: ToolFinished, call: OpenCall | None) -> None:
        text = event.text
        edited = call.decision.arguments if call and call.decision else None
        if edited is not None:
            text = f"[The user changed the arguments to {edited!r}.]\n{text}"
        if call is not None and call.repeat >= WARN_REPEATS:
            text = f"{text}\n\n{words('loop_warning', count=call.repeat)}"
        if not self.calls:
            self.spent.seconds += self._reads_seconds
            self._reads_seconds = 0.0
            text += remaining_note(self.limits, self.left)
        self.conversation.add(
            Entry(
                seq=self.seq,
                role="tool",
                text=text,
                kind=event.tool,
                call=call.provider_id if call else self._to_request.get(event.call, event.call),
                own_call=event.call,
                error=event.error,
            )
        )
        if event.pictures:
            self._waiting.append(self._pictures(event))
        if not self.calls:
            for entry in self._waiting:
                self.conversation.add(replace(entry, seq=self.seq))
            self._waiting = []

    def _pictures(self, event: ToolFinished) -> Entry:
        """Return the message that shows what a tool showed."""
        count = len(event.pictures)
        pictures = tuple(map(self._seen, event.pictures))
        self.shown.clear()  # the entry has them now, and lets go of them when it goes
        return Entry(
            seq=self.seq,
            role="user",
            kind="harness",
            own_call=event.call,
            text=f"[{count} picture{'' if count == 1 else 's'} from `{event.tool}`, in order:]",
            pictures=pictures,
        )

    def _seen(self, one: Picture) -> Seen:
        name = one.blob.hash
        read: Callable[[], bytes] = partial(self.blob, one.blob)
        if name in self.shown:
            read = partial(bytes, self.shown[name])
        elif not name:  # a replay keeps none
            read = bytes
        return Seen(media_type=one.media_type, size=one.blob.bytes, read=read)

    def _planned(self, event: PlanUpdated) -> None:
        self.plan = event.steps

    def _questioned(self, event: QuestionAsked) -> None:
        if event.question in self.calls:
            self.calls[event.question].question = event

    def _answered(self, event: QuestionAnswered) -> None:
        call = self.calls.get(event.question)
        if call is not None:
            call.answer = event
            asked = call.question.text if call.question else ""
            self.decisions.append(f"Asked “{asked}”, the user answered: {event.text}")

    def _changed(self, event: FileChanged) -> None:
        if event.turn != self._turn:
            self._turn, self.turn_before = event.turn, {}
        self.turn_before.setdefault(event.path, event.before)
        self.files[event.path] = event.after
        if not event.call:
            text = words("files_changed", paths=event.path)
            self._add(Entry(seq=self.seq, role="user", kind="harness", text=text))

    def _add(self, entry: Entry) -> None:
        """Add an entry; results of calls have to follow their message, so others wait for them."""
        self.answer = None
        if self.calls:
            self._waiting.append(entry)
        else:
            self.conversation.add(entry)


def limits_of(tree: Any) -> Limits:
    """Return limits from the arguments of a call that began a child."""
    if not isinstance(tree, Mapping):
        return Limits()
    usd = tree.get("usd")
    return Limits(
        tokens=tree.get("tokens"),
        usd=None if usd is None else _decimal(usd),
        steps=tree.get("steps"),
        minutes=tree.get("minutes"),
    )


def _decimal(value: Any) -> Any:
    return Decimal(str(value))
