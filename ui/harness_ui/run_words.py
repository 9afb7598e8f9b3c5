"""The events of a run in words, as a person follows them. Reasoning is not among them."""

from __future__ import annotations

import json
import re
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

__all__ = ["EFFECTS", "STATES", "change_words", "deed", "fenced", "may_it", "told"]

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


DEEDS: Mapping[str, tuple[str, str]] = {
    "search_references": ("looks in the references for", "query"),
    "read_reference": ("reads the reference", "document"),
    "search_examples": ("looks for examples like", "query"),
    "list_files": ("looks which files there are", ""),
    "read_file": ("reads the file", "path"),
    "search_files": ("searches the files for", "pattern"),
    "write_file": ("writes the file", "path"),
    "edit_file": ("changes the file", "path"),
    "read_document": ("reads the document", "path"),
    "search_document": ("searches the document for", "words"),
    "look_at_pages": ("looks at pages of", "path"),
    "write_document": ("writes the document", "path"),
    "write_spreadsheet": ("writes the spreadsheet", "path"),
    "revise_document": ("marks changes in", "path"),
    "compute": ("calculates", "code"),
    "python": ("runs a program", "code"),
    "shell": ("runs a command", "command"),
    "fetch_page": ("fetches the page", "url"),
    "delegate": ("gives to an assistant", "task"),
    "plan": ("plans", ""),
    "ask": ("has a question", ""),
    "finish": ("hands in the answer", ""),
}
"""What a tool does in words, and the argument that says with what."""
SILENT = ("plan", "ask", "finish")
"""Tools whose effect is shown otherwise: nothing is said of their results."""
CODE = ("compute", "python", "shell")


def deed(tool: str, arguments: Mapping[str, Any]) -> str:
    """Return what a call does, as Markdown."""
    if tool not in DEEDS:
        return f"uses **{plain(tool)}** {_arguments(arguments)}"
    words, argument = DEEDS[tool]
    said = str(arguments.get(argument, "")) if argument else ""
    if not said:
        return words
    if tool in CODE:
        return f"{words}\n\n{fenced(said)}"
    return f"{words} **{plain(short(said, 160))}**"


ASKED = {
    "write_file": "write a file",
    "edit_file": "change a file",
    "write_document": "write a document",
    "write_spreadsheet": "write a spreadsheet",
    "revise_document": "mark changes in a document",
    "python": "run a program",
    "shell": "run a command",
    "fetch_page": "fetch a page",
}


def may_it(tool: str) -> str:
    """Return what is asked before a tool is used, as Markdown."""
    return f"May it {ASKED[tool]}?" if tool in ASKED else f"May it use {plain(tool)}?"


def fenced(text: str) -> str:
    """Return a text as a block of code that nothing in it can end."""
    longest = max((len(one) for one in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"


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
    return f"{event.deed} the file **{plain(event.path)}**"


def _decided(event: ApprovalDecided) -> str:
    if event.by_rule:
        return ""
    word = "allowed" if event.decision == "allow" else "refused"
    return f"{word} by {plain(event.by)}" + (f": {plain(event.reason)}" if event.reason else "")


def _tool(event: ToolFinished) -> str:
    if event.outcome == "denied":
        return "that was refused"
    if event.error:
        return f"that failed: {plain(short(event.text, 240))}"
    if event.tool in SILENT or not event.text.strip():
        return ""
    return f":small[→ {plain(short(event.text, 240))}]"


def _started(event: ToolStarted) -> str:
    return "" if event.tool in SILENT else f"It {deed(event.tool, event.arguments)}"


def change_words(preview: str) -> tuple[str, str]:
    """Return a change for a person: what it is, as Markdown, and its lines without file marks."""
    head, new = "", False
    lines: list[str] = []
    for line in preview.splitlines():
        if line.startswith("--- "):
            new = line == "--- /dev/null"
        elif line.startswith("+++ ") and not head:
            head = f"{'New file' if new else 'Changes in'} **{plain(line[4:].strip())}**"
        elif line.startswith("@@") and head:
            if lines:
                lines.append("…")
        else:
            lines.append(line)
    return (head, "\n".join(lines)) if head else ("", preview)


_TELL: Mapping[type[Event], Callable[[Any], str]] = {
    RunStarted: lambda one: f"begun with {plain(one.model)}",
    RunResumed: lambda one: "\n".join(
        [f"taken up again ({plain(one.reason or 'resumed')})", *map(plain, one.notices)]
    ),
    ContextPacked: lambda one: f"{count(len(one.items), 'item')} packed, {one.tokens:,} tokens",
    MessageCompleted: lambda one: model_markdown(one.text.strip()) if one.purpose == "step" else "",
    ToolStarted: _started,
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
