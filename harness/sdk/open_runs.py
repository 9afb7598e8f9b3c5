"""The runs of an open domain: all of `Records`, and taking up, forking, undoing, replaying."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from harness.errors import UsageError
from harness.journal.parts import ApprovalMode
from harness.loop import seq_of_step, undo
from harness.sdk.journal_door import JournalDoor
from harness.sdk.records import Records, workspace_folder
from harness.sdk.run import Approve, Budget, Decision, Respond, Run
from harness.sdk.runs import new_run_id
from harness.sdk.worker import Task, Worker
from harness.wiring import make_workspace

__all__ = ["OpenRuns", "Said"]

Said = Approve | ApprovalMode


class OpenRuns(Records):
    """The runs of a domain's state folder, with what it takes to work on them.

    Args:
        door: Opens the journal.
        worker: Works on runs of the open domain.
    """

    def __init__(self, door: JournalDoor, worker: Worker) -> None:
        super().__init__(door)
        self._worker = worker

    def begin(
        self,
        goal: str,
        *,
        files: Any = (),
        approve: Said = "ask",
        respond: Respond | None = None,
        attended: bool | None = None,
        budget: Budget | None = None,
        model: str | None = None,
        name: str | None = None,
        pack: Mapping[str, Any] | None = None,
    ) -> Run:
        """Return a new run, which begins when it is iterated over. See `Harness.run`."""
        if not goal.strip():
            raise UsageError("The request is empty.", "Say what is to be done.")
        name = name or new_run_id()
        task = _task(approve, respond, attended, model, pack or {})
        mode: ApprovalMode = "ask" if callable(approve) else approve
        limits = (budget or Budget()).limits()
        drive = partial(
            self._worker.begin, name, goal, files=files, mode=mode, limits=limits, task=task
        )
        return self._run(name, drive, task)

    def resume(
        self,
        run: str,
        *,
        message: str = "",
        approve: Said = "ask",
        respond: Respond | None = None,
        attended: bool | None = None,
        budget: Budget | None = None,
        model: str | None = None,
    ) -> Run:
        """Take a run up where it ends: it was killed, stopped, or waits.

        Args:
            run: Its id.
            message: Something new from the user; a run that is done goes on with it.
            approve: Decides on calls that wait, as for `Harness.run`; `never` and `auto` refuse
                from now on what would ask.
            respond: Answers questions.
            attended: Somebody will answer elsewhere: wait for it.
            budget: What it may use from now on, what it has used included.
            model: Another model.
        """
        task = _task(self._refusing(run, approve), respond, attended, model, {})
        limits = budget.limits() if budget else None
        drive = partial(self._worker.resume, run, limits=limits, message=message, task=task)
        return self._run(run, drive, task, pending=True)

    def fork(
        self,
        run: str,
        *,
        step: int | None = None,
        message: str = "",
        approve: Said = "ask",
        respond: Respond | None = None,
        attended: bool | None = None,
        model: str | None = None,
        name: str | None = None,
    ) -> Run:
        """Go another way from a step of a run on, in a run and workspace of its own.

        Args:
            run: The run that it comes from, which stays as it is.
            step: The last step that counts; the newest by default.
            message: What is to be done otherwise.
            approve: As for `Harness.run`.
            respond: Answers questions.
            attended: Somebody will answer elsewhere: wait for it.
            model: Another model.
            name: Id of the new run.

        Raises:
            UsageError: The run has no such step.
        """
        name = name or new_run_id()
        task = _task(self._refusing(run, approve), respond, attended, model, {})
        last = self.journal.run(run).events
        at = last if step is None else seq_of_step(self.journal, run, step)
        drive = partial(self._worker.fork, name, run, at=at, message=message, task=task)
        return self._run(name, drive, task)

    def undo(self, run: str, turn: int) -> tuple[str, ...]:
        """Bring the files of a run's workspace back to the start of a turn.

        A turn is a step of the model: the calls of one message. What is undone is recorded.

        Args:
            run: Its id; nobody may be at work on it.
            turn: The first turn whose changes are undone.

        Returns:
            The paths that were brought back.

        Raises:
            RunBusy: A process works on it.
        """
        workspace = make_workspace(workspace_folder(self.door.home, run))
        try:
            return undo(self.journal, run, turn, workspace)
        finally:
            workspace.close()

    def _refusing(self, run: str, approve: Said) -> Said:
        """Return what refuses in a run that began otherwise: its record says how it began.

        Where a question waits, the run ends as before: nobody is there to answer it.
        """
        if callable(approve) or approve == "ask" or self.show(run).questions:
            return approve
        reason = f"it needs a person's approval, and nobody is there to give it ({approve})"
        return lambda _: Decision(allow=False, reason=reason)

    def attached(self, run: str) -> dict[str, Callable[[], bytes]]:
        """Return what reads each file that a run was given, as it was then.

        Raises:
            RunNotFound, RunErased, JournalDamaged: It can't be read.
        """
        return self._worker.attached(run)

    # --- inside ---------------------------------------------------------------------------------

    def _run(self, name: str, drive: Any, task: Task, *, pending: bool = False) -> Run:
        return Run(
            name,
            drive,
            self,
            workspace_folder(self.door.home, name),
            approve=task.approve,
            respond=task.respond,
            pending=pending,
        )


def _task(
    approve: Said, respond: Respond | None, attended: bool | None, model: str | None, pack: Any
) -> Task:
    decides = approve if callable(approve) else None
    present = decides is not None or respond is not None
    return Task(
        approve=decides,
        respond=respond,
        waits=present if attended is None else attended,
        model=model,
        pack=pack,
    )
