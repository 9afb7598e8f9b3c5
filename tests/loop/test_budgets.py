"""Budgets: reserved before, warned, wrapped up, never overspent; children included."""

from __future__ import annotations

from decimal import Decimal

import anyio
import pytest

from harness.errors import UsageError
from harness.journal.events import BudgetWarned, ModelRequested, RunFinished, RunStarted
from harness.journal.parts import Limits
from harness.loop import Delegation, Loop, Means, Opening, Rules, load_state, replay
from harness.testing import Call, ScriptedModel, Tokens, Turn, WordCounter
from tests.loop.desk import Desk, calls, controls, tool


def look(n: int) -> str:
    """Look."""
    return f"seen {n}"


def looking(call: Call) -> Turn:
    return calls(("look", {"n": len(call.messages)}))


def replayed_whole(desk: Desk) -> bool:
    found = anyio.run(replay, desk.journal, "r1", WordCounter())
    assert found.difference is None
    return bool(found.complete)


def test_steps_warn_wrap_up_stop(desk: Desk) -> None:
    model = ScriptedModel(looking)
    done = desk.start(desk.means(model, tools=[tool(look)]), limits=Limits(steps=10))
    assert (done.stop, done.steps) == ("budget", 10)
    assert [(one.level, one.used) for one in desk.of(BudgetWarned)] == [
        ("warn", 8),
        ("wrap_up", 8),
        ("stop", 10),
    ] or [one.level for one in desk.of(BudgetWarned)] == ["wrap_up", "stop"]
    assert "hand in" in str([one.content for one in model.calls[-1].messages]).lower()
    assert replayed_whole(desk)


def test_what_is_left_is_said_after_each_step(desk: Desk) -> None:
    model = ScriptedModel([calls(("look", {"n": 1})), Turn(text="Done.")])
    limits = Limits(steps=10, tokens=50_000, minutes=5.0)
    desk.start(desk.means(model, tools=[tool(look)]), limits=limits)
    said = model.calls[-1].messages[-1].content
    assert "9 of 10 steps" in said
    assert "tokens" in said
    assert "of 5 minutes" in said


def test_wrapped_up_with_what_there_is(desk: Desk) -> None:
    def turn(call: Call) -> Turn:
        told = "all but used up" in str(call.messages[-1].content)
        return Turn(text="Half of it.") if told else looking(call)

    done = desk.start(desk.means(ScriptedModel(turn), tools=[tool(look)]), limits=Limits(steps=6))
    assert (done.stop, done.answer) == ("budget", "Half of it.")


def test_tokens_are_never_overspent(desk: Desk) -> None:
    def turn(call: Call) -> Turn:
        assert call.max_output_tokens is not None
        tokens = Tokens(input=600, output=min(900, call.max_output_tokens))
        return Turn(tool_calls=looking(call).tool_calls, tokens=tokens)

    limits = Limits(tokens=8_000)
    done = desk.start(desk.means(ScriptedModel(turn), tools=[tool(look)]), limits=limits)
    assert done.stop == "budget"
    assert 4_000 < done.usage.input_tokens + done.usage.output_tokens <= 8_000
    requested = desk.of(ModelRequested)
    assert all(one.reserved_output_tokens for one in requested)
    assert replayed_whole(desk)


def test_money(desk: Desk) -> None:
    class Priced(ScriptedModel):
        def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
            return Decimal(input_tokens + 5 * output_tokens) / 1_000_000

    def turn(call: Call) -> Turn:
        tokens = Tokens(input=600, output=min(1_000, call.max_output_tokens or 0))
        return Turn(tool_calls=looking(call).tool_calls, tokens=tokens)

    limits = Limits(usd=Decimal("0.05"))
    done = desk.start(desk.means(Priced(turn), tools=[tool(look)]), limits=limits)
    assert done.stop == "budget"
    assert done.usage.cost_usd is not None
    assert Decimal("0.02") < done.usage.cost_usd <= Decimal("0.05")
    assert all(one.reserved_usd is not None for one in desk.of(ModelRequested))


def test_money_without_a_price_is_refused(desk: Desk) -> None:
    with pytest.raises(UsageError, match="price"):
        desk.start(desk.means([Turn(text="x")]), limits=Limits(usd=Decimal(1)))


