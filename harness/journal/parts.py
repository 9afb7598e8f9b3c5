"""Parts of events and commands: calls, files, limits, citations, and closed sets of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

__all__ = [
    "ApprovalMode",
    "Blob",
    "BudgetKind",
    "Citation",
    "Effect",
    "File",
    "Limits",
    "Picture",
    "PlanStep",
    "Purpose",
    "Relation",
    "Scope",
    "StopReason",
    "ToolCall",
]

Effect = Literal["read", "draft", "write", "external", "irreversible"]
ApprovalMode = Literal["ask", "never", "auto"]
Scope = Literal["once", "run", "rule"]
StopReason = Literal[
    "completed", "unverified", "needs_input", "budget", "loop", "cancelled", "failed"
]
Relation = Literal["", "fork", "delegate", "replay", "continue"]
Purpose = Literal["step", "compact", "check", "judge"]
"""What a call to the model is for; all but `step` are upkeep."""
BudgetKind = Literal["tokens", "usd", "steps", "minutes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """Names content that is kept beside the journal.

    Attributes:
        hash: SHA-256 of the ciphertext, hexadecimal: the same content has the same name within
            a run and another in another run.
        bytes: Length of the content.
    """

    hash: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture that a tool showed; `media_type` as `image/png`."""

    media_type: str
    blob: Blob


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file at a path below the workspace, with slashes."""

    path: str
    blob: Blob


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A call as the model wrote it.

    Attributes:
        written: The arguments as text, where they are no JSON object.
    """

    id: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    written: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a run may use, its children included. None: no limit."""

    tokens: int | None = None
    usd: Decimal | None = None
    steps: int | None = None
    minutes: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanStep:
    """One line of a plan."""

    text: str
    state: Literal["pending", "doing", "done", "dropped"] = "pending"


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """A quote in an answer.

    Attributes:
        where: Page, heading or sheet, in words.
        verified: The quote stands in that passage.
    """

    document: str
    quote: str
    where: str = ""
    verified: bool = False
