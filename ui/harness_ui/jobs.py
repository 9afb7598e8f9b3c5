"""Work in hand: questions and evals that go on whatever becomes of the page that began them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness import Answer, Harness, HarnessError, Packed

if TYPE_CHECKING:
    from harness.evals import EvalRun

__all__ = ["Asking", "Evaluating", "JobState", "Jobs"]

logger = logging.getLogger(__name__)

JobState = Literal["waiting", "working", "done", "stopped", "failed"]
KEPT = 400
"""Jobs that stay in memory; older ones are let go once they are done."""


@dataclass(kw_only=True)
class Job:
    """One piece of work.

    Attributes:
        id: Names it in an address.
        domain: Its name.
        by: Who began it.
        state: How far it is.
        error: What went wrong, where something did.
        began: Seconds since the epoch.
        ended: Likewise; 0 while it goes on.
    """

    id: str = field(default_factory=lambda: secrets.token_hex(6))
    domain: str
    by: str = ""
    state: JobState = "waiting"
    error: HarnessError | None = None
    began: float = field(default_factory=time.time)
    ended: float = 0.0

    @property
    def busy(self) -> bool:
        """It goes on."""
        return self.state in ("waiting", "working")

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self.ended or time.time()) - self.began


@dataclass(kw_only=True)
class Asking(Job):
    """A question and its answer as it comes.

    Attributes:
        question: The question.
        files: Paths of the files that belong to it.
        how: As for `Harness.preview`: policy, budget, exclude, include.
        model: Instead of the one that answers otherwise.
        after: Id of the question that it goes on from.
        packed: What the model is shown.
        text: What it has said so far; kept when it is stopped.
        answer: The whole answer.
        thumb: 1 good, 0 not good.
        reason: Why.
    """

    question: str
    files: Sequence[Path] = ()
    how: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    after: str = ""
    packed: Packed | None = None
    text: str = ""
    answer: Answer | None = None
    thumb: int | None = None
    reason: str = ""

    @property
    def said(self) -> str:
        """The answer, or as much of it as there is."""
        return self.answer.text if self.answer else self.text


@dataclass(kw_only=True)
class Evaluating(Job):
    """An eval run as it goes on.

    Attributes:
        how: As for `Harness.evaluate`.
        model: Instead of the one that answers otherwise.
        done: Cases that are done.
        of: How many there are.
        run: The result.
    """

    how: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    done: int = 0
    of: int = 0
    run: EvalRun | None = None


class Jobs:
    """All work in hand, on one event loop in a thread of its own."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: dict[str, Job] = {}
        self._futures: dict[str, Future[None]] = {}

    def get(self, name: str) -> Job | None:
        """Return a job by its id."""
        return self._jobs.get(name)

    def of(self, domain: str, kind: type[Job]) -> list[Any]:
        """Return the jobs of a domain and kind, newest first."""
        found = [one for one in self._jobs.values() if isinstance(one, kind)]
        return [one for one in reversed(found) if one.domain == domain]

    def ask(self, harness: Harness, job: Asking) -> Asking:
        """Begin to answer a question."""
        self._begin(job, self._answer(harness, job))
        return job

    def evaluate(self, harness: Harness, job: Evaluating) -> Evaluating:
        """Begin an eval run."""
        self._begin(job, self._evaluate(harness, job))
        return job

    def stop(self, job: Job) -> None:
        """Stop a job; what there is of it stays."""
        future = self._futures.get(job.id)
        if future is not None and job.busy:
            future.cancel()
            self._end(job, "stopped")

    def close(self) -> None:
        """Stop everything."""
        for job in list(self._jobs.values()):
            self.stop(job)

    # --- inside --------------------------------------------------------------------------------

    def _begin(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="work in hand", daemon=True
                ).start()
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-KEPT]:
                if not self._jobs[old].busy:
                    del self._jobs[old]
                    self._futures.pop(old, None)
        job.state = "working"
        self._futures[job.id] = asyncio.run_coroutine_threadsafe(self._told(job, work), self._loop)

    async def _told(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Do the work; whatever comes of it is said in the job."""
        try:
            await work
        except asyncio.CancelledError:
            self._end(job, "stopped")
            raise
        except HarnessError as error:
            job.error = error
            self._end(job, "failed")
        except Exception as error:
            logger.exception("Work in hand failed")
            job.error = HarnessError(
                f"Something unforeseen went wrong ({type(error).__name__}: {error}).",
                "Ask once more; if it comes back, please report it.",
            )
            self._end(job, "failed")
        else:
            self._end(job, "done")

    def _end(self, job: Job, state: JobState) -> None:
        if job.busy:
            job.state = state
            job.ended = time.time()

    async def _answer(self, harness: Harness, job: Asking) -> None:
        files = [str(path) for path in job.files]
        packed = await harness.apreview(job.question, files=files, **job.how)
        job.packed = packed
        async with aclosing(harness.astream(job.question, files=files, **job.how)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    job.answer = event
                else:
                    job.text = event.text if event.restart else job.text + event.text

    async def _evaluate(self, harness: Harness, job: Evaluating) -> None:
        def progress(done: int, of: int) -> None:
            job.done, job.of = done, of

        job.run = await harness.aevaluate(progress=progress, **job.how)
