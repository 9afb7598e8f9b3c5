"""Export: a run for other programs (JSON Lines) or for people (Markdown).

Sealed reasoning is in neither: events do not hold it, and nothing here can reach it. Lines can be
written as they come, so that a run of any length can be exported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from harness.journal.codec import to_tree
from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    BudgetWarned,
    ContextCompacted,
    Event,
    FileChanged,
    MessageCompleted,
    MonitorFlagged,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
    ToolFinished,
    ToolStarted,
    UnknownEvent,
)

__all__ = ["as_json", "to_jsonl", "to_markdown"]

SHOWN = 4000
"""Characters of a tool's output that Markdown shows; JSON Lines has all of it."""
_MARKS = {"pending": "[ ]", "doing": "[~]", "done": "[x]", "dropped": "[-]"}


def as_json(recorded: Recorded) -> dict[str, Any]:
    """Return a recorded event as `--json` prints it."""
    event = recorded.event
    if isinstance(event, UnknownEvent):
        kind, version, tree = event.name, event.version, json.loads(event.payload)
    else:
        kind, version, tree = event.TYPE, event.VERSION, to_tree(event)
    return {
        "run": recorded.run,
        "seq": recorded.seq,
        "at": recorded.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "type": kind,
        "version": version,
        "hash": recorded.hash,
        "event": tree,
    }


def to_jsonl(events: Iterable[Recorded]) -> Iterator[str]:
    """Yield a line of JSON for each event, newline included. Half surrogates stay escapes."""
    for recorded in events:
        yield json.dumps(as_json(recorded), separators=(",", ":"), default=str) + "\n"


def to_markdown(events: Iterable[Recorded]) -> Iterator[str]:
    """Yield a run as a person reads it, piece by piece; what only machines need is left out."""
    for recorded in events:
        said = _told(recorded.event)
        if said:
            text = f"{said.rstrip()}\n\n"
            yield text.encode("utf-8", "replace").decode()


def _told(event: Event) -> str:
    """Return an event in words, or nothing."""
    tell = _TELL.get(type(event))
    return tell(event) if tell else ""


def _started(event: RunStarted) -> str:
    files = [f"- {file.path} ({file.blob.bytes:,} bytes)" for file in event.files]
    about = f"{event.domain} {event.domain_version} · {event.model}"
    return "\n\n".join(["# Run", about, "## Request", event.goal, "\n".join(files)])


def _finished(event: ToolFinished) -> str:
    outcome = "" if event.outcome == "done" else f" ({event.outcome})"
    return f"*{event.tool}{outcome}, {event.seconds:.1f} s:*\n\n{_fenced(event.text)}"


def _asked(event: ApprovalRequested) -> str:
    shown = event.preview or _json(event.arguments)
    return f"> Asked to allow {event.tool} ({event.effect}).\n\n{_fenced(shown)}"


def _decided(event: ApprovalDecided) -> str:
    word = "Allowed" if event.decision == "allow" else "Refused"
    by = f" by {event.by}" if event.by else ""
    return f"> {word}{by}, {event.scope}{_because(event.reason)}."


def _changed(event: FileChanged) -> str:
    word = "Removed" if event.after is None else "Wrote" if event.before else "Made"
    return f"*{word} {event.path}*"


def _compacted(event: ContextCompacted) -> str:
    return f"> Context made smaller: {event.tokens_before:,} → {event.tokens_after:,} tokens."


def _ending(event: RunFinished) -> str:
    lines = [f"## End: {event.stop}", event.answer]
    lines += [f"- {problem}" for problem in event.problems]
    for citation in event.citations:
        where = ", ".join(part for part in (citation.document, citation.where) if part)
        mark = "" if citation.verified else " (not found there)"
        lines.append(f"- {where}: “{citation.quote}”{mark}")
    return "\n\n".join(line for line in lines if line)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _quoted(text: str) -> str:
    return "\n> ".join(text.splitlines())


def _json(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=1, default=str)


def _fenced(text: str, language: str = "") -> str:
    """Return a block that its own text can't end."""
    if len(text) > SHOWN:
        text = f"{text[:SHOWN]}\n… {len(text) - SHOWN:,} characters more"
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


_TELL: Mapping[type[Event], Callable[[Any], str]] = {
    RunStarted: _started,
    RunResumed: lambda one: f"*Resumed{_because(one.reason)}.* {' '.join(one.notices)}",
    MessageCompleted: lambda one: (
        f"## Step {one.step}\n\n{one.text}" if one.purpose == "step" else ""
    ),
    ToolStarted: lambda one: f"**{one.tool}**\n\n{_fenced(_json(one.arguments), 'json')}",
    ToolFinished: _finished,
    ApprovalRequested: _asked,
    ApprovalDecided: _decided,
    PlanUpdated: lambda one: "\n".join(f"- {_MARKS[step.state]} {step.text}" for step in one.steps),
    QuestionAsked: lambda one: f"> Question: {_quoted(one.text)}",
    QuestionAnswered: lambda one: f"> Answer: {_quoted(one.text)}",
    SteerReceived: lambda one: f"> {one.by or 'User'}: {_quoted(one.text)}",
    FileChanged: _changed,
    BudgetWarned: lambda one: f"> Budget: {one.used} of {one.limit} {one.budget} used.",
    ContextCompacted: _compacted,
    MonitorFlagged: lambda one: f"> Monitor, {one.severity}: {_quoted(one.text or one.rule)}",
    RunFinished: _ending,
    UnknownEvent: lambda one: f"*{one.name}, version {one.version}: of a newer program*",
}
