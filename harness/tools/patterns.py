"""Patterns that a model writes, matched within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from harness.errors import WorkspaceError

__all__ = ["Finder"]

MOST_CHARACTERS = 1_000
"""Characters of a pattern."""


class Finder:
    """Finds the lines that a pattern matches.

    The `regex` package, unlike `re`, can be told to give up: some expressions would take years.

    Args:
        pattern: A text, or a regular expression.
        regex: Which of the two.
        seconds: For all that this finder does.

    Raises:
        WorkspaceError: The pattern is empty, too long, or no regular expression.
    """

    def __init__(self, pattern: str, *, regex: bool, seconds: float) -> None:
        import regex as engine

        if not pattern.strip():
            raise WorkspaceError("The pattern is empty.", "Give the text to look for.")
        if len(pattern) > MOST_CHARACTERS:
            raise WorkspaceError(f"The pattern has more than {MOST_CHARACTERS:,} characters.")
        try:
            self._pattern: Any = engine.compile(
                pattern if regex else engine.escape(pattern), engine.IGNORECASE | engine.VERSION0
            )
        except (engine.error, RecursionError, OverflowError, MemoryError) as error:
            raise WorkspaceError(
                f"This is no regular expression: {error}.", "Leave out `regex` to find plain text."
            ) from error
        self._end = time.monotonic() + seconds

    def lines(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the number, from 1, and the text of each line that matches.

        Raises:
            WorkspaceError: The time is up.
        """
        for number, line in enumerate(text.split("\n"), 1):
            if self.position(line) >= 0:
                yield number, line

    def position(self, line: str) -> int:
        """Return where in a line the pattern matches first; -1 where it does not."""
        left = self._end - time.monotonic()
        if left > 0:
            try:
                match = self._pattern.search(line, timeout=left, concurrent=True)
            except TimeoutError:
                match, left = None, 0.0
        if left <= 0:
            raise WorkspaceError(
                "The search took too long and was stopped.",
                "Search for a simpler pattern, or in one file.",
            )
        return match.start() if match else -1
