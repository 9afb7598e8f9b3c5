"""What `harness run` and `harness runs` print: events as they come, runs, verdicts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
    ToolFinished,
    ToolStarted,
)
from harness.journal.export import as_json
from harness.journal.parts import Citation
from harness.values import in_dollars, jsonable

if TYPE_CHECKING:
    from harness.journal.events import Recorded
    from harness.journal.summary import RunSummary
    from harness.journal.verify import Verdict
    from harness.sdk.records import Account
    from harness.sdk.run_files import RunFile

__all__ = [
    "account",
    "account_json",
    "ending",
    "print_event",
    "run_json",
    "run_table",
    "since_lines",
    "told",
    "verdict",
]

MARKS = {"pending": "[ ]", "doing": "[~]", "done": "[x]", "dropped": "[-]"}
SINCE = {
    "": "",
    "changed": "; changed in the workspace since",
    "removed": "; taken out of the workspace since",
}
WIDE = 100
MOST_LINES = 40
"""Lines of a preview that are shown; `runs show --json` has all."""


def print_event(recorded: Recorded, *, as_json: bool) -> None:
    """Print an event to stdout: a line of JSON, or in words where it has any."""
    if as_json:
        print(json_line(recorded), flush=True)
    elif words := told(recorded.event):
        print(words, flush=True)


def json_line(recorded: Recorded) -> str:
    """Return an event as `--json` prints it."""
    return json.dumps(as_json(recorded), separators=(",", ":"), default=str)


def told(event: Event) -> str:
    """Return an event in words, or nothing: what only machines need."""
    tell = _TELL.get(type(event))
    return tell(event) if tell else ""


def _resumed(event: RunResumed) -> str:
    return "\n".join([f"— taken up again: {event.reason or 'resumed'}", *event.notices])


def _changed(event: FileChanged) -> str:
    word = "new" if event.deed == "made" else event.deed
    return f"  {word}: {event.path}"


def _decided(event: ApprovalDecided) -> str:
    if event.by_rule:
        return ""
    word = "allowed" if event.decision == "allow" else "refused"
    return f"  {word} by {event.by}{': ' if event.reason else ''}{event.reason}"


def _finished(event: ToolFinished) -> str:
    # A call that was not made has no line of its own before its result.
    named = f"{event.tool}: " if event.outcome in ("denied", "invalid") else ""
    return f"  {'✗' if event.error else '✓'} {named}{_line(event.text)}"


def _warned(event: BudgetWarned) -> str:
    if event.level == "stop":  # the end of the run says so
        return ""
    budget = "US dollars" if event.budget == "usd" else event.budget
    then = "; the model is told to hand in what there is" if event.level == "wrap_up" else ""
    return f"! {event.used:,} of {event.limit:,} {budget} used{then}"


def _waits(event: ApprovalRequested) -> str:
    head = f"? {event.tool} ({event.effect}) waits for approval, call {event.call}:"
    return f"{head}\n{_preview(event)}"


def ending(event: RunFinished) -> str:
    """Return how a run ended: reason, problems, citations, cost. Not the answer."""
    usage = event.usage
    lines = [
        f"— {event.stop} · {_steps(event.steps)} · {usage.input_tokens:,} tokens in, "
        f"{usage.output_tokens:,} out · {in_dollars(usage.cost_usd)} · {event.seconds:.1f} s",
        *(f"! {problem}" for problem in event.problems),
        *map(_citation, event.citations),
    ]
    return "\n".join(lines)


def _citation(citation: Citation) -> str:
    mark = "✓" if citation.verified else "✗ not found there:"
    where = f", {citation.where}" if citation.where else ""
    return f"  {mark} {citation.document}{where}: “{_line(citation.quote)}”"


def _preview(event: ApprovalRequested) -> str:
    lines = (event.preview or _arguments(event.arguments)).rstrip("\n").split("\n")
    shown = [f"    {line}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"    … {len(lines) - MOST_LINES} lines more")
    return "\n".join(shown)


def _arguments(arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False, default=str)


def _line(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= WIDE else f"{line[:WIDE]}…"


_TELL: Mapping[type[Event], Callable[[Any], str]] = {
    RunStarted: lambda one: f"{one.domain} · {one.model} · {_line(one.goal)}",
    RunResumed: _resumed,
    MessageCompleted: lambda one: one.text.strip() if one.purpose == "step" else "",
    ToolStarted: lambda one: f"→ {one.tool} {_line(_arguments(one.arguments))}",
    ToolFinished: _finished,
    PlanUpdated: lambda one: "\n".join(f"  {MARKS[step.state]} {step.text}" for step in one.steps),
    FileChanged: _changed,
    ApprovalRequested: _waits,
    ApprovalDecided: _decided,
    QuestionAsked: lambda one: "".join([f"? {one.text}", *(f"\n  - {c}" for c in one.choices)]),
    QuestionAnswered: lambda one: f"> {one.by or 'user'}: {one.text}",
    SteerReceived: lambda one: f"> {one.by or 'user'}: {one.text}",
    BudgetWarned: _warned,
    ContextCompacted: lambda one: (
        f"! context made smaller: {one.tokens_before:,} → {one.tokens_after:,} tokens"
    ),
    MonitorFlagged: lambda one: f"! monitor: {one.text or one.rule}",
    RunFinished: ending,
}


def _steps(number: int) -> str:
    return f"{number:,} step" if number == 1 else f"{number:,} steps"


def run_table(found: Sequence[RunSummary], limit: int) -> str:
    """Return runs a line each."""
    from harness.sdk.runs import state_of

    if not found:
        return "There are no runs."
    lines = []
    for one in found[:limit]:
        tally = one.tally
        cost = "" if tally.usd is None else f"${tally.usd:.4f}"
        lines.append(
            f"{one.run:<30} {state_of(one):<12} {tally.domain:<20} {_steps(tally.steps):>12} "
            f"{tally.tokens:>10,} tokens {cost:>9}  {_line(tally.goal)[:60]}"
        )
    if len(found) > limit:
        lines.append(f"… and {len(found) - limit:,} more (--limit)")
    return "\n".join(lines)


def run_json(one: RunSummary) -> dict[str, Any]:
    """Return a run of a list as `--json` prints it."""
    return {
        "run": one.run,
        **jsonable(one.tally),
        "events": one.events,
        "started": one.started.isoformat(),
        "updated": one.updated.isoformat(),
        "worker": one.worker,
        "erased": one.erased.isoformat() if one.erased else None,
    }


def file_lines(files: Sequence[RunFile]) -> list[str]:
    """Return files a line each: what it is, how large, its hash, the step that made it."""
    widest = max((len(one.path) for one in files), default=0)
    lines = []
    for one in files:
        made = "made" if one.new else "changed"
        by = f"{made} in step {one.step} by {one.tool}" if one.tool else made
        lines.append(
            f"{one.path:<{widest}}  {one.media_type}  {one.bytes:,} bytes  "
            f"sha256 {one.sha256[:16]}…  {by}{SINCE[one.since]}"
        )
    return lines


def since_lines(files: Sequence[RunFile]) -> list[str]:
    """Return, a line each, which files are not in the workspace as the run left them."""
    return [
        f"! {one.path} was {one.since} in the workspace since: saved is what the run left."
        for one in files
        if one.since
    ]


def account(given: Account, files: Sequence[RunFile] = ()) -> str:
    """Return a run told for people."""
    summary, started = given.summary, given.started
    at_work = f"; {summary.worker} works on it" if summary.worker else ""
    lines = [
        f"Run {summary.run}: {summary.tally.state}{at_work}",
        f"{started.domain} (version {started.domain_version}) · {started.model} · "
        f"{_steps(summary.tally.steps)} · {summary.tally.tokens:,} tokens",
        "",
        started.goal,
    ]
    if started.parent:
        lines.insert(1, f"{started.relation} of {started.parent}, event {started.parent_seq}")
    if given.plan:
        lines += ["", "Plan:", *(f"  {MARKS[one.state]} {one.text}" for one in given.plan)]
    removed = [path for path in given.files if path not in {one.path for one in files}]
    listed = [*file_lines(files), *(f"{path}  as it was, or taken away again" for path in removed)]
    if listed:
        lines += ["", "Files:", *(f"  {line}" for line in listed)]
    lines += [f"! {notice}" for notice in given.notices]
    waiting: list[Event] = [*given.approvals, *given.questions]
    if waiting:
        lines += ["", *(told(one).rstrip("\n") for one in waiting)]
    if given.unfinished:
        lines += ["", given.unfinished.rstrip(), "— cut off here" if not summary.worker else "…"]
    if given.finished:
        answer = given.finished.answer.strip()
        lines += [*(["", answer] if answer else []), "", ending(given.finished)]
    return "\n".join(lines)


def account_json(given: Account, files: Sequence[RunFile] = ()) -> dict[str, Any]:
    """Return a run told for machines."""
    return {
        **run_json(given.summary),
        "goal": given.started.goal,
        "parent_seq": given.started.parent_seq,
        "plan": jsonable(given.plan),
        "approvals": jsonable(given.approvals),
        "questions": jsonable(given.questions),
        "files": list(given.files),
        "artifacts": jsonable(files),
        "notices": list(given.notices),
        "unfinished": given.unfinished,
        "finished": jsonable(given.finished),
    }


def verdict(one: Verdict) -> str:
    """Return what a verification found, a line for each finding."""
    word = "clean" if one.clean else f"{len(one.findings)} findings"
    lines = [f"{one.run}: {one.events:,} events, {word}"]
    lines += [f"  {finding}" for finding in one.findings]
    lines += [f"  note: {note}" for note in one.notes]
    return "\n".join(lines)


def say(text: str) -> None:
    """Print to stderr, where what is not the answer goes."""
    print(text, file=sys.stderr, flush=True)
