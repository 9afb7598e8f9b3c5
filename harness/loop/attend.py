"""Attending to work that may take long: it is given up when the run is cancelled, or in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["POLL", "GivenUp", "attend"]

POLL = 0.1
"""Seconds between looks while the run waits or is in a long call."""
T = TypeVar("T")


class GivenUp(Exception):
    """The work was given up, because its time was over or the run is cancelled."""


async def attend(
    work: Coroutine[Any, Any, T],
    cancelled: Callable[[], Awaitable[bool]],
    *,
    seconds: float | None = None,
) -> T:
    """Do work, looking up from it now and then.

    Args:
        work: What to do.
        cancelled: Asked every now and then; True ends the work.
        seconds: Most that it may take.

    Raises:
        GivenUp: It was cancelled.
        TimeoutError: It took too long.
    """
    task = asyncio.ensure_future(work)
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while True:
            wait = POLL if end is None else max(0.0, min(POLL, end - time.monotonic()))
            await asyncio.wait([task], timeout=wait)
            if task.done():
                return task.result()
            if end is not None and time.monotonic() >= end:
                raise TimeoutError
            if await cancelled():
                raise GivenUp
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
