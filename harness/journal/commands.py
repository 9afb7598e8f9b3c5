"""Commands: what another process may ask of a run at work, through its inbox.

Only the process that holds a run writes its journal, so a command waits until that process (or
the next one) takes it and records what came of it as an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from harness.journal.parts import Scope

__all__ = ["COMMANDS", "Answer", "Cancel", "Command", "Decide", "Received", "Steer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Base of all commands."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Steer(Command):
    """A message from the user, for the next tool boundary."""

    TYPE: ClassVar[str] = "steer"
    text: str
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel(Command):
    """End the run, keep the work."""

    TYPE: ClassVar[str] = "cancel"
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decide(Command):
    """Allow or refuse a call that waits for approval; see `ApprovalDecided`."""

    TYPE: ClassVar[str] = "decide"
    call: str
    decision: Literal["allow", "deny"]
    scope: Scope = "once"
    arguments: Mapping[str, Any] | None = None
    pattern: Mapping[str, Any] | None = None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer(Command):
    """Answer a question that the run asked."""

    TYPE: ClassVar[str] = "answer"
    question: str
    text: str
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A command as it waits in the inbox. `id` grows with the order of sending."""

    id: int
    at: datetime
    command: Command


COMMANDS: Mapping[str, type[Command]] = {
    kind.TYPE: kind for kind in (Steer, Cancel, Decide, Answer)
}
"""Every known type, by name."""
