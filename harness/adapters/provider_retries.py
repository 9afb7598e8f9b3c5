"""When to try a provider again: exponential backoff with full jitter, honouring Retry-After.

Full jitter: a wait drawn evenly from 0 to the backoff's limit (Brooker, "Exponential Backoff And
Jitter", 2015), so that many runs that failed together do not come back together.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import anyio

__all__ = ["Retries", "rate_limits_left", "retry_after"]

_LEFT: ContextVar[bool] = ContextVar("rate_limits_left_to_the_caller", default=False)


@contextmanager
def rate_limits_left() -> Iterator[None]:
    """Within, a call that is refused for its rate is not tried again: the caller does that.

    One who makes many calls at a time has to hear of each refusal, to make fewer.
    """
    token = _LEFT.set(True)
    try:
        yield
    finally:
        _LEFT.reset(token)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """A retry policy.

    Attributes:
        most: Retries after the first try.
        base: Seconds that the first backoff is at most.
        limit: Seconds that any backoff is at most.
        patience: Longest wait, in seconds, that a provider may ask for; a longer one is not
            waited for.
        draw: A number from 0 to 1, drawn evenly.
        sleep: Waits in an event loop.
        pause: Waits in a thread.
    """

    most: int = 4
    base: float = 1.0
    limit: float = 30.0
    patience: float = 120.0
    draw: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    pause: Callable[[float], None] = time.sleep

    def wait(
        self, failed: int, asked: float | None = None, *, limited: bool = False
    ) -> float | None:
        """Return the seconds to wait before trying again, None to give up.

        Args:
            failed: Tries that have failed, at least 1.
            asked: Seconds that the provider asked for.
            limited: The last one was refused for its rate.
        """
        if failed > self.most or (limited and _LEFT.get()):
            return None
        backoff = self.draw() * min(self.limit, self.base * 2.0 ** (failed - 1))
        if asked is None:
            return backoff
        # Jitter goes on top: what was asked for is the least, and the same for everyone.
        return asked + min(backoff, 1.0) if asked <= self.patience else None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds that an answer's headers ask to wait, None where they don't.

    Reads `retry-after-ms`, then `retry-after` in seconds or as an HTTP date.

    Args:
        headers: The answer's, looked up by lower-case names.
        now: Seconds since the epoch; the clock's where None.
    """
    if (wait := _number(headers.get("retry-after-ms"))) is not None:
        return wait / 1000
    text = headers.get("retry-after")
    if (wait := _number(text)) is not None or not text:
        return wait
    try:
        then = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, then - (time.time() if now is None else now))


def _number(text: str | None) -> float | None:
    """Return a finite number of at least 0, None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None
