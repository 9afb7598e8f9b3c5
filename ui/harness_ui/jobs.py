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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness import Answer, Delta, Harness, HarnessError, Packed
from harness.journal.events import MessageCompleted, ModelRequested
from harness.sdk.run import Budget
from harness.sdk.runs import new_run_id

if TYPE_CHECKING:
    from harness.evals import EvalRun

__all__ = ["Asking", "Evaluating", "Job", "JobState", "Jobs", "Working"]

logger = logging.getLogger(__name__)

JobState = Literal["waiting", "working", "done", "stopped", "failed", "cut", "elsewhere"]
"""`cut`: the program that did it ended in the middle; `elsewhere`: another one is at it."""
KEPT = 120
"""Jobs that stay in memory; older ones that the journal has are let go once they are done."""
PACKED = 24
"""Jobs that keep what the model saw: thousands of items each; older ones can pack it again."""


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
    """A question and its answer as it comes. Its id is the run's.

    Attributes:
        question: The question.
        files: Paths of the files that belong to it.
        how: As for `Harness.preview`: policy, budget, exclude, include.
        model: Instead of the one that answers otherwise.
        after: Id of the question that it goes on from.
        after_run: The run that answered that one.
        packed: What the model is shown.
        text: What it has said so far; kept when it is stopped.
        answer: The whole answer.
        thumb: 1 good, 0 not good.
        reason: Why.
    """

    id: str = field(default_factory=new_run_id)
    question: str
    files: Sequence[Path] = ()
    how: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    after: str = ""
    after_run: str = ""
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


@dataclass(kw_only=True)
class Working(Job):
    """A run with tools, worked on in this process. Its id is the run's.

    Attributes:
        goal: What is to be done.
        files: Paths of the files that belong to it.
        budget: What it may use.
        model: Instead of the one that answers otherwise.
        how: How the context is packed: policy, exclude, include.
        message: Something new, where it is taken up again or forked.
        takes_up: The run that is taken up again.
        forks: The run that it comes from.
        packed: What the model is shown at first.
        text: What the model is saying now; of one that was stopped, as far as it had come.
    """

    id: str = field(default_factory=new_run_id)
    goal: str
    files: Sequence[Path] = ()
    budget: Budget | None = None
    model: str = ""
    how: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    takes_up: str = ""
    forks: str = ""
    packed: Packed | None = None
    text: str = ""


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

    def put(self, name: str, job: Job) -> None:
        """Keep a job that is done under a name."""
        self._jobs[name] = job

    def of(self, domain: str, kind: type[Job]) -> list[Any]:
        """Return the jobs of a domain and kind, newest first."""
        found = [one for one in self._jobs.values() if isinstance(one, kind)]
        unique = {id(one): one for one in reversed(found) if one.domain == domain}
        return list(unique.values())

    def ask(self, harness: Harness, job: Asking) -> Asking:
        """Begin to answer a question."""
        self._begin(job, self._answer(harness, job))
        return job

    def evaluate(self, harness: Harness, job: Evaluating) -> Evaluating:
        """Begin an eval run."""
        self._begin(job, self._evaluate(harness, job))
        return job

    def work(self, harness: Harness, job: Working) -> Working:
        """Begin a run, or take one up again."""
        self._begin(job, self._run(harness, job))
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
            self._let_go()
        job.state = "working"
        self._futures[job.id] = asyncio.run_coroutine_threadsafe(self._told(job, work), self._loop)

    def _let_go(self) -> None:
        """Let go of what is done and can be read back: memory stays flat over many questions."""
        names = list(self._jobs)
        for old in names[:-PACKED]:
            job = self._jobs[old]
            if isinstance(job, Asking | Working) and not job.busy:
                job.packed = None
                if isinstance(job, Asking) and job.answer is not None:
                    job.answer = replace(job.answer, demonstrations=(), passages=())
        for old in names[:-KEPT]:
            job = self._jobs[old]
            recorded = not isinstance(job, Asking) or job.answer is not None
            if recorded and not job.busy:
                del self._jobs[old]
                self._futures.pop(old, None)

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
        asked: Any = harness
        if job.after_run:
            asked = harness.conversation(job.after_run)
        stream = asked.astream(job.question, files=files, name=job.id, **job.how)
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, Answer):
                    job.answer = event
                else:
                    job.text = event.text if event.restart else job.text + event.text

    async def _run(self, harness: Harness, job: Working) -> None:
        runs, model = harness.runs, job.model or None
        if job.takes_up:
            run = runs.resume(job.takes_up, message=job.message, attended=True, model=model)
        elif job.forks:
            run = runs.fork(job.forks, message=job.message, attended=True, name=job.id)
        else:
            job.packed = await harness.apreview(job.goal, **job.how)
            run = runs.begin(
                job.goal,
                files=[str(path) for path in job.files],
                attended=True,
                budget=job.budget,
                model=model,
                name=job.id,
                pack=job.how,
            )
        async for event in run:
            if isinstance(event, Delta):
                job.text = event.text if event.restart else job.text + event.text
            elif isinstance(event, MessageCompleted | ModelRequested):
                job.text = ""  # it stands in the journal now, or is begun anew

    async def _evaluate(self, harness: Harness, job: Evaluating) -> None:
        def progress(done: int, of: int) -> None:
            job.done, job.of = done, of

        job.run = await harness.aevaluate(progress=progress, **job.how)
