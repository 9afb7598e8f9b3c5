"""A run told from its events, in one reading or as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import RunNotFound
from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    FileChanged,
    MessageCompleted,
    MessageStreamed,
    ModelRequested,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    RunFinished,
    RunResumed,
    RunStarted,
)
from harness.journal.parts import PlanStep

if TYPE_CHECKING:
    from harness.journal.summary import RunSummary
    from harness.seams_journal import Journal

__all__ = ["Account", "Following", "Telling"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A run told from its events: what was asked, what waits, what came of it.

    Attributes:
        summary: As in a list of runs.
        started: Its first event.
        plan: As it stands.
        approvals: What waits for a decision.
        questions: What waits for an answer.
        files: Paths that the run made, changed or removed.
        notices: What was said when it was taken up again.
        finished: How it ended; None while it goes on or waits.
        unfinished: What the model has said of a message that is not whole: it is being written,
            or was cut off.
    """

    summary: RunSummary
    started: RunStarted
    plan: tuple[PlanStep, ...] = ()
    approvals: tuple[ApprovalRequested, ...] = ()
    questions: tuple[QuestionAsked, ...] = ()
    files: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    finished: RunFinished | None = None
    unfinished: str = ""


class Telling:
    """Puts an account together, event by event."""

    def __init__(self) -> None:
        self._open: dict[str, ApprovalRequested | QuestionAsked] = {}
        self._told: dict[str, Any] = {}
        self._files: dict[str, None] = {}

    def note(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case RunStarted():
                self._told["started"] = event
            case MessageStreamed():
                before = "" if event.restart else self._told.get("unfinished", "")
                self._told["unfinished"] = before + event.text
            case ModelRequested() | MessageCompleted():
                self._told["unfinished"] = ""
            case RunResumed():
                self._told["notices"] = (*self._told.get("notices", ()), *event.notices)
                self._told["finished"] = None
            case PlanUpdated():
                self._told["plan"] = event.steps
            case ApprovalRequested(call=call) | QuestionAsked(question=call):
                self._open[call] = event
            case ApprovalDecided(call=call) | QuestionAnswered(question=call):
                self._open.pop(call, None)
            case FileChanged():
                self._files[event.path] = None
            case RunFinished():
                self._told["finished"] = event

    def account(self, summary: RunSummary) -> Account:
        """Return the account as far as the events go.

        Raises:
            RunNotFound: There are none yet.
        """
        if "started" not in self._told:
            raise RunNotFound(f"Run {summary.run} never began.")
        waiting = self._open.values()
        return Account(
            summary=summary,
            approvals=tuple(one for one in waiting if isinstance(one, ApprovalRequested)),
            questions=tuple(one for one in waiting if isinstance(one, QuestionAsked)),
            files=tuple(self._files),
            **self._told,
        )


class Following:
    """A run that is looked at again and again: each look reads only what is new.

    For one thread at a time.

    Args:
        journal: Has the events.
        run: Its id.
    """

    def __init__(self, journal: Journal, run: str) -> None:
        self._journal = journal
        self._run = run
        self._telling = Telling()
        self._seq = 0

    def look(self) -> tuple[Account, tuple[Recorded, ...]]:
        """Return the account as it stands now, and the events since the last look.

        Raises:
            RunNotFound: There is no such run, or it has no events yet.
            RunErased: It can't be read any more.
            JournalDamaged: It was altered.
        """
        summary = self._journal.run(self._run)
        new = tuple(self._journal.read(self._run, self._seq))
        for recorded in new:
            self._telling.note(recorded.event)
            self._seq = recorded.seq
        return self._telling.account(summary), new
