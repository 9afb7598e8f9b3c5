"""Names of runs: they sort by time and never meet."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

__all__ = ["eval_run_id", "is_eval_run", "new_run_id"]

_EVAL = "eval-"


def new_run_id() -> str:
    """Return a new id: UTC time to the second, then 48 random bits."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"


def eval_run_id() -> str:
    """Return a new id for a run that works on an eval case: there can be thousands of them."""
    return f"{_EVAL}{new_run_id()}"


def is_eval_run(run: str) -> bool:
    """Return whether a run works on an eval case, by its id."""
    return run.startswith(_EVAL)
