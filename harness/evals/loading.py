"""A kept run, summed up again from what was committed."""

from __future__ import annotations

from harness.evals.record import EvalStore
from harness.evals.results import EvalRun
from harness.evals.summary import attempt_of, sum_up

__all__ = ["load_run"]


def load_run(store: EvalStore, run: str) -> EvalRun:
    """Return a run as far as it was done.

    Raises:
        EvalError: There is no such run.
        StateError: It can't be read.
    """
    record = store.record(run)
    grades = {(one.case, one.repeat): one for one in store.grades(run)}
    attempts = {
        (one.case, one.repeat): attempt_of(one, grades.get((one.case, one.repeat)))
        for one in store.generations(run)
        if one.work is None or (one.case, one.repeat) in grades
    }
    return sum_up(record, attempts, seconds=record.seconds)
