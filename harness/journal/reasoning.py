"""Reasoning stays out of events: a message that carries any is refused, not cleaned in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import UsageError
from harness.journal.events import MessageCompleted

__all__ = ["REASONING_TYPES", "refuse_reasoning"]

REASONING_TYPES = frozenset({"reasoning", "reasoning_content", "redacted_thinking", "thinking"})
"""Types of content blocks, and keys, under which providers send reasoning."""
_FIELDS = frozenset({"encrypted_content", "reasoning", "reasoning_content"})


def refuse_reasoning(event: MessageCompleted) -> None:
    """Check the message that a provider needs back; arguments of tool calls may say anything.

    Raises:
        UsageError: It holds a block of reasoning, or a field for it.
    """
    for part in _parts(event.message or {}):
        found = (_FIELDS & part.keys()) or ({part.get("type")} & REASONING_TYPES)
        if found:
            raise UsageError(
                f"The message of step {event.step} holds {sorted(map(str, found))[0]}.",
                "Reasoning is handed to `append(…, reasoning=…)` and never stands in an event.",
            )


def _parts(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the message (also as LangChain dumps it), its extras and its content blocks."""
    yield message
    for name in ("data", "additional_kwargs", "kwargs"):
        if isinstance(inner := message.get(name), Mapping):
            yield from _parts(inner)
    content = message.get("content")
    if isinstance(content, list | tuple):
        yield from (block for block in content if isinstance(block, Mapping))
