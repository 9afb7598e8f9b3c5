"""Questions that were asked before, read back from the journal: after a restart, or long ago."""

from __future__ import annotations

from datetime import timedelta

from harness import Answer, Harness, HarnessError
from harness.journal.events import RunStarted
from harness.values import Usage
from harness_ui.desk import desk
from harness_ui.jobs import Asking

__all__ = ["asked_before", "read_back"]

LISTED = 8
LOOKED_AT = 40
"""Runs whose first event is read to find the questions among them."""
LONGEST = 400
"""Turns of one conversation that are read back."""


def asked_before(harness: Harness, domain: str) -> list[tuple[str, str]]:
    """Return the newest questions of a domain: what names each, and what it says."""
    del domain
    found: dict[str, str] = {}
    try:
        for summary in harness.runs.list(domain=harness.examples.domain.name)[:LOOKED_AT]:
            if len(found) >= LISTED:
                break
            started = _begun(harness, summary.run)
            if started is not None and started.goal not in found.values():
                found[summary.run] = started.goal
    except HarnessError:
        return []  # the journal can't be read: the page itself still works
    return list(found.items())


def _begun(harness: Harness, run: str) -> RunStarted | None:
    """Return how a question began; None for a run that is none."""
    for recorded in harness.runs.journal.read(run, until=1):
        event = recorded.event
        if isinstance(event, RunStarted) and event.options.get("kind") == "ask":
            return event
    return None


def read_back(harness: Harness, domain: str, run: str) -> Asking | None:
    """Return a question as it was answered, and those that it goes on from; None if there is none.

    Args:
        harness: The open domain.
        domain: Its name among the open ones.
        run: Id of the run.
    """
    newest: Asking | None = None
    later: Asking | None = None
    for _ in range(LONGEST):
        known = desk().jobs.get(run)
        job = known if isinstance(known, Asking) else _one(harness, domain, run)
        if job is None:
            break
        if later is not None:
            later.after, later.after_run = job.id, run
        newest = newest or job
        if isinstance(known, Asking):
            break
        desk().jobs.put(run, job)
        run, later = job.after_run, job
        if not run:
            break
    return newest


def _one(harness: Harness, domain: str, run: str) -> Asking | None:
    try:
        if _begun(harness, run) is None:
            return None
        account = harness.runs.show(run)
    except HarnessError:
        return None
    started, finished = account.started, account.finished
    began = account.summary.started
    job = Asking(
        id=run,
        domain=domain,
        question=started.goal,
        state="done" if finished is not None and finished.stop == "completed" else "stopped",
        began=began.timestamp(),
        ended=(began + timedelta(seconds=finished.seconds if finished else 0)).timestamp(),
        after_run=started.parent if started.relation == "continue" else "",
    )
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
    if started.domain_version == harness.examples.domain.version and not job.after_run:
        try:
            job.packed = harness.preview(started.goal)  # the same folder packs the same
        except HarnessError:
            job.packed = None
    return job
