"""The context stays below the window; what has to stay is there word for word."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest

from harness.journal.commands import Steer
from harness.journal.events import ContextCompacted, MessageCompleted
from harness.loop import replay
from harness.loop.conversation import CLEARED
from harness.testing import Call, Fault, ScriptedModel, Tokens, Turn, WordCounter
from tests.loop.desk import GOAL, RULES, Desk, calls, controls, tool

SUMMARY = "Clauses 1 to 9 were read; clause 4 is missing."


def look(n: int) -> str:
    """Look."""
    return f"clause {n} " + "word " * 100


def shown(call: Call) -> str:
    return "\n".join(str(one.text) for one in call.messages)


def words_of(call: Call) -> int:
    return sum(len(str(one.text).split()) for one in call.messages)


def counted(turn: Callable[[Call], Turn]) -> ScriptedModel:
    """A model whose provider counts all that it was shown, as providers do."""

    def said(call: Call) -> Turn:
        given = turn(call)
        return replace(given, tokens=Tokens(input=words_of(call), output=len(given.text.split())))

    return ScriptedModel(said)


def long_work(steps: int, *, text: str = "") -> ScriptedModel:
    made = iter(range(1, steps + 1))

    def turn(call: Call) -> Turn:
        if not call.tools:
            return Turn(text=SUMMARY)
        n = next(made, None)
        if n is None:
            return Turn(text="Done.")
        return calls(("look", {"n": n}), text=text.format(n=n))

    return counted(turn)


def replayed_whole(desk: Desk) -> bool:
    found = anyio.run(replay, desk.journal, "r1", WordCounter())
    assert found.difference is None
    return bool(found.complete)


def test_old_results_are_cleared_first(desk: Desk) -> None:
    model = long_work(30)
    means = desk.means(model, tools=[tool(look)], window=3_000, token_ratio=1.0)
    assert desk.start(means).stop == "completed"
    found = desk.of(ContextCompacted)
    assert {one.how for one in found} == {"clear"}
    assert CLEARED in shown(model.calls[-1])
    assert "clause 30 word" in shown(model.calls[-1])
    assert max(map(words_of, model.calls)) < 3_000
    assert replayed_whole(desk)
    assert desk.state().conversation.sha256() == desk.loops[0].state.conversation.sha256()


def test_then_the_work_is_summed_up_and_what_is_pinned_stays(desk: Desk) -> None:
    text = 'Clause {n} says EUR {n}00,000. [contract.pdf: "clause {n}"] ' + "thought " * 60
    model = long_work(40, text=text)
    desk_means = desk.means(
        model, tools=[tool(look), *controls("plan")], window=3_000, token_ratio=1.0
    )

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(desk.astart, desk_means)
            await anyio.sleep(0)
            while not any(one.run == "r1" for one in desk.journal.runs()):
                await anyio.sleep(0.001)
            desk.journal.send("r1", Steer(text="Leave out annex B."))

    anyio.run(both)
    found = [one for one in desk.of(ContextCompacted) if one.how == "summary"]
    assert found
    last = shown(model.calls[-1])
    assert GOAL in last, "the request, word for word"
    assert RULES in last, "the domain's rules, word for word"
    assert SUMMARY in last
    assert "Leave out annex B." in last
    assert any("EUR 100,000" in line for line in found[0].pinned["Figures"])
    assert '[contract.pdf: "clause 1"]' in found[0].pinned["Citations"]
    asked = [one for one in model.calls if not one.tools]
    assert GOAL in shown(asked[0])
    assert "Clause 1 says" in shown(asked[0])
    assert max(map(words_of, model.calls)) < 3_000
    assert replayed_whole(desk)
    assert desk.state().conversation.sha256() == desk.loops[0].state.conversation.sha256()


def test_all_of_it_is_read_for_the_summary(desk: Desk) -> None:
    model = long_work(60, text="Step {n}. " + "thought " * 150)
    means = desk.means(model, tools=[tool(look)], window=4_000, token_ratio=1.0)
    desk.start(means)
    read = "".join(shown(one) for one in model.calls if not one.tools)
    kept = shown(model.calls[-1])
    for n in range(1, 61):
        assert re.search(rf"Step {n}\. ", read + kept), n


def test_a_failed_summary_changes_nothing(desk: Desk) -> None:
    made = iter(range(1, 20))

    def turn(call: Call) -> Turn:
        if not call.tools:
            return Turn(fault=Fault(kind="server_error"))
        n = next(made, None)
        done = Turn(text="Done.")
        return done if n is None else calls(("look", {"n": n}), text="thought " * 100)

    model = counted(turn)
    means = desk.means(model, tools=[tool(look)], window=3_400, token_ratio=1.0)
    assert desk.start(means).stop == "completed"
    found = [one for one in desk.of(ContextCompacted) if one.how == "summary"]
    assert found
    assert all(one.problem for one in found)
    assert len(found) <= 3, "it is not tried again at every step"
    assert "clause 19" in shown(model.calls[-1])
    assert replayed_whole(desk)


def test_the_plan_stays(desk: Desk) -> None:
    steps = [{"text": "Read all clauses", "state": "doing"}, {"text": "Report"}]
    made = iter(range(1, 30))

    def turn(call: Call) -> Turn:
        if not call.tools:
            return Turn(text=SUMMARY)
        if len(call.messages) == 2:
            return calls(("plan", {"steps": steps}))
        n = next(made, None)
        done = Turn(text="Done.")
        return done if n is None else calls(("look", {"n": n}), text="thought " * 100)

    model = counted(turn)
    means = desk.means(model, tools=[tool(look), *controls("plan")], window=3_000, token_ratio=1.0)
    desk.start(means)
    assert "[doing] Read all clauses" in shown(model.calls[-1])
    assert [one.text for one in desk.state().plan] == ["Read all clauses", "Report"]


@pytest.mark.parametrize("tokens", [400, 4_000])
def test_the_ratio_of_tokens_is_learnt(desk: Desk, tokens: int) -> None:
    turns = [
        Turn(tool_calls=calls(("look", {"n": n})).tool_calls, tokens=Tokens(input=tokens, output=9))
        for n in range(3)
    ]
    desk.start(desk.means([*turns, Turn(text="Done.")], tools=[tool(look)]))
    assert 0.5 <= desk.loops[0].state.ratio <= 3.0
    assert desk.state().ratio == desk.loops[0].state.ratio
    assert len(desk.of(MessageCompleted)) == 4
