"""What a model is saying, kept while it says it: a killed process loses a second of it, not all."""

from __future__ import annotations

import re
import time

from harness.journal.events import MessageStreamed
from harness.loop.record import Record
from harness.values import Delta

__all__ = ["EVERY", "Streamed"]

EVERY = 1.0
"""Seconds between writes: few beside what a call takes, and an answer at once needs none."""
WORDS = re.compile(r".*\s", re.DOTALL)


class Streamed:
    """Keeps the text of one call to the model as it streams in.

    Args:
        record: Of the run.
        step: That the call is for.
    """

    def __init__(self, record: Record, step: int) -> None:
        self._record, self._step = record, step
        self._text = ""
        self._kept = self._restart = False
        self._last = time.monotonic()

    async def take(self, delta: Delta) -> None:
        """Take in what came, and write it down if it is time.

        Raises:
            StateError: It could not be written.
        """
        if delta.restart:
            self._text, self._restart = "", self._kept
        self._text += delta.text
        if time.monotonic() - self._last >= EVERY:
            await self.keep()

    async def keep(self, *, all_of_it: bool = False) -> None:
        """Write down what is new.

        Args:
            all_of_it: Its last word, too. Else that waits for its end: a secret is found and
                struck out in what is written, and must not be cut in two.

        Raises:
            StateError: It could not be written.
        """
        self._last = time.monotonic()
        if self._record.writer.in_memory:
            return  # nobody could read it back
        whole = None if all_of_it else WORDS.match(self._text)
        text = self._text if all_of_it else whole[0] if whole else ""
        if not text:
            return
        event = MessageStreamed(step=self._step, text=text, restart=self._restart)
        self._text = self._text[len(text) :]
        self._kept, self._restart = True, False
        self._record.note(event)
        await self._record.commit()
