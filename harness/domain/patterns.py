"""Regular expressions that experts write, given up in time: some would run for ever."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

__all__ = ["PATIENCE", "Patience", "compiled"]

PATIENCE = 1.0
"""Seconds that the patterns of one check may take on one answer."""


class Patience:
    """Looks for patterns in texts until its time is spent, all texts together."""

    def __init__(self) -> None:
        self._all = self._left = PATIENCE

    def found(self, pattern: str, text: str) -> bool:
        """Say whether the pattern is anywhere in the text.

        Raises:
            ValueError: The pattern is none.
            TimeoutError: The time is spent; says on which pattern.
        """
        ready = compiled(pattern)
        begun = time.thread_time()
        try:
            return ready.search(text, timeout=max(self._left, 1e-3)) is not None
        except TimeoutError:
            shown = pattern if len(pattern) <= 200 else f"{pattern[:200]} …"
            raise TimeoutError(
                f"the pattern “{shown}” took longer than {self._all:g} s on this answer"
            ) from None
        finally:
            self._left -= time.thread_time() - begun


@lru_cache(maxsize=512)
def compiled(pattern: str, *, ignore_case: bool = False, lines: bool = False) -> Any:
    """Return the pattern, whose `search` and `fullmatch` take a `timeout` in seconds.

    Args:
        pattern: A regular expression.
        ignore_case: Case does not count.
        lines: `^` and `$` stand for the ends of a line.

    Raises:
        ValueError: It is no regular expression; says why.
    """
    import regex

    flags = (regex.MULTILINE if lines else 0) | (regex.IGNORECASE if ignore_case else 0)
    try:
        return regex.compile(pattern, flags)
    except regex.error as error:
        raise ValueError(str(error)) from None
    except (RecursionError, OverflowError):
        raise ValueError("it is too deep or too large") from None
