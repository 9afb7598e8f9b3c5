"""Reading a run back: its state is the fold over its events, and over those that it comes from."""

from __future__ import annotations

from functools import partial

from harness.journal.events import MessageCompleted, RunStarted
from harness.loop.state import RunState
from harness.seams import Counter
from harness.seams_journal import Journal

__all__ = ["apply_parent", "load_state"]


def load_state(
    journal: Journal, run: str, counter: Counter, *, until: int | None = None, ratio: float = 1.0
) -> RunState:
    """Return what a run has come to.

    A fork, and a run that continues another, begin with what that one had come to.

    Args:
        journal: Has the events.
        run: Its id.
        counter: Counts tokens of what the model is shown.
        until: The last event that counts; None for all.
        ratio: The model's tokens to ours, where the run does not say.

    Raises:
        RunNotFound, RunErased, JournalDamaged: It, or one that it comes from, can't be read.
    """
    state = RunState(counter, partial(journal.blob, run), ratio=ratio)
    _apply(journal, run, until, state)
    return state


def apply_parent(journal: Journal, started: RunStarted, state: RunState) -> None:
    """Take in what the run had come to that a fork, or a run that continues it, begins with."""
    _apply(journal, started.parent, started.parent_seq, state)
    state.leave_parent()


def _apply(journal: Journal, run: str, until: int | None, state: RunState) -> None:
    sealed = dict(journal.reasoning_for(run))
    for recorded in journal.read(run, until=until):
        event = recorded.event
        if isinstance(event, RunStarted) and event.relation in ("fork", "continue"):
            apply_parent(journal, event, state)
        state.blob = partial(journal.blob, run)
        if isinstance(event, MessageCompleted):
            state.apply(recorded.seq, event, sealed.get(recorded.seq))
        else:
            state.apply(recorded.seq, event)
