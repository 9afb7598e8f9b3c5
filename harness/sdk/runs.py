"""Names of runs, which sort by time and never meet, and the states that a list shows."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

from harness.journal.parts import StopReason

if TYPE_CHECKING:
    from harness.journal.summary import RunSummary

__all__ = ["STATES", "eval_run_id", "is_eval_run", "new_run_id", "state_of"]

_EVAL = "eval-"
STATES = ("running", "stopped", "waiting", *get_args(StopReason), "erased")
"""What a list of runs says of one: at work, left by its process, waiting, how it ended."""


def new_run_id() -> str:
    """Return a new id: UTC time to the second, then 48 random bits."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"


def eval_run_id() -> str:
    """Return a new id for a run that works on an eval case: there can be thousands of them."""
    return f"{_EVAL}{new_run_id()}"


def is_eval_run(run: str) -> bool:
    """Return whether a run works on an eval case, by its id."""
    return run.startswith(_EVAL)


def state_of(one: RunSummary) -> str:
    """Return the state of a run as a list shows it."""
    if one.erased:
        return "erased"
    stopped = one.tally.state == "running" and not one.worker
    return "stopped" if stopped else one.tally.state
