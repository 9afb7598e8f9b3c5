"""The events of a run in words, as a person follows them. Reasoning is not among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from harness.journal.events import (
    ApprovalDecided,
    BudgetWarned,
    ContextCompacted,
    ContextPacked,
    Event,
    FileChanged,
    MessageCompleted,
    MonitorFlagged,
    QuestionAnswered,
    QuestionAsked,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
    ToolFinished,
    ToolStarted,
)
from harness_ui.words import cost_words, count, model_markdown, plain, short, since

__all__ = ["EFFECTS", "STATES", "told"]

STATES = {
    "new": "not begun",
    "running": "at work",
    "waiting": "waits for you",
    "completed": "done",
    "unverified": "done, but a check failed",
    "needs_input": "needs an answer",
    "budget": "stopped at its budget",
    "loop": "stopped: it went in circles",
    "cancelled": "stopped by a person",
    "failed": "failed",
}
EFFECTS = {
    "read": "reads",
    "draft": "works in its own folder",
    "write": "changes something",
    "external": "sends something out",
    "irreversible": "can't be undone",
}


def told(event: Event) -> str:
    """Return an event as Markdown, or nothing: what only machines need."""
    tell = _TELL.get(type(event))
    return tell(event) if tell else ""


def _arguments(arguments: Mapping[str, Any]) -> str:
    text = json.dumps(dict(arguments), ensure_ascii=False, default=str)
    return plain(short(text, 160))


def _finished(event: RunFinished) -> str:
    usage = event.usage
    lines = [
        f"**{STATES.get(event.stop, event.stop)}** · {count(event.steps, 'step')} · "
        f"{usage.input_tokens:,} tokens read, {usage.output_tokens:,} written · "
        f"{cost_words(usage.cost_usd)} · {since(event.seconds)}",
        *(f"- {plain(problem)}" for problem in event.problems),
    ]
    return "\n".join(lines)


def _changed(event: FileChanged) -> str:
    word = "removed" if event.after is None else "changed" if event.before else "made"
    return f"{word} the file **{plain(event.path)}**"


def _decided(event: ApprovalDecided) -> str:
    if event.by == "policy" and event.decision == "allow":
        return ""
    word = "allowed" if event.decision == "allow" else "refused"
    return f"{word} by {plain(event.by)}" + (f": {plain(event.reason)}" if event.reason else "")


def _tool(event: ToolFinished) -> str:
    mark = "failed" if event.error else "done"
    return f"{plain(event.tool)} {mark}: {plain(short(event.text, 240))}"


_TELL: Mapping[type[Event], Callable[[Any], str]] = {
    RunStarted: lambda one: f"begun with {plain(one.model)}",
    RunResumed: lambda one: "\n".join(
        [f"taken up again ({plain(one.reason or 'resumed')})", *map(plain, one.notices)]
    ),
    ContextPacked: lambda one: f"{count(len(one.items), 'item')} packed, {one.tokens:,} tokens",
    MessageCompleted: lambda one: model_markdown(one.text.strip()) if one.purpose == "step" else "",
    ToolStarted: lambda one: f"**{plain(one.tool)}** {_arguments(one.arguments)}",
    ToolFinished: _tool,
    FileChanged: _changed,
    ApprovalDecided: _decided,
    QuestionAsked: lambda one: f"asks: {plain(one.text)}",
    QuestionAnswered: lambda one: f"{plain(one.by or 'somebody')} answers: {plain(one.text)}",
    SteerReceived: lambda one: f"{plain(one.by or 'somebody')} says: {plain(one.text)}",
    BudgetWarned: lambda one: f"{one.used} of {one.limit} {one.budget} used",
    ContextCompacted: lambda one: (
        f"older steps put in short: {one.tokens_before:,} to {one.tokens_after:,} tokens"
    ),
    MonitorFlagged: lambda one: f"**to look at**: {plain(one.text or one.rule)}",
    RunFinished: _finished,
}
