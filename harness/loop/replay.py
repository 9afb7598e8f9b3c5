"""Replay: a recorded run done again, with no model and no tool; the first difference is named.

Requests to the model, decisions, budgets, upkeep and everything else that the loop works out is
worked out anew, and has to come out as it was recorded but for ids, times and hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from harness.errors import UsageError
from harness.journal.events import ContextPacked, Recorded, RunResumed, RunStarted, SteerReceived
from harness.loop.approvals import Grant, Rule, Rules
from harness.loop.engine import Loop, Opening, Resumption, new_state
from harness.loop.load import apply_parent
from harness.loop.means import Means
from harness.loop.messages import from_json
from harness.loop.scenery import Price, RecordedModel, Scenery, noted
from harness.loop.script import Difference, Differs, Interrupted, Script, ScriptWriter
from harness.loop.state import GATE, HARNESS, RunState
from harness.loop.world import DEFAULT_WINDOW
from harness.seams import Counter
from harness.seams_journal import Journal

__all__ = ["Replayed", "recorded_model", "replay"]


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay came to.

    Attributes:
        events: What was done again, as far as it came out the same.
        difference: The first thing that did not; None where all did.
        complete: All that was recorded was done again.
    """

    events: tuple[Recorded, ...]
    difference: Difference | None
    complete: bool


async def replay(
    journal: Journal, run: str, counter: Counter, *, price: Price | None = None
) -> Replayed:
    """Do a recorded run again, without models and tools.

    Args:
        journal: Has the run; nothing is written to it.
        run: Its id.
        counter: The same as the run had: sizes of requests are compared.
        price: Of a model by name, input and output tokens: for runs with a budget in money.

    Raises:
        RunNotFound, RunErased, JournalDamaged: It can't be read.
        UsageError: It has not begun.
    """
    script = _script(journal, run)
    writer = ScriptWriter(script, run)
    difference: Difference | None = None
    try:
        await _replay(journal, script, writer, counter, price)
    except* Differs as group:
        difference = _first(group)
    complete = script.is_over and difference is None
    return Replayed(events=tuple(writer.replayed), difference=difference, complete=complete)


def recorded_model(journal: Journal, run: str) -> RecordedModel:
    """Return a model that says what a recorded run's model said, in its order: `replay:RUN`."""
    script = _script(journal, run)
    return RecordedModel(script, f"replay:{run}", in_order=True)


def _script(journal: Journal, run: str) -> Script:
    script = Script(
        tuple(journal.read(run)), dict(journal.reasoning_for(run)), partial(journal.blob, run)
    )
    if not isinstance(script.next, RunStarted):
        raise UsageError(f"Run {run} has not begun.", "There is nothing to replay.")
    return script


async def _replay(
    journal: Journal, script: Script, writer: ScriptWriter, counter: Counter, price: Price | None
) -> None:
    """Run the loop, once for each process that worked on the run."""
    means = _means(script, counter, price)
    started = script.next
    how: Opening | Resumption = _opening(script)
    state = new_state(means)
    if isinstance(started, RunStarted) and started.relation in ("fork", "continue"):
        apply_parent(journal, started, state)
    state.blob = script.blobs
    if isinstance(started, RunStarted) and started.relation == "fork":
        state.apply(1, started)
        script.at = 1
        how = _resumption(script)
    while not script.is_over:
        before = script.at
        loop = Loop(writer, means, how, state=state, world=Scenery(means, script))
        try:
            await loop.run(_nowhere)
        except* Interrupted:
            pass
        script.skip_undo()
        if script.at == before and not script.is_over:
            raise AssertionError("a replay comes to a standstill")
        state = _state_so_far(journal, script, counter)
        how = _resumption(script)


async def _nowhere(item: object) -> None:
    del item


def _state_so_far(journal: Journal, script: Script, counter: Counter) -> RunState:
    """Return the state at the point where a process ended, from what was recorded."""
    state = RunState(counter, script.blobs)
    for recorded in script.events[: script.at]:
        event = recorded.event
        if isinstance(event, RunStarted) and event.relation in ("fork", "continue"):
            apply_parent(journal, event, state)
            state.blob = script.blobs
        state.apply(recorded.seq, event, script.sealed.get(recorded.seq))
    return state


def _opening(script: Script) -> Opening:
    started, packed = script.event(0), script.event(1)
    if not isinstance(started, RunStarted):
        raise UsageError("A run begins with run.started.")
    if not isinstance(packed, ContextPacked) or packed.messages is None:
        return Opening(started=started, packed=ContextPacked(step=0, tokens=0, budget=0))
    messages = from_json(script.blobs(packed.messages))
    return Opening(started=started, packed=packed, messages=messages)


def _resumption(script: Script) -> Resumption:
    event, said = script.next, script.event(script.at + 1)
    if not isinstance(event, RunResumed):
        return Resumption()
    told = Resumption(reason=event.reason, notices=event.notices, limits=event.limits)
    if isinstance(said, SteerReceived) and said.by not in (HARNESS, GATE):
        return replace(told, message=said.text, by=said.by)
    return told


def _means(script: Script, counter: Counter, price: Price | None) -> Means:
    """Return means that stand for those of the run, as it noted them at its start."""
    facts: Mapping[str, Any] = noted(script)
    rules = Rules.read(
        deny=facts.get("deny", ()), ask=facts.get("ask", ()), allow=facts.get("allow", ())
    )
    grants = tuple(
        Grant(rule=Rule.read(text), allow=allow) for text, allow in facts.get("grants", ())
    )
    started = script.event(0)
    name = started.model if isinstance(started, RunStarted) else ""
    return Means(
        model=RecordedModel(script, name, price),
        fallback=RecordedModel(script, name, price),
        counter=counter,
        rules=replace(rules, grants=grants),
        window=int(facts.get("window", DEFAULT_WINDOW)),
        token_ratio=float(facts.get("ratio", 1.25)),
        max_output_tokens=int(facts.get("most_output", 32_000)),
    )


def _first(group: BaseExceptionGroup[Differs]) -> Difference:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _first(error)
        return error.difference
    raise AssertionError("a group of none")
