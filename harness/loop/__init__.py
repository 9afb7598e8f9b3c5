"""The loop: works on a run step by step, every step in the journal before the next begins.

`Loop` works on a run; `load_state` reads one back.
"""

from __future__ import annotations

from harness.loop.approvals import Grant, Rule, Rules
from harness.loop.engine import Loop, Opening, Resumption
from harness.loop.load import load_state
from harness.loop.means import Delegate, Delegation, Means
from harness.loop.state import RunState

__all__ = [
    "Delegate",
    "Delegation",
    "Grant",
    "Loop",
    "Means",
    "Opening",
    "Resumption",
    "Rule",
    "Rules",
    "RunState",
    "load_state",
]
