"""Jobs in a sandbox that end when their owner lets go, whoever still waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.seams_hands import Sandbox, SandboxJob, SandboxLimits, SandboxResult

__all__ = ["OwnedSandbox", "RunningJobs"]

PATIENCE = 5.0
"""Seconds that jobs have to be gone; they are killed within a fraction of one."""


class RunningJobs:
    """Counts the jobs at work, and can end them all."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._endings = 0

    @contextmanager
    def one(self) -> Iterator[Callable[[], bool]]:
        """Count a job while it runs; yield what says whether it has to end."""
        with self._changed:
            self._running += 1
            endings = self._endings
        try:
            yield lambda: self._endings != endings
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def end(self) -> None:
        """End the jobs at work, and wait until they are gone; later ones run."""
        with self._changed:
            self._endings += 1
            self._changed.wait_for(lambda: self._running == 0, PATIENCE)


class OwnedSandbox:
    """See `Sandbox`.

    Args:
        sandbox: Runs the jobs.
        jobs: Of the owner.
    """

    def __init__(self, sandbox: Sandbox, jobs: RunningJobs) -> None:
        self._sandbox = sandbox
        self._jobs = jobs

    @property
    def name(self) -> str:
        """Of what stands behind it."""
        return self._sandbox.name

    @property
    def limits(self) -> SandboxLimits:
        """What a job may use where nothing else is said."""
        return self._sandbox.limits

    def run(
        self,
        job: SandboxJob,
        *,
        limits: SandboxLimits | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        """Run a job to its end, or to its owner's. See `Sandbox`."""
        with self._jobs.one() as ended:
            return self._sandbox.run(job, limits=limits, stop=lambda: stop() or ended())
