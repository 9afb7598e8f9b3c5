"""What a list of runs shows, event by event."""

from __future__ import annotations

from decimal import Decimal

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
    SteerReceived,
)
from harness.journal.summary import Tally, fold
from harness.values import Usage

STARTED = RunStarted(
    goal="\n  Check the lease.\nAll of it.", domain="law", domain_version="v1", model="m:x",
    parent="r0", relation="fork",
)  # fmt: skip


def after(*events: Event) -> Tally:
    tally = Tally()
    for event in events:
        tally = fold(tally, event)
    return tally


def test_a_run_begins_with_the_first_line_of_its_goal() -> None:
    tally = after(STARTED)
    assert (tally.goal, tally.domain, tally.model) == ("Check the lease.", "law", "m:x")
    assert (tally.state, tally.parent, tally.relation) == ("running", "r0", "fork")
    long = after(RunStarted(goal="x" * 999, domain="d", domain_version="", model="m"))
    assert long.goal == "x" * 200
    assert after(RunStarted(goal=" \n", domain="d", domain_version="", model="m")).goal == ""


def test_tokens_of_all_calls_count_but_only_the_works_own_steps() -> None:
    usage = Usage(input_tokens=100, output_tokens=10, cost_usd=Decimal("0.25"))
    free = Usage(input_tokens=1, output_tokens=1)
    tally = after(
        STARTED,
        MessageCompleted(step=1, usage=usage),
        MessageCompleted(step=1, usage=usage, purpose="compact"),
        MessageCompleted(step=2, usage=free),
    )
    assert (tally.steps, tally.tokens, tally.usd) == (2, 222, Decimal("0.50"))
    assert after(STARTED, MessageCompleted(step=1, usage=free)).usd is None


def test_a_run_waits_until_the_last_of_what_it_waits_for_is_there() -> None:
    events = [
        STARTED,
        ApprovalRequested(call="c1", tool="t"),
        QuestionAsked(question="q1", text="?"),
        ApprovalDecided(call="never asked", decision="allow", by="policy"),
        ApprovalDecided(call="c1", decision="allow"),
    ]
    assert (after(*events).state, after(*events).waiting) == ("waiting", ("q1",))
    assert after(*events, RunResumed()).state == "waiting"
    assert after(*events, QuestionAnswered(question="q1", text="!")).state == "running"


def test_a_finished_run_can_go_on() -> None:
    assert after(STARTED, RunFinished(stop="budget")).state == "budget"
    assert after(STARTED, RunFinished(stop="budget"), RunResumed()).state == "running"
    assert after(STARTED, SteerReceived(text="x")) == after(STARTED)
