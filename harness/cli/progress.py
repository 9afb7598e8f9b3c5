"""Progress on stderr: a line that rewrites itself on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.evals import Standing

__all__ = ["Bar", "EvalBar", "embedding_progress"]

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
        self.tell(done, total, "")

    def tell(self, done: int, total: int, more: str) -> None:
        """Tell that so many of so many are done, and more in words."""
        now = time.monotonic()
        if self._told is None:  # the first word: what it counts from here is the work itself
            self._told = 0.0 if self._terminal else now
        if self._terminal:
            if done < total and now - self._told < 0.1:
                return
            end = "\n" if done >= total else ""
            # Up to the end of the line: a shorter one leaves nothing of the longer before it.
            line = f"\r{self._what} {done:,} of {total:,}{more}"
            line += "\x1b[K" if more else ""
            print(line, end=end, file=sys.stderr, flush=True)
        elif now - self._told >= QUIET:
            print(f"{self._what} {done:,} of {total:,}{more}", file=sys.stderr, flush=True)
        else:
            return
        self._told = now


class EvalBar:
    """Tells how a run of evals stands: the score so far, the cost so far, the time left.

    Args:
        what: What is being done, in a word or two.
    """

    def __init__(self, what: str) -> None:
        self._bar = Bar(what)

    def __call__(self, now: Standing) -> None:
        """Tell how it stands."""
        said = []
        if now.score is not None:
            said.append(f"{100 * now.score:.1f} % right")
        if now.unscored:
            said.append(f"{now.unscored:,} unscored")
        if now.cost_usd:
            said.append(f"${now.cost_usd:.4f}")
        if now.seconds_left is not None and now.done < now.total:
            said.append(f"{_duration(now.seconds_left)} left")
        more = f": {', '.join(said)}" if said else ""
        self._bar.tell(now.done, now.total, more)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def embedding_progress() -> Callable[[int, int], None]:
    """Return what tells how far embedding has come."""
    return Bar("Embedding")
