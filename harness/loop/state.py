"""The state of a run: a fold over its journal's events, and nothing else.

The same fold serves a run at work, one that is taken up again, a fork and a replay: what it can't
rebuild from events does not exist. Every event costs the same, however many came before.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    BudgetWarned,
    ContextCompacted,
    ContextPacked,
    Event,
    FileChanged,
    MessageCompleted,
    ModelRequested,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
    ToolFinished,
    ToolRequested,
    ToolStarted,
)
from harness.journal.parts import Blob, BudgetKind, Effect, Limits, PlanStep
from harness.loop.approvals import Grant, Rule
from harness.loop.budgets import Left, Level, Spent, left, remaining_note
from harness.loop.conversation import Conversation, Entry
from harness.loop.messages import from_json
from harness.loop.prompts import words
from harness.seams import Counter
from harness.values import Usage

__all__ = ["GATE", "HARNESS", "MEMORY", "OpenCall", "ReadBlob", "RunState"]

ReadBlob = Callable[[Blob], bytes]
HARNESS = "harness"
"""Who a message is from that the loop itself says to the model."""
WARN_REPEATS = 3
REPEATS_KEPT = 64
"""Different calls that are remembered, to find a model that goes in circles."""
GATE = "harness: finish gate"
"""Who a message is from that says why an answer was not accepted."""
MEMORY = "memory"
"""Kind of the entry that stands for what was compacted."""
RATIO_LOW, RATIO_HIGH = 0.5, 3.0


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


class RunState:
    """What a run has come to.

    Args:
        counter: Counts tokens of what the model is shown.
        blob: Reads a blob of the run whose events are applied.
        ratio: The model's tokens to ours, as learnt before.
    """

    def __init__(self, counter: Counter, blob: ReadBlob, *, ratio: float = 1.0) -> None:
        self.blob = blob
        self.seq = 0
        self._base = 0
        self.started: RunStarted | None = None
        self.conversation = Conversation(counter)
        self.step = 0
        self.calls: dict[str, OpenCall] = {}
        self.plan: tuple[PlanStep, ...] = ()
        self.grants: list[Grant] = []
        self.spent = Spent()
        self.limits = Limits()
        self.told: dict[BudgetKind, Level] = {}
        self.request: ModelRequested | None = None
        self.attempt = 0
        self.model = ""
        self.ratio = ratio
        self.packed_entries = 0
        self.finished: RunFinished | None = None
        self.nudged = 0
        self.refused_answers = 0
        self.answer: MessageCompleted | None = None
        self.decisions: list[str] = []
        self.pinned: Mapping[str, Any] = {}
        self.summary = ""
        self.last_text = ""
        self.compact_above = 0
        self.files: dict[str, Blob | None] = {}
        self.turn_before: dict[str, Blob | None] = {}
        self._turn = 0
        self._repeats: OrderedDict[str, int] = OrderedDict()
        self._waiting: list[Entry] = []
        self._counted = 0
        self._reads_seconds = 0.0
        self._to_request: dict[str, str] = {}

    # --- what is asked of it ------------------------------------------------------------------

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

    @property
    def wrapping_up(self) -> bool:
        """The model was told to hand in what there is."""
        return "wrap_up" in self.told.values()

    @property
    def turn(self) -> int:
        """The turn that files change in: the step whose message made the call."""
        return self.step

    # --- the fold -----------------------------------------------------------------------------

    def apply(self, seq: int, event: Event, sealed: Mapping[str, Any] | None = None) -> None:
        """Take in the next event.

        Args:
            seq: Its number.
            event: As recorded.
            sealed: The message with its reasoning, for a `message.completed` that has any.
        """
        self.seq = self._base + seq
        match event:
            case MessageCompleted():
                self._message(event, sealed)
            case _:
                fold = _FOLDS.get(type(event))
                if fold is not None:
                    fold(self, event)

    def redact(self, seq: int, event: Event) -> None:
        """Say what an event said with the secrets struck out, as the journal has it."""
        entries = self.conversation.entries
        for index in range(len(entries) - 1, max(-1, len(entries) - 50), -1):
            if entries[index].seq != self._base + seq:
                continue
            if isinstance(event, MessageCompleted):
                self.conversation.amend(
                    index, text=event.text, calls=event.calls, message=event.message
                )
            elif isinstance(event, ToolFinished | SteerReceived):
                self.conversation.amend(index, text=event.text)

    def leave_parent(self) -> None:
        """Go on as another run: its events are numbered from 1 again.

        What the parent had begun and not ended counts as not known.
        """
        self._base = self.seq
        self.finished = None
        self.files, self.turn_before = {}, {}  # their blobs are the parent's
        for call in self.calls.values():
            call.uncertain = call.uncertain or call.started is not None

    # --- events of the run --------------------------------------------------------------------

    def _started(self, event: RunStarted) -> None:
        self.started = event
        self.limits = event.limits
        self.spent = Spent()
        self.told = {}
        self.grants = []
        self.finished = None
        self.request = None
        self.refused_answers = self.nudged = 0
        self.model = self.model or event.model
        options = event.options.get("loop")
        if isinstance(options, Mapping):
            self.ratio = float(options.get("ratio", self.ratio))
        if event.relation == "continue":
            self.plan = ()
            self._add(Entry(seq=self.seq, role="user", kind="request", text=event.goal))

    def _resumed(self, event: RunResumed) -> None:
        self.count_request()
        self.finished = None
        self.nudged = self.refused_answers = 0
        if event.limits is not None:
            self.limits = event.limits
            self.told = {}
        for call in self.calls.values():
            call.uncertain = call.uncertain or call.started is not None

    def _finished(self, event: RunFinished) -> None:
        if event.stop != "failed":
            self.count_request()
        self.request = None
        self.finished = event

    def count_request(self) -> None:
        """Count a call that was cut short as if it had cost the most that it could."""
        if self.request is not None:
            one = self.request
            self.spent.add(
                Usage(
                    input_tokens=one.reserved_input_tokens,
                    output_tokens=one.reserved_output_tokens,
                    cost_usd=one.reserved_usd,
                )
            )
            self.request = None

    def _steered(self, event: SteerReceived) -> None:
        own = event.by in (HARNESS, GATE)
        kind = "harness" if own else "steer"
        self._add(Entry(seq=self.seq, role="user", kind=kind, text=event.text))
        if own:
            self.nudged += event.by == HARNESS
            self.refused_answers += event.by == GATE
        else:
            self.nudged = self.refused_answers = 0
            self._repeats.clear()
            self.decisions.append(f"The user said: {event.text}")

    def _warned(self, event: BudgetWarned) -> None:
        self.told[event.budget] = event.level
        if event.level == "stop":
            return
        text = words(
            f"budget_{event.level}",
            used=f"{event.used:,.10g}",
            limit=f"{event.limit:,.10g}",
            budget="US dollars" if event.budget == "usd" else event.budget,
        )
        self._add(Entry(seq=self.seq, role="user", kind="harness", text=text))

    # --- events of the model ------------------------------------------------------------------

    def _packed(self, event: ContextPacked) -> None:
        if event.messages is None:
            return
        messages = from_json(self.blob(event.messages))
        begun = bool(self.conversation.entries)
        entries = [
            Entry(seq=self.seq, role="packed", packed=one)
            for one in messages
            if not (begun and one.role == "system")
        ]
        if begun:
            # A conversation goes on: its last entry, the bare request, is said in full here.
            self.conversation.keep([*self.conversation.entries[:-1], *entries])
        else:
            # Packing counted them all: a long context takes longer to count than to send.
            counted = [event.tokens, *[0] * (len(entries) - 1)]
            self.conversation.keep(map(_with_tokens, entries, counted))
            self.packed_entries = len(entries)

    def _requested(self, event: ModelRequested) -> None:
        if self.model and _provider(event.model) != _provider(self.model):
            self.conversation.make_plain()
        self.model = event.model
        self.request = event
        if event.purpose == "step":
            self.attempt = event.attempt
            self._counted = event.reserved_input_tokens

    def _message(self, event: MessageCompleted, sealed: Mapping[str, Any] | None) -> None:
        usage = event.usage
        if self.request is not None and not usage.input_tokens and not usage.output_tokens:
            usage = Usage(
                input_tokens=self.request.reserved_input_tokens,
                output_tokens=max(1, len(event.text) // 3),
                cost_usd=usage.cost_usd,
            )
        own = event.purpose == "step"
        self.spent.add(usage, steps=own, seconds=event.seconds)
        self._learn_ratio(event.usage, own)
        self.request = None
        if not own:
            return
        self.step = event.step
        self.attempt = 0
        self.turn_before = {}
        self.last_text = event.text
        self._to_request = {
            f"{event.step}.{number}": call.id for number, call in enumerate(event.calls, 1)
        }
        if event.text.strip() or event.calls:
            self._add(
                Entry(
                    seq=self.seq,
                    role="model",
                    text=event.text,
                    calls=event.calls,
                    message=event.message,
                    sealed=sealed,
                    step=event.step,
                )
            )
        if event.calls:
            self.nudged = 0
        else:
            self.answer = event

    def _learn_ratio(self, usage: Usage, own: bool) -> None:
        """Learn how many of the model's tokens one of ours is; ours were reserved at the old."""
        if own and usage.input_tokens and self._counted:
            ratio = self.ratio * usage.input_tokens / self._counted
            self.ratio = min(max(ratio, RATIO_LOW), RATIO_HIGH)
        self._counted = 0

    def _compacted(self, event: ContextCompacted) -> None:
        if event.problem:
            self.compact_above = event.tokens_before + event.tokens_before // 10
            return
        self.compact_above = 0
        if event.how == "clear":
            self.conversation.clear(event.cleared)
            return
        entries = self.conversation.entries
        first = self.packed_entries
        kept = [
            one for one in entries[first:] if one.seq > event.through_seq and one.kind != MEMORY
        ]
        self.pinned, self.summary = event.pinned, event.summary
        text = words("compacted", pinned=pinned_text(event.pinned), summary=event.summary)
        memory = Entry(seq=self.seq, role="user", kind=MEMORY, text=text)
        self.conversation.keep([*entries[:first], memory, *kept])

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
        if not self.calls:
            for entry in self._waiting:
                self.conversation.add(replace(entry, seq=self.seq))
            self._waiting = []

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


