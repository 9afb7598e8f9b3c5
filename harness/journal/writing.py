"""What every writer of a run's events has in common, wherever it writes them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from harness.errors import UsageError
from harness.journal.events import Event, MessageCompleted, RunStarted
from harness.journal.reasoning import refuse_reasoning

__all__ = ["ClosedAtEnd", "check_events"]


class ClosedAtEnd:
    """A writer as a context manager: its end closes it."""

    def close(self) -> None:
        """Give the run free; where nothing is held, do nothing."""

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def check_events(events: Sequence[Event], reasoning: Any, *, after: int) -> None:
    """Refuse what no journal takes.

    Args:
        events: What is to be appended, in order.
        reasoning: What the provider needs back with the one `message.completed` among them.
        after: Number of the run's last event; 0 before the first.

    Raises:
        UsageError: There is no event, or a second beginning, or reasoning in the wrong place.
    """
    if not events:
        raise UsageError("There is nothing to append.")
    for seq, event in enumerate(events, after + 1):
        if isinstance(event, RunStarted) != (seq == 1):
            raise UsageError("A run has one run.started, and it is the first event.")
        if isinstance(event, MessageCompleted):
            refuse_reasoning(event)
    messages = sum(isinstance(event, MessageCompleted) for event in events)
    if reasoning is not None and messages != 1:
        raise UsageError("Reasoning belongs to the one message.completed of its append.")
