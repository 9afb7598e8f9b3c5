"""How many calls may be under way: grows while all is well, falls when a provider says 429.

Additive increase, multiplicative decrease, after a slow start (V. Jacobson, Congestion avoidance
and control, 1988): the ceiling is reached in one round where nothing objects.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio

__all__ = ["Limiter"]

PAUSE = 1.0
"""Seconds to wait after a 429 that does not say how long; doubled with each in a row."""
HOPELESS = 10
"""Refusals in a row, a quarter of an hour of waiting, after which a run is stopped."""
LONGEST = 60.0
"""Seconds that such a pause is at most. What a provider asks for is waited out in full."""


class Limiter:
    """Lets so many in at a time.

    Args:
        ceiling: Most that are ever let in.
        clock: Seconds, as they pass.
        sleep: Waits so many.
    """

    def __init__(
        self,
        ceiling: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.ceiling = ceiling
        self._limit = float(max(1, ceiling // 2))
        self._fast = True
        self._inside = 0
        self._closed_until = 0.0
        self._refused_in_row = 0
        self._last_fall = float("-inf")
        self._clock, self._sleep = clock, sleep
        self._changed = anyio.Event()

    @property
    def limit(self) -> int:
        """How many may be in now."""
        return max(1, int(self._limit))

    @property
    def hopeless(self) -> bool:
        """So many refusals in a row, each after a longer pause, that waiting does not help."""
        return self._refused_in_row >= HOPELESS

    async def enter(self) -> float:
        """Wait until there is room and no pause; return when that was."""
        while True:
            wait = self._closed_until - self._clock()
            if wait > 0:
                await self._sleep(wait)
            elif self._inside < self.limit:
                self._inside += 1
                return self._clock()
            else:
                await self._changed.wait()

    def leave(self) -> None:
        """Make room."""
        self._inside -= 1
        self._wake()

    def well(self) -> None:
        """A call went well: let more in."""
        self._refused_in_row = 0
        grown = self._limit + (1.0 if self._fast else 1.0 / self._limit)
        self._limit = min(float(self.ceiling), grown)
        self._wake()

    def refused(self, entered: float, retry_after: float | None) -> None:
        """A call was refused for its rate: let fewer in, and none for a while.

        Args:
            entered: When the call was let in. Calls from before the last fall do not count
                again: they say the same thing.
            retry_after: Seconds that the provider asks for.
        """
        now = self._clock()
        if entered >= self._last_fall:
            self._limit = max(1.0, self._limit / 2)
            self._fast = False
            self._last_fall = now
            self._refused_in_row += 1
        pause = min(LONGEST, PAUSE * 2.0 ** (self._refused_in_row - 1))
        asked = pause if retry_after is None else retry_after
        self._closed_until = max(self._closed_until, now + asked)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
