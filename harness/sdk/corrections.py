"""What a correction begins with: the question and answer of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.sdk.opened import Opened
    from harness.sdk.records import Records

__all__ = ["Answered", "answered", "recent_questions"]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A question as it was answered; `folder` is its domain's."""

    run: str
    folder: str
    question: str
    answer: str


def answered(records: Records, run: str) -> Answered:
    """Return what was asked and answered in a run.

    Args:
        records: The runs of the state folder.
        run: Its id or the beginning of it, or `last`.

    Raises:
        RunNotFound: There is none.
        UsageError: It has no answer, or its domain folder is not where it was.
    """
    name = records.find(run)
    account = records.show(name)
    if account.finished is None or not account.finished.answer:
        raise UsageError(f"Run {name} has no answer yet.", "There is nothing to correct.")
    return Answered(
        run=name,
        folder=records.folder_of(name),
        question=account.started.goal,
        answer=account.finished.answer,
    )


def recent_questions(opened: Opened, domain: str, most: int) -> list[str]:
    """Return the newest different questions and tasks that a domain was given.

    Args:
        opened: The open domain.
        domain: Its name.
        most: How many.

    Raises:
        StateError: The journal can't be read.
    """
    from harness.journal.events import RunStarted
    from harness.sdk.journal_door import JournalDoor

    door = JournalDoor(opened.settings, opened.home)
    found: dict[str, None] = {}
    try:
        journal = door()
        for summary in journal.runs():
            if len(found) >= most:
                break
            if summary.tally.domain == domain and not summary.erased:
                for recorded in journal.read(summary.run, until=1):
                    if isinstance(recorded.event, RunStarted):
                        found[recorded.event.goal] = None
    finally:
        door.close()
    return list(found)
