"""The journal of a state folder, opened when it is first needed, and prepared beside other work."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.journal.masking import Masker
from harness.settings import Settings

if TYPE_CHECKING:
    from harness.seams_journal import Journal, Writer

__all__ = ["JournalDoor"]


class JournalDoor:
    """The journal of a state folder, opened when it is first needed.

    Args:
        settings: Of the process; they name the keys folder and the database.
        home: The state folder.
    """

    def __init__(self, settings: Settings, home: Path) -> None:
        self.settings = settings
        self.home = home
        self._opening = threading.Lock()
        self._journal: Journal | None = None
        self._threads: ThreadPoolExecutor | None = None

    @cached_property
    def masker(self) -> Masker:
        """Strikes out the environment's secrets: in the journal, and in what models are sent."""
        return Masker.from_environment(os.environ)

    def __call__(self) -> Journal:
        """Return the journal.

        Raises:
            StateError: It can't be opened.
        """
        with self._opening:
            if self._journal is None:
                from harness.wiring import make_journal

                self.home.mkdir(parents=True, exist_ok=True)
                self._journal = make_journal(self.settings, self.home, self.masker)
            return self._journal

    def start_soon(self, run: str) -> Future[Writer]:
        """Begin a run beside other work: its key and its lease take a few syncs of the disk."""
        return self._helpers().submit(lambda: self().start(run))

    def close_soon(self, writer: Writer) -> None:
        """Give a run free beside other work."""
        self._helpers().submit(writer.close)

    def _helpers(self) -> ThreadPoolExecutor:
        with self._opening:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(2, thread_name_prefix="journal")
            return self._threads

    def close(self) -> None:
        """Close it; the next call opens it again."""
        with self._opening:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()
        with self._opening:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
