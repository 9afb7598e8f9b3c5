"""Events of the run as a whole: how it began, went on, was steered, warned and ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal

from harness.journal.event import Event
from harness.journal.parts import (
    ApprovalMode,
    BudgetKind,
    Citation,
    File,
    Limits,
    Relation,
    StopReason,
)
from harness.values import Usage

__all__ = [
    "BudgetWarned",
    "MonitorFlagged",
    "RunFinished",
    "RunResumed",
    "RunStarted",
    "SteerReceived",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted(Event):
    """The first event of every run: all that it takes to begin it again.

    Attributes:
        goal: The request, word for word.
        domain_version: The run keeps to this version, whatever becomes of the folder.
        prefix_sha256: Of the stable part of the packed context.
        options: What else shapes the run: model options, tools, harness version.
        parent: The run that this one comes from, or empty.
        parent_seq: The parent's last event that counts for this run.
        relation: How the two belong together; empty without a parent.
        files: The files given with the request.
    """

    TYPE: ClassVar[str] = "run.started"
    goal: str
    domain: str
    domain_version: str
    model: str
    prefix_sha256: str = ""
    approvals: ApprovalMode = "ask"
    limits: Limits = field(default_factory=Limits)
    options: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    parent: str = ""
    parent_seq: int = 0
    relation: Relation = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResumed(Event):
    """A process took the run up again.

    Attributes:
        process: Which one, in words.
        reason: Why it had stopped, as far as the journal shows: killed, waiting, budget.
        unfinished: Ids of calls that had started and did not finish.
        notices: What differs from the start, in words: the domain changed, another model.
        limits: What holds from now on, where it was changed.
    """

    TYPE: ClassVar[str] = "run.resumed"
    process: str = ""
    reason: str = ""
    unfinished: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    limits: Limits | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SteerReceived(Event):
    """A message from the user that came while the run was at work."""

    TYPE: ClassVar[str] = "steer.received"
    text: str
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetWarned(Event):
    """A budget is nearly or wholly used. `used` and `limit` are in the budget's own unit."""

    TYPE: ClassVar[str] = "budget.warned"
    budget: BudgetKind
    level: Literal["warn", "wrap_up", "stop"]
    used: Decimal
    limit: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorFlagged(Event):
    """The monitor saw something that a person should look at; it never quotes reasoning."""

    TYPE: ClassVar[str] = "monitor.flagged"
    rule: str
    severity: Literal["note", "warning", "stop"] = "warning"
    text: str = ""
    step: int = 0
    call: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinished(Event):
    """The run came to an end; a later `run.resumed` may take it up again.

    Attributes:
        value: The answer's typed value, as JSON.
        problems: Checks that failed (`unverified`), or what went wrong (`failed`), in words.
        usage: Of all calls, children included.
        seconds: At work, over all processes.
    """

    TYPE: ClassVar[str] = "run.finished"
    stop: StopReason
    answer: str = ""
    value: Any = None
    citations: tuple[Citation, ...] = ()
    problems: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    steps: int = 0
    seconds: float = 0.0
