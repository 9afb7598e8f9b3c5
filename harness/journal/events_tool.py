"""Events about tools: what was asked for, allowed, done, and what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from harness.journal.event import Event
from harness.journal.parts import Blob, Effect, Picture, PlanStep, Scope

__all__ = [
    "ApprovalDecided",
    "ApprovalRequested",
    "FileChanged",
    "PlanUpdated",
    "QuestionAnswered",
    "QuestionAsked",
    "ToolFinished",
    "ToolRequested",
    "ToolStarted",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolRequested(Event):
    """The model asks for a tool; nothing has been done yet."""

    TYPE: ClassVar[str] = "tool.requested"
    step: int
    call: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    effect: Effect = "read"
    idempotent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRequested(Event):
    """A call waits for a person's word.

    Attributes:
        preview: The exact change or message that the call would make.
        rule: The rule that asks, as written; empty for the default of the effect class.
    """

    TYPE: ClassVar[str] = "approval.requested"
    call: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    effect: Effect = "write"
    preview: str = ""
    rule: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalDecided(Event):
    """A call was allowed or refused.

    Attributes:
        arguments: As edited by who decided; None where they stay as they were.
        pattern: Argument pattern of the new rule, where `scope` is rule.
        by: Who decided: a person, or `policy` for a rule or mode.
    """

    TYPE: ClassVar[str] = "approval.decided"
    call: str
    decision: Literal["allow", "deny"]
    scope: Scope = "once"
    arguments: Mapping[str, Any] | None = None
    pattern: Mapping[str, Any] | None = None
    reason: str = ""
    by: str = ""

    @property
    def by_rule(self) -> bool:
        """A rule or mode decided and nobody was asked; what was refused says so in its result."""
        return self.by == "policy"


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolStarted(Event):
    """The tool is about to act; after a crash, this without `tool.finished` means: unknown.

    Attributes:
        arguments: What it is really called with, edits included.
    """

    TYPE: ClassVar[str] = "tool.started"
    step: int
    call: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    effect: Effect = "read"
    idempotent: bool = False
    attempt: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolFinished(Event):
    """What the model is told of a call.

    Attributes:
        text: As the model gets it: after spilling, the head and the tail.
        full: All of it, where `text` is cut.
        artifact: What a tool hands on beside its text, as JSON.
        error: The text is an error that the model may act on.
        outcome: How it ended.
        pictures: What it showed; models that take pictures see them.
    """

    TYPE: ClassVar[str] = "tool.finished"
    step: int
    call: str
    tool: str
    text: str = ""
    full: Blob | None = None
    artifact: Any = None
    error: bool = False
    outcome: Literal["done", "failed", "denied", "timeout", "invalid", "unknown"] = "done"
    seconds: float = 0.0
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanUpdated(Event):
    """The plan as it stands now, all of it."""

    TYPE: ClassVar[str] = "plan.updated"
    steps: tuple[PlanStep, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionAsked(Event):
    """The model asks the user. `question` is the id of the call that asks."""

    TYPE: ClassVar[str] = "question.asked"
    question: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionAnswered(Event):
    """The user's answer."""

    TYPE: ClassVar[str] = "question.answered"
    question: str
    text: str
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChanged(Event):
    """A file of the workspace changed.

    Attributes:
        path: Below the workspace, with slashes.
        before: Its content at the start of the turn; None where it was not there.
        after: Its content now; None where it is gone.
        turn: Undo goes back to the start of a turn.
        call: The call that did it; empty where an undo did.
    """

    TYPE: ClassVar[str] = "file.changed"
    path: str
    before: Blob | None = None
    after: Blob | None = None
    turn: int
    call: str = ""

    @property
    def deed(self) -> Literal["made", "changed", "removed"]:
        """What was done to the file, in a word."""
        if self.after is None:
            return "removed"
        return "changed" if self.before else "made"