def pinned_text(pinned: Mapping[str, Any]) -> str:
    """Return what is carried over word for word, as the model reads it."""
    parts = []
    for title, lines in pinned.items():
        if lines:
            listed = "\n".join(f"- {line}" for line in lines)
            parts.append(f"\n# {title}\n\n{listed}\n")
    return "".join(parts)


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
    from decimal import Decimal

    return Decimal(str(value))


def _with_tokens(entry: Entry, tokens: int) -> Entry:
    return replace(entry, tokens=tokens)


def _provider(model: str) -> str:
    return model.partition(":")[0]


_FOLDS: Mapping[type[Event], Callable[[RunState, Any], None]] = {
    RunStarted: RunState._started,
    RunResumed: RunState._resumed,
    RunFinished: RunState._finished,
    SteerReceived: RunState._steered,
    BudgetWarned: RunState._warned,
    ContextPacked: RunState._packed,
    ModelRequested: RunState._requested,
    ContextCompacted: RunState._compacted,
    ToolRequested: RunState._asked_for,
    ApprovalRequested: RunState._approval_asked,
    ApprovalDecided: RunState._decided,
    ToolStarted: RunState._began,
    ToolFinished: RunState._done,
    PlanUpdated: RunState._planned,
    QuestionAsked: RunState._questioned,
    QuestionAnswered: RunState._answered,
    FileChanged: RunState._changed,
}
