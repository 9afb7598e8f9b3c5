"""Progress on stderr: a line that rewrites itself on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["Bar", "embedding_progress"]

QUIET = 10.0
"""Seconds between two lines where stderr is no terminal."""


class Bar:
    """Tells how far something has come.

    Args:
        what: What is being done, in a word or two.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._told: float | None = None

    def __call__(self, done: int, total: int) -> None:
        """Tell that so many of so many are done."""
        now = time.monotonic()
        if self._told is None:  # the first word: what it counts from here is the work itself
            self._told = 0.0 if self._terminal else now
        if self._terminal:
            if done < total and now - self._told < 0.1:
                return
            end = "\n" if done >= total else ""
            print(f"\r{self._what} {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)
        elif now - self._told >= QUIET:
            print(f"{self._what} {done:,} of {total:,}", file=sys.stderr, flush=True)
        else:
            return
        self._told = now


def embedding_progress() -> Callable[[int, int], None]:
    """Return what tells how far embedding has come."""
    return Bar("Embedding")
