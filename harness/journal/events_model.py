"""Events about the model: what it is shown, asked and says, and how its context is kept small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal

from harness.journal.event import Event
from harness.journal.parts import Blob, Purpose, ToolCall
from harness.values import Usage

__all__ = [
    "ContextCompacted",
    "ContextPacked",
    "MessageCompleted",
    "MessageStreamed",
    "ModelRequested",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextPacked(Event):
    """What the model is shown before the work begins.

    Attributes:
        by_section: Tokens by section.
        items: Keys of the items that stand in it, in its order.
        messages: The packed messages as JSON.
    """

    TYPE: ClassVar[str] = "context.packed"
    step: int
    tokens: int
    budget: int
    by_section: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    prefix_sha256: str = ""
    messages: Blob | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRequested(Event):
    """A call to the model is about to be made; what it may cost at most counts from here.

    Attributes:
        request_sha256: Of the request, for replay to compare.
        reserved_input_tokens: Counted with our counter times the model's learnt ratio.
        reserved_output_tokens: Most that the model may write.
        reserved_usd: Price of both; None where it is unknown.
    """

    TYPE: ClassVar[str] = "model.requested"
    step: int
    model: str
    purpose: Purpose = "step"
    attempt: int = 1
    request_sha256: str = ""
    reserved_input_tokens: int = 0
    reserved_output_tokens: int = 0
    reserved_usd: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageStreamed(Event):
    """What the model said since the last such event: its message is not there in whole yet.

    It counts for nothing once the message is completed or asked for again; what was cut off is
    read from it.

    Attributes:
        restart: What was kept of this message before was taken back.
    """

    TYPE: ClassVar[str] = "message.streamed"
    step: int
    text: str
    restart: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageCompleted(Event):
    """The model's whole message.

    Attributes:
        text: What it said, without reasoning.
        stop: Why it stopped, as the provider names it.
        model: The model that answered, as the provider names it.
        summary: The provider's own summary of the reasoning, which may be shown.
        message: As the provider needs it back, reasoning taken out.
        reasoning: SHA-256 of the sealed reasoning's ciphertext; the journal fills it in.
        seconds: From request to end.
    """

    TYPE: ClassVar[str] = "message.completed"
    step: int
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    stop: str = ""
    model: str = ""
    summary: str = ""
    message: Mapping[str, Any] | None = None
    reasoning: str = ""
    purpose: Purpose = "step"
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextCompacted(Event):
    """The context was made smaller. The journal keeps everything.

    Attributes:
        how: Tool results cleared, or older turns summarised.
        through_seq: Up to this event, the context holds only what is said here.
        cleared: Ids of the calls whose results were cleared.
        summary: What stands for the older turns.
        pinned: What was carried over word for word, by kind.
        problem: Why nothing was compacted, where it failed.
    """

    TYPE: ClassVar[str] = "context.compacted"
    how: Literal["clear", "summary"]
    tokens_before: int
    tokens_after: int
    through_seq: int = 0
    cleared: tuple[str, ...] = ()
    summary: str = ""
    pinned: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
