"""The state of a run: a fold over its journal's events, and nothing else.

The same fold serves a run at work, one that is taken up again, a fork and a replay: what it can't
rebuild from events does not exist. Every event costs the same, however many came before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
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
from harness.journal.parts import Blob, BudgetKind
from harness.loop.budgets import Level, Spent
from harness.loop.conversation import Entry
from harness.loop.messages import from_json
from harness.loop.prompts import words
from harness.loop.state_calls import CallState, OpenCall
from harness.seams import Counter
from harness.values import Usage

__all__ = ["GATE", "HARNESS", "MEMORY", "OpenCall", "ReadBlob", "RunState"]

ReadBlob = Callable[[Blob], bytes]
HARNESS = "harness"
"""Who a message is from that the loop itself says to the model."""
GATE = "harness: finish gate"
"""Who a message is from that says why an answer was not accepted."""
MEMORY = "memory"
"""Kind of the entry that stands for what was compacted."""
RATIO_LOW, RATIO_HIGH = 0.5, 3.0
ENOUGH = 2_000
"""Tokens of ours that a request needs for its ratio to be remembered: framing counts for less."""


class RunState(CallState):
    """What a run has come to.

    Args:
        counter: Counts tokens of what the model is shown.
        blob: Reads a blob of the run whose events are applied.
        ratio: The model's tokens to ours, as learnt before.
    """

    def __init__(self, counter: Counter, blob: ReadBlob, *, ratio: float = 1.0) -> None:
        super().__init__(counter)
        self.blob = blob
        self._base = 0
        self.started: RunStarted | None = None
        self.step = 0
        self.told: dict[BudgetKind, Level] = {}
        self.request: ModelRequested | None = None
        self.attempt = 0
        self.model = ""
        self.ratio = ratio
        self.learnt: dict[str, float] = {}
        """By model, the highest ratio that requests of some length came to."""
        self.packed_entries = 0
        self.finished: RunFinished | None = None
        self.nudged = 0
        self.pinned: Mapping[str, Any] = {}
        self.summary = ""
        self.last_text = ""
        self.compact_above = 0
        self._counted = 0

    # --- what is asked of it ------------------------------------------------------------------

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
            ours = self._counted / self.ratio
            ratio = usage.input_tokens / ours
            self.ratio = min(max(ratio, RATIO_LOW), RATIO_HIGH)
            if ours >= ENOUGH and self.ratio == ratio and not self.conversation.had_pictures:
                self.learnt[self.model] = max(ratio, self.learnt.get(self.model, 0.0))
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


def pinned_text(pinned: Mapping[str, Any]) -> str:
    """Return what is carried over word for word, as the model reads it."""
    parts = []
    for title, lines in pinned.items():
        if lines:
            listed = "\n".join(f"- {line}" for line in lines)
            parts.append(f"\n# {title}\n\n{listed}\n")
    return "".join(parts)


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