def test_the_very_first_call_must_fit(desk: Desk) -> None:
    model = ScriptedModel([Turn(text="x")])
    done = desk.start(desk.means(model), limits=Limits(tokens=20))
    assert (done.stop, done.steps) == ("budget", 0)
    assert not model.calls


def test_minutes_are_time_at_work_by_a_clock_that_only_grows(desk: Desk) -> None:
    now = [0.0]

    def clock() -> float:
        return now[0]

    def slow(n: int) -> str:
        """Look slowly."""
        now[0] += 30
        return f"seen {n}"

    def turn(call: Call) -> Turn:
        return calls(("slow", {"n": len(call.messages)}))

    means = desk.means(ScriptedModel(turn), tools=[tool(slow)], clock=clock)
    done = desk.start(means, limits=Limits(minutes=5.0))
    assert done.stop == "budget"
    assert 270 <= done.seconds <= 330
    assert next(one.level for one in desk.of(BudgetWarned)) == "warn"
    assert replayed_whole(desk)


def test_a_model_that_takes_too_long_is_given_up(desk: Desk) -> None:
    done = desk.start(desk.means([Turn(text="x", delay=20)]), limits=Limits(minutes=0.005))
    assert done.stop == "budget"
    assert replayed_whole(desk)


def test_more_may_be_granted_when_it_is_taken_up(desk: Desk) -> None:
    means = desk.means(ScriptedModel(looking), tools=[tool(look)])
    assert desk.start(means, limits=Limits(steps=5)).stop == "budget"
    model = ScriptedModel([calls(("look", {"n": 0})), Turn(text="Done.")])
    more = desk.means(model, tools=[tool(look)])
    done = desk.resume(more, limits=Limits(steps=20))
    assert (done.stop, done.steps) == ("completed", 7)
    assert replayed_whole(desk)


def delegating(desk: Desk, child: ScriptedModel) -> Means:
    async def delegate(given: Delegation) -> RunFinished:
        opening = Opening(
            started=RunStarted(
                goal=given.task,
                domain="law",
                domain_version="v1",
                model="scripted:model",
                limits=given.limits,
                approvals=given.mode,
                parent=given.parent,
                parent_seq=given.parent_seq,
                relation="delegate",
            ),
            packed=desk.opening().packed,
            messages=desk.opening().messages,
        )
        means = Means(
            model=child,
            counter=WordCounter(),
            tools=[tool(look), tool(send, effect="external")],
            rules=given.rules,
            stop=given.stop,
        )

        async def emit(item: object) -> None:
            del item

        with desk.journal.start(given.run) as writer:
            return await Loop(writer, means, opening).run(emit)

    tasks = [("delegate", {"task": f"part {n}", "share": 0.4}) for n in range(2)]
    parent = ScriptedModel([calls(*tasks), Turn(text="Both are done.")])
    tools = [*controls("delegate"), tool(look)]
    return desk.means(parent, tools=tools, delegate=delegate)


def send(text: str) -> str:
    """Send."""
    raise AssertionError("a child may do no more than its parent")


def test_children_have_runs_of_their_own_and_count(desk: Desk) -> None:
    def turn(call: Call) -> Turn:
        tokens = Tokens(input=300, output=min(300, call.max_output_tokens or 300))
        return Turn(tool_calls=looking(call).tool_calls, tokens=tokens)

    means = delegating(desk, ScriptedModel(turn))
    done = desk.start(means, limits=Limits(tokens=20_000))
    assert done.stop == "completed"
    children = desk.journal.runs(parent="r1")
    assert sorted(one.run for one in children) == ["r1-1-1", "r1-1-2"]
    assert {one.tally.state for one in children} == {"budget"}
    spent = sum(one.tally.tokens for one in children)
    assert spent <= 20_000 * 0.8
    total = done.usage.input_tokens + done.usage.output_tokens
    assert spent < total <= 20_000
    assert load_state(desk.journal, "r1", WordCounter()).spent.tokens == total
    assert replayed_whole(desk)


def test_a_child_may_do_no_more_than_its_parent(desk: Desk) -> None:
    child = ScriptedModel(
        lambda call: (
            Turn(text="It was refused.")
            if call.messages[-1].type == "tool"
            else calls(("send", {"text": "x"}))
        )
    )
    means = delegating(desk, child)
    done = desk.start(means, approvals="never")
    assert done.stop == "completed"
    assert "nobody is there" in str(child.calls[-1].messages[-1].content)
    assert Rules().allow == ()
