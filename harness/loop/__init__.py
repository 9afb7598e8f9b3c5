"""The loop: works on a run step by step, every step in the journal before the next begins.

    begin      Loop(writer, means, Opening(started=…, packed=…, messages=…))
    take up    Loop(writer, means, Resumption(…), state=load_state(journal, run, counter))
    fork       fork(journal, parent, run, seq=seq_of_step(journal, parent, step)), then take it up
    continue   state = load_state(journal, parent, counter); state.leave_parent();
               Loop(writer, means, Opening(started=RunStarted(relation="continue", …)), state=state)
    work       async for item in loop.events(): …   or   await loop.run(emit)
    afterwards await replay(journal, run, counter); undo(journal, run, turn, workspace)

Calls have ids of the run's own, `step.number`. What people decide comes in by the run's inbox.
"""

from __future__ import annotations

from harness.loop.approvals import Grant, Rule, Rules
from harness.loop.engine import Loop, Opening, Resumption
from harness.loop.finish import cut_short
from harness.loop.fork import KeptFile, files_at, fork, seq_of_step, undo
from harness.loop.load import apply_parent, load_state
from harness.loop.means import UNKNOWN_RATIO, Delegate, Delegation, Means
from harness.loop.replay import Replayed, recorded_model, replay
from harness.loop.script import Difference
from harness.loop.state import RunState

__all__ = [
    "UNKNOWN_RATIO",
    "Delegate",
    "Delegation",
    "Difference",
    "Grant",
    "KeptFile",
    "Loop",
    "Means",
    "Opening",
    "Replayed",
    "Resumption",
    "Rule",
    "Rules",
    "RunState",
    "apply_parent",
    "cut_short",
    "files_at",
    "fork",
    "load_state",
    "recorded_model",
    "replay",
    "seq_of_step",
    "undo",
]
