"""What a correction or a worked example begins with: the question, answer and steps of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.sdk.examples import Examples, Saved
    from harness.sdk.opened import Opened
    from harness.sdk.records import Records

__all__ = ["Answered", "answered", "propose_worked", "recent_questions"]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A question as it was answered.

    Attributes:
        run: Its id.
        folder: Of its domain.
        question: What was asked.
        answer: What was said.
        stop: Why the run ended.
        files: Names of the files that it was given.
        steps: How it was worked.
    """

    run: str
    folder: str
    question: str
    answer: str
    stop: str = "completed"
    files: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What to know before an example is made of it, in words."""
        said = []
        if self.stop != "completed":
            said.append(f"The run did not complete ({self.stop}).")
        if self.files:
            said.append(
                f"The run was given {', '.join(self.files)}; the example has the words alone."
            )
        return tuple(said)


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
        stop=account.finished.stop,
        files=tuple(one.path for one in account.started.files),
        steps=records.worked_steps(name),
    )


def propose_worked(
    examples: Examples, told: Answered, *, answer: str | None = None, **how: Any
) -> Saved:
    """Write down a run as a worked example: question, answer, and how it was worked.

    Args:
        examples: Of the domain that shall learn it.
        told: The run.
        answer: What it should have said, where that is not what it said.
        **how: As for `Examples.propose`.

    Raises:
        UsageError: It was answered without a step.
        As `Examples.propose`.
    """
    if not told.steps:
        raise UsageError(
            f"Run {told.run} was answered without a tool: it has no steps to show.",
            "`harness correct` makes an example of its question and answer.",
        )
    return examples.propose(
        told.question,
        told.answer if answer is None else answer,
        steps=told.steps,
        run=told.run,
        **how,
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
