"""Forking and undoing: another run that begins with what one had come to; files as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import UsageError
from harness.journal.events import (
    FileChanged,
    MessageCompleted,
    ModelRequested,
    RunFinished,
    RunResumed,
    RunStarted,
)
from harness.journal.parts import ApprovalMode, Blob, Limits
from harness.seams import Workspace
from harness.seams_journal import Journal

__all__ = ["KeptFile", "files_at", "fork", "seq_of_step", "undo"]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A file's content in the journal: the run that has the blob, and the blob."""

    run: str
    blob: Blob


def seq_of_step(journal: Journal, run: str, step: int) -> int:
    """Return the number of the last event of a step: its calls have their results.

    Raises:
        UsageError: The run has no such step.
    """
    last, steps = 0, 0
    for recorded in journal.read(run):
        event = recorded.event
        if isinstance(event, ModelRequested) and event.purpose == "step":
            steps = event.step
            if event.step > step:
                return last
        if not isinstance(event, RunFinished | RunResumed):
            last = recorded.seq
    if not 0 <= step <= steps:
        raise UsageError(f"Run {run} has no step {step}.", f"It has the steps 1 to {steps}.")
    return last


def fork(
    journal: Journal,
    parent: str,
    run: str,
    *,
    seq: int,
    limits: Limits | None = None,
    approvals: ApprovalMode | None = None,
    model: str = "",
    options: Mapping[str, Any] | None = None,
) -> None:
    """Begin a run with what another one had come to; `Loop` then goes on with it as a resumption.

    Args:
        journal: Has the parent, and gets the fork.
        parent: Id of the run to fork.
        run: Id of the fork.
        seq: The parent's last event that counts; see `seq_of_step`.
        limits: What the fork may use; the parent's limits by default.
        approvals: Its approval mode; the parent's by default.
        model: The model that it goes on with; the parent's by default.
        options: Beside the parent's.

    Raises:
        UsageError: There is a run of that id.
    """
    started = _first(journal, parent)
    with journal.start(run) as writer:
        writer.append(
            replace(
                started,
                parent=parent,
                parent_seq=seq,
                relation="fork",
                limits=limits or started.limits,
                approvals=approvals or started.approvals,
                model=model or started.model,
                options={**started.options, **(options or {})},
                files=(),
            )
        )


def files_at(journal: Journal, run: str, seq: int | None = None) -> dict[str, KeptFile | None]:
    """Return the files that a workspace had, by path, as far as the journal knows them.

    Args:
        journal: Has the run.
        run: Its id.
        seq: After which event; None for the end.

    Returns:
        None for a file that was removed.
    """
    files: dict[str, KeptFile | None] = {}
    for recorded in journal.read(run, until=seq):
        event = recorded.event
        if isinstance(event, RunStarted):
            if event.relation in ("fork", "continue"):
                files |= files_at(journal, event.parent, event.parent_seq)
            files |= {one.path: KeptFile(run=run, blob=one.blob) for one in event.files}
        elif isinstance(event, FileChanged):
            files[event.path] = KeptFile(run=run, blob=event.after) if event.after else None
    return files


def undo(journal: Journal, run: str, turn: int, workspace: Workspace) -> tuple[str, ...]:
    """Set the files back to what they were when a turn began; a run that goes on is told so.

    A turn is a step: a message of the model with what its calls did.

    Args:
        journal: Of the run.
        run: Its id.
        turn: The first turn that is undone.
        workspace: Of the run.

    Returns:
        The paths that were set back.

    Raises:
        RunBusy: A process works on it.
        UsageError: The run has no such turn.
        WorkspaceError: A file can't stand where it stood.
    """
    before: dict[str, Blob | None] = {}
    now: dict[str, Blob | None] = {}
    finished: RunFinished | None = None
    last = steps = 0
    for recorded in journal.read(run):
        event = recorded.event
        if isinstance(event, MessageCompleted):
            steps = max(steps, event.step)
        elif isinstance(event, FileChanged):
            now[event.path] = event.after
            if event.turn >= turn:
                before.setdefault(event.path, event.before)
            last = max(last, event.turn)
        elif isinstance(event, RunFinished):
            finished = event
        elif isinstance(event, RunResumed):
            finished = None
    if turn > max(steps, last):
        raise UsageError(f"Run {run} has no turn {turn}.", f"Its last is {steps}.")
    changes = [
        FileChanged(path=path, before=now[path], after=blob, turn=last, call="")
        for path, blob in sorted(before.items())
        if _name(blob) != _name(now[path])
    ]
    if not changes:
        return ()
    with journal.open_writer(run) as writer:
        for change in changes:
            content = None if change.after is None else journal.blob(run, change.after)
            workspace.restore(change.path, content)
        around = (RunResumed(reason=f"undo to turn {turn}"), finished) if finished else ()
        events = [*around[:1], *changes, *around[1:]]
        writer.append(*[one for one in events if one is not None])
        workspace.changes()
        workspace.changes()  # the second call settles the first
    return tuple(one.path for one in changes)


def _name(blob: Blob | None) -> str:
    return blob.hash if blob else ""


def _first(journal: Journal, run: str) -> RunStarted:
    event = next(journal.read(run, until=1)).event
    if not isinstance(event, RunStarted):
        raise UsageError(f"Run {run} does not begin with run.started.")
    return event
