"""The summary of a run: what a list of runs shows, kept up to date event by event."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    MessageCompleted,
    QuestionAnswered,
    QuestionAsked,
    RunFinished,
    RunResumed,
    RunStarted,
)
from harness.journal.parts import Relation, StopReason

__all__ = ["RunSummary", "State", "Tally", "fold"]

State = Literal["new", "running", "waiting"] | StopReason
"""`waiting`: for an approval or an answer."""
GOAL_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What is known of a run after some of its events.

    Attributes:
        goal: First line of the request, cut at 200 characters.
        waiting: Ids of the calls whose approval, or whose answer, is still to come.
        steps: Messages that the model completed for the work itself.
        tokens: Input and output of all calls, upkeep included; children have their own runs.
        usd: None until a price is known.
    """

    domain: str = ""
    model: str = ""
    goal: str = ""
    state: State = "new"
    waiting: tuple[str, ...] = ()
    steps: int = 0
    tokens: int = 0
    usd: Decimal | None = None
    parent: str = ""
    relation: Relation = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """A run as a list shows it.

    Attributes:
        tally: What its events add up to.
        events: How many there are.
        worker: Who works on it now, in words; empty where nobody does.
        erased: When its key was destroyed; its goal is empty then.
    """

    run: str
    tally: Tally
    events: int
    started: datetime
    updated: datetime
    worker: str = ""
    erased: datetime | None = None


def fold(tally: Tally, event: Event) -> Tally:
    """Return the tally with one more event."""
    change = dataclasses.replace
    match event:
        case RunStarted():
            tally = Tally(
                domain=event.domain,
                model=event.model,
                goal=(event.goal.strip().splitlines() or [""])[0][:GOAL_CHARACTERS],
                state="running",
                parent=event.parent,
                relation=event.relation,
            )
        case MessageCompleted():
            cost = event.usage.cost_usd
            tally = change(
                tally,
                steps=tally.steps + (event.purpose == "step"),
                tokens=tally.tokens + event.usage.input_tokens + event.usage.output_tokens,
                usd=tally.usd if cost is None else (tally.usd or Decimal(0)) + cost,
            )
        case ApprovalRequested(call=call) | QuestionAsked(question=call):
            others = tuple(one for one in tally.waiting if one != call)
            tally = change(tally, waiting=(*others, call), state="waiting")
        case ApprovalDecided(call=call) | QuestionAnswered(question=call):
            left = tuple(one for one in tally.waiting if one != call)
            tally = change(tally, waiting=left, state="waiting" if left else "running")
        case RunResumed():
            tally = change(tally, state="waiting" if tally.waiting else "running")
        case RunFinished():
            tally = change(tally, state=event.stop)
    return tally
