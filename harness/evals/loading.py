"""A kept run, summed up again from what was committed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from harness.evals.record import EvalStore
from harness.evals.results import EvalRun
from harness.evals.summary import sum_up

__all__ = ["load_run"]


def load_run(store: EvalStore, run: str) -> EvalRun:
    """Return a run as far as it was done.

    Raises:
        EvalError: There is no such run.
        StateError: It can't be read.
    """
    record = store.record(run)
    with _uncollected():
        return sum_up(record, store.attempts(run), seconds=record.seconds)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Switch the collector off while thousands of values are made that all stay.

    It would look through all of them again and again, for a third of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
