"""Commits rows in groups: whoever waits meanwhile is in the next group.

One transaction synced to disk takes milliseconds; fifty answers that come in meanwhile share
the next one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from harness.evals.record import Generation, GradeRow

__all__ = ["Sink"]

Row = Generation | GradeRow


@dataclass(kw_only=True)
class _Group:
    rows: list[Row] = field(default_factory=list)
    done: anyio.Event = field(default_factory=anyio.Event)
    error: Exception | None = None


class Sink:
    """Keeps rows by a function that commits some at once.

    Args:
        keep: Commits; None keeps nothing.
    """

    def __init__(self, keep: Callable[[Sequence[Row]], None] | None) -> None:
        self._keep = keep
        self._next = _Group()
        self._wanted = anyio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Commit as long as the context is open."""
        async with anyio.create_task_group() as group:
            if self._keep is not None:
                group.start_soon(self._work)
            try:
                yield
            finally:
                group.cancel_scope.cancel()

    async def put(self, *rows: Row) -> None:
        """Commit the rows; they are safe when this returns.

        Raises:
            StateError: They can't be written.
        """
        if self._keep is None:
            return
        group = self._next
        group.rows.extend(rows)
        self._wanted.set()
        await group.done.wait()
        if group.error is not None:
            raise group.error

    async def _work(self) -> None:
        assert self._keep is not None  # noqa: S101 - narrows the type
        while True:
            await self._wanted.wait()
            group, self._next, self._wanted = self._next, _Group(), anyio.Event()
            try:
                # Not to be broken off: what is under way is committed, or not at all.
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._keep, group.rows)
            except Exception as error:
                group.error = error
            group.done.set()
