"""Runs that pages look at, read once for all of them: each look reads only what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from harness import Harness
from harness.journal.events import (
    ContextPacked,
    Recorded,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
)
from harness.sdk.account import Account, Following
from harness_ui.run_words import told
from harness_ui.words import model_markdown

__all__ = ["Stage", "Watched", "watched"]

KEPT = 60
"""Runs that are kept in memory; the one looked at longest ago goes first."""


@dataclass(kw_only=True)
class Stage:
    """A stretch of a run from what a person said to what came of it.

    Attributes:
        asked: What was said.
        files: Names of the files that came with it.
        steps: What was done, each as Markdown.
        finished: How it ended; None while it goes on.
    """

    asked: str
    files: tuple[str, ...] = ()
    steps: list[str] = field(default_factory=list)
    finished: RunFinished | None = None


class Watched:
    """One run as pages show it.

    Args:
        following: Reads what is new.

    Attributes:
        stages: What was said, done and answered, in order.
        lines: What was done, over all stages, each as Markdown.
    """

    def __init__(self, following: Following) -> None:
        self._following = following
        self._lock = threading.Lock()
        self.stages: list[Stage] = []
        self.lines: list[str] = []

    def look(self) -> Account:
        """Return how the run stands now.

        Raises:
            HarnessError: It can't be read.
        """
        with self._lock:
            account, new = self._following.look()
            for recorded in new:
                self._take(recorded)
            return account

    def _take(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, RunFinished) and event.answer:
            self._drop(model_markdown(event.answer.strip()))
        words = told(event)
        if words:
            self.lines.append(words)
        if isinstance(event, RunStarted):
            names = tuple(one.path for one in event.files)
            self.stages.append(Stage(asked=event.goal, files=names))
        elif not self.stages or isinstance(event, RunResumed | ContextPacked):
            return
        elif isinstance(event, SteerReceived) and self.stages[-1].finished is not None:
            self.stages.append(Stage(asked=event.text))
        elif isinstance(event, RunFinished):
            self.stages[-1].finished = event
        elif words:
            self.stages[-1].steps.append(words)
            self.stages[-1].finished = None

    def _drop(self, answer: str) -> None:
        """Leave out a last message that is the answer: it stands below in full."""
        for lines in (self.lines, self.stages[-1].steps if self.stages else []):
            if lines and lines[-1] == answer:
                lines.pop()


_watched: OrderedDict[tuple[object, str], Watched] = OrderedDict()
_finding = threading.Lock()


def watched(harness: Harness, run: str) -> Watched:
    """Return a run, to look at."""
    key = (harness.home, run)
    with _finding:
        if key not in _watched:
            _watched[key] = Watched(harness.runs.following(run))
        _watched.move_to_end(key)
        while len(_watched) > KEPT:
            _watched.popitem(last=False)
        return _watched[key]
