"""Questions that were asked before, read back from the journal: after a restart, or long ago."""

from __future__ import annotations

from datetime import timedelta

from harness import Answer, Harness, HarnessError
from harness.journal.events import RunStarted
from harness.sdk.account import Account
from harness.values import Usage
from harness_ui.desk import desk
from harness_ui.follow import watched
from harness_ui.jobs import Asking, JobState, Working

__all__ = ["as_asked", "asked_before", "is_work", "read_back", "turns_of"]

LISTED = 8


def asked_before(harness: Harness) -> list[tuple[str, str]]:
    """Return the newest questions of a domain: what names each, and what it says."""
    found: dict[str, str] = {}
    try:
        for summary in harness.runs.list(domain=harness.examples.domain.name):
            goal = summary.tally.goal
            if summary.tally.relation == "delegate" or not goal or goal in found.values():
                continue
            found[summary.run] = goal
            if len(found) >= LISTED:
                break
    except HarnessError:
        return []  # the journal can't be read: the page itself still works
    return list(found.items())


def is_work(harness: Harness, run: str) -> bool:
    """Say whether a run is worked on with tools; a question answered in one call is not."""
    job = desk().jobs.get(run)
    if job is not None:
        return isinstance(job, Working)
    begun = _begun(harness, run) if run else None
    return begun is not None and begun.options.get("kind") != "ask"


def _begun(harness: Harness, run: str) -> RunStarted | None:
    """Return how a run began; None where it can't be read."""
    try:
        for recorded in harness.runs.events(run, until=1):
            if isinstance(recorded.event, RunStarted):
                return recorded.event
    except HarnessError:
        return None
    return None


def read_back(harness: Harness, domain: str, run: str) -> Asking | None:
    """Return a question as it was asked and answered; None if it is not there.

    Args:
        harness: The open domain.
        domain: Its name among the open ones.
        run: Id of the run.
    """
    job = desk().jobs.get(run)
    if isinstance(job, Asking):
        return job
    try:
        account = watched(harness, run).look()
    except HarnessError:
        return None
    read = as_asked(harness, domain, run, account)
    settled = read.state != "elsewhere" and not isinstance(job, Working)
    if account.started.options.get("kind") == "ask" and settled:
        desk().jobs.put(run, read)
    return read


def turns_of(harness: Harness, job: Asking, most: int) -> tuple[list[Asking], bool]:
    """Return the newest turns up to a question, oldest first, and whether there are earlier ones.

    Only those that are shown are read: a conversation may be long.

    Args:
        harness: The open domain.
        job: The newest question.
        most: Turns to return.
    """
    turns = [job]
    while len(turns) < most:
        first = turns[0]
        before = desk().jobs.get(first.after) or (
            read_back(harness, job.domain, first.after_run) if first.after_run else None
        )
        if not isinstance(before, Asking):
            return turns, False
        turns.insert(0, before)
    return turns, bool(turns[0].after or turns[0].after_run)


def as_asked(harness: Harness, domain: str, run: str, account: Account) -> Asking:
    """Return a run as a question and its answer.

    Args:
        harness: The open domain.
        domain: Its name among the open ones.
        run: Id of the run.
        account: How it stands.
    """
    started, finished = account.started, account.finished
    began = account.summary.started
    stages = watched(harness, run).stages
    job = Asking(
        id=run,
        domain=domain,
        question=stages[-1].asked if stages else started.goal,
        state=_state(account),
        began=began.timestamp(),
        ended=(began + timedelta(seconds=finished.seconds if finished else 0)).timestamp(),
        after_run=started.parent if started.relation == "continue" else "",
        text=account.unfinished,
    )
    if finished is not None and finished.stop == "failed":
        job.error = HarnessError(" ".join(finished.problems) or "The model gave no answer.")
    if finished is not None and finished.answer:
        job.answer = Answer(
            run=run,
            domain=started.domain,
            version=started.domain_version,
            text=finished.answer,
            value=finished.value,
            model=started.model,
            usage=finished.usage or Usage(),
            seconds=finished.seconds,
        )
    return job


def _state(account: Account) -> JobState:
    if account.finished is None:
        return "elsewhere" if account.summary.worker else "cut"
    states: dict[str, JobState] = {"completed": "done", "failed": "failed"}
    return states.get(account.finished.stop, "stopped")
