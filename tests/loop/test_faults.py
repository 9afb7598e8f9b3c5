"""Whatever a model or a tool does, the run ends in words, or goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import anyio
import pytest
from langchain_core.tools import BaseTool, StructuredTool, ToolException

from harness.errors import RateLimited
from harness.journal.commands import Cancel
from harness.journal.events import (
    ContextCompacted,
    MessageCompleted,
    ModelRequested,
    ToolFinished,
    ToolRequested,
    ToolStarted,
)
from harness.journal.masking import Masker
from harness.loop import replay
from harness.testing import Call, Fault, ScriptedModel, ToolCall, Turn, WordCounter
from tests.loop.desk import Desk, calls, tool

DONE = Turn(text="Done.")


def only(desk: Desk) -> ToolFinished:
    (found,) = desk.of(ToolFinished)
    assert isinstance(found, ToolFinished)
    return found


def replayed_whole(desk: Desk) -> bool:
    found = anyio.run(replay, desk.journal, "r1", WordCounter())
    assert found.difference is None
    return bool(found.complete)


def fail(n: int = 0) -> str:
    """Fail."""
    raise ValueError("no such clause: 17")


def leave() -> str:
    """Leave."""
    raise SystemExit(3)


async def afail() -> str:
    """Fail."""
    raise ToolException("said politely")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (tool(fail), "ValueError: no such clause: 17"),
        (tool(leave), "SystemExit"),
        (tool(afail), "said politely"),
    ],
)
def test_a_tools_exception_goes_to_the_model(desk: Desk, made: BaseTool, said: str) -> None:
    done = desk.start(desk.means([calls((made.name, {})), DONE], tools=[made]))
    assert done.stop == "completed"
    assert said in only(desk).text
    assert (only(desk).error, only(desk).outcome) == (True, "failed")
    assert replayed_whole(desk)


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (calls(("nothing", {})), "There is no tool `nothing`. There are: `fail`."),
        (calls(("fail", '{"n": 1')), "no JSON object"),
        (calls(("fail", "[1]")), "no JSON object"),
        (calls(("fail", {"m": 1})), "has no argument `m`"),
        (calls(("fail", {"n": "x"})), "integer"),
        (calls(("", {})), "There is no tool `unnamed`"),
    ],
)
def test_broken_calls_become_results_to_act_on(desk: Desk, turn: Turn, said: str) -> None:
    model = ScriptedModel([turn, DONE])
    done = desk.start(desk.means(model, tools=[tool(fail)]))
    assert done.stop == "completed"
    assert said in only(desk).text
    assert only(desk).outcome == "invalid"
    assert not desk.of(ToolStarted)
    shown = model.calls[-1].messages
    assert shown[-1].type == "tool"
    assert replayed_whole(desk)


def test_the_same_id_twice(desk: Desk) -> None:
    def look(n: int) -> str:
        """Look."""
        return f"seen {n}"

    twice = Turn(
        tool_calls=tuple(ToolCall(name="look", arguments={"n": n}, id="x") for n in (1, 2))
    )
    model = ScriptedModel([twice, DONE])
    desk.start(desk.means(model, tools=[tool(look)]))
    assert [one.outcome for one in desk.of(ToolFinished)] == ["invalid", "done"]
    shown = model.calls[-1].messages
    assert [one["id"] for one in shown[-3].tool_calls] == ["x", "x_2"]
    assert {one.tool_call_id: one.status for one in shown[-2:]} == {"x": "success", "x_2": "error"}
    assert replayed_whole(desk)


def test_a_tool_that_never_returns(desk: Desk) -> None:
    def hang() -> str:
        """Hang."""
        time.sleep(30)
        return ""

    async def ahang() -> str:
        """Hang, and take no notice of being cancelled."""
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)
        return ""

    tools = [tool(hang, timeout=0.2), tool(ahang, timeout=0.2, effect="draft")]
    begun = time.monotonic()
    done = desk.start(desk.means([calls(("hang", {}), ("ahang", {})), DONE], tools=tools))
    assert done.stop == "completed"
    assert time.monotonic() - begun < 10
    assert [one.outcome for one in desk.of(ToolFinished)] == ["timeout", "timeout"]


def test_a_long_output_is_spilled(desk: Desk) -> None:
    text = "\n".join(f"line {n} of the long report" for n in range(20_000))

    def report() -> str:
        """Report."""
        return text

    workspace = desk.workspace()
    model = ScriptedModel([calls(("report", {})), DONE])
    means = desk.means(model, tools=[tool(report)], workspace=workspace)
    desk.start(means)
    found = only(desk)
    assert found.text.startswith("line 0 of")
    assert found.text.endswith("line 19999 of the long report")
    assert "cut out here" in found.text
    assert len(found.text) < 20_000
    assert found.full is not None
    assert desk.journal.blob("r1", found.full).decode() == text
    assert workspace.read("spilled/1.1.txt").decode() == text
    assert not [one for one in desk.types() if one == "file.changed"]
    assert replayed_whole(desk)


def test_a_hundred_megabytes_are_bounded(desk: Desk) -> None:
    def flood() -> str:
        """Flood."""
        return "x" * 100_000_000

    desk.start(desk.means([calls(("flood", {})), DONE], tools=[tool(flood)]))
    found = only(desk)
    assert len(found.text) < 20_000
    assert "100,000,000 characters" in found.text
    assert found.full is not None
    assert found.full.bytes <= 20_000_000


def test_artifacts_and_blocks(desk: Desk) -> None:
    def table() -> tuple[str, Any]:
        """Give a table."""
        return "a table", {"rows": [1, 2]}

    def blocks() -> list[dict[str, Any]]:
        """Give blocks."""
        return [{"type": "text", "text": "words"}, {"type": "image", "base64": "AAAA"}]

    def big() -> tuple[str, Any]:
        """Give much."""
        return "much", "x" * 1_000_000

    def rows() -> dict[str, int]:
        """Give JSON."""
        return {"a": 1}

    kinds = {"response_format": "content_and_artifact", "metadata": {"effect": "read"}}
    tools = [
        StructuredTool.from_function(table, **kinds),
        StructuredTool.from_function(big, **kinds),
        tool(blocks),
        tool(rows),
    ]
    turn = calls(("table", {}), ("big", {}), ("blocks", {}), ("rows", {}))
    desk.start(desk.means([turn, DONE], tools=tools))
    found = desk.of(ToolFinished)
    assert found[0].artifact == {"rows": [1, 2]}
    assert found[1].artifact == {"dropped": "1,000,002 characters"}
    assert found[2].text == "words\n[image, not shown]"
    assert json.loads(found[3].text) == {"a": 1}


def test_an_empty_message_is_asked_again_once(desk: Desk) -> None:
    assert desk.start(desk.means([Turn(), DONE])).answer == "Done."
    done = desk.start(desk.means([Turn(), Turn()]), "r2")
    assert (done.stop, done.answer) == ("failed", "")
    assert "nothing" in done.problems[0]
    assert replayed_whole(desk)
    unseen = Turn(text="\u200b\ufeff")  # what no one can see is no answer
    assert desk.start(desk.means([unseen, DONE]), "r3").answer == "Done."
    assert desk.start(desk.means([unseen, unseen]), "r4").stop == "failed"


def test_a_message_that_is_cut_off_is_said_again(desk: Desk) -> None:
    model = ScriptedModel([Turn(text="The cla", stop="length"), DONE])
    assert desk.start(desk.means(model)).answer == "Done."
    assert "cut off" in model.calls[-1].messages[-1].content


def test_a_models_error_ends_in_its_words(desk: Desk) -> None:
    model = ScriptedModel([Turn(fault=Fault(kind="rate_limited", message="Slow down."))])
    done = desk.start(desk.means(model))
    assert (done.stop, done.answer) == ("failed", "")
    assert "Slow down." in done.problems[0]
    assert isinstance(desk.loops[0].error, RateLimited)
    assert replayed_whole(desk)
    assert desk.resume(desk.means([DONE])).stop == "completed"
    assert replayed_whole(desk)


def test_a_models_own_bug_ends_in_words_too(desk: Desk) -> None:
    def broken(call: Call) -> Turn:
        raise KeyError("choices")

    done = desk.start(desk.means(ScriptedModel(broken)))
    assert done.stop == "failed"
    assert "KeyError" in done.problems[0]


def test_the_fallback_goes_on(desk: Desk) -> None:
    def look() -> str:
        """Look."""
        return "seen"

    first = ScriptedModel(
        [calls(("look", {})), Turn(text="Ha", fault=Fault(kind="cut_text"))], name="a:one"
    )
    second = ScriptedModel([DONE], name="b:two")
    means = desk.means(first, fallback=second, tools=[tool(look)])
    done = desk.start(means, model="a:one")
    assert done.answer == "Done."
    assert [one.model for one in desk.of(ModelRequested)] == ["a:one", "a:one", "b:two"]
    assert second.calls[0].messages[-1].content == "seen"
    assert any(getattr(one, "restart", False) for one in desk.seen)
    assert replayed_whole(desk)


def test_going_in_circles_is_warned_about_and_ended(desk: Desk) -> None:
    made = []

    def look(n: int) -> str:
        """Look."""
        made.append(n)
        return "seen"

    model = ScriptedModel(lambda call: calls(("look", {"n": 1})))
    done = desk.start(desk.means(model, tools=[tool(look)]))
    assert done.stop == "loop"
    assert len(made) == 4
    assert "same call" in model.calls[3].messages[-1].content
    assert "same call" not in str(model.calls[2].messages[-1].content)
    assert replayed_whole(desk)


def test_work_between_two_checks_is_no_circle(desk: Desk) -> None:
    def check() -> str:
        """Check."""
        return "not yet"

    def write(n: int) -> str:
        """Write."""
        return "written"

    def turn(call: Call) -> Turn:
        step = len(call.messages) // 2
        if step > 12:
            return DONE
        return calls(("check", {})) if step % 2 else calls(("write", {"n": step}))

    tools = [tool(check), tool(write, effect="draft")]
    assert desk.start(desk.means(ScriptedModel(turn), tools=tools)).stop == "completed"


def test_cancelled_in_the_middle_of_a_call(desk: Desk) -> None:
    async def slow() -> str:
        """Take long."""
        desk.journal.send("r1", Cancel())
        await anyio.sleep(30)
        return ""

    assert desk.start(desk.means([calls(("slow", {}))], tools=[tool(slow)])).stop == "cancelled"
    assert replayed_whole(desk)
    done = desk.resume(desk.means([DONE], tools=[tool(afail, name="slow")]))
    assert done.stop == "completed", "it can be taken up again"


def test_cancelled_in_the_middle_of_a_message(desk: Desk) -> None:
    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(desk.astart, desk.means([Turn(text="x", delay=30)]))
            await anyio.sleep(0.3)
            desk.journal.send("r1", Cancel())

    anyio.run(both)
    finished = desk.state().finished
    assert finished is not None
    assert finished.stop == "cancelled"
    assert finished.usage.input_tokens > 0, "what was under way counts as spent"
    assert replayed_whole(desk)


def test_what_changes_the_world_is_not_cut_short(desk: Desk) -> None:
    made = []

    async def send() -> str:
        """Send."""
        desk.journal.send("r1", Cancel())
        await anyio.sleep(0.4)
        made.append(1)
        return "sent"

    turns = [calls(("send", {}), ("send", {}))]
    done = desk.start(desk.means(turns, tools=[tool(send, effect="draft")]))
    assert done.stop in ("cancelled", "completed")
    assert only(desk).text == "sent" if len(made) == 1 else made == [1, 1]


def test_secrets_never_reach_model_or_journal(desk: Desk) -> None:
    from harness.adapters.journal_sql import SqlJournal

    secret = "sk-canary-0123456789"
    masker = Masker({"CANARY_KEY": secret})
    desk.journal.close()
    desk.journal = SqlJournal(desk.folder / "s2", desk.folder / "k2", masker=masker)

    def env(what: str) -> str:
        """Print."""
        return f"KEY={secret}"

    model = ScriptedModel([calls(("env", {"what": secret}), text=f"I use {secret}."), DONE])
    goal = f"Use {secret}."
    desk.start(desk.means(model, tools=[tool(env)], mask=masker.text), goal=goal)
    shown = " ".join(str(one.content) for call in model.calls for one in call.messages)
    assert "Use [secret:CANARY_KEY]." in shown
    assert secret not in shown
    assert "[secret:CANARY_KEY]" in shown
    recorded = " ".join(map(repr, desk.events()))
    assert secret not in recorded
    assert desk.of(ToolRequested)[0].arguments == {"what": "[secret:CANARY_KEY]"}


def test_too_long_for_the_provider_is_compacted_and_tried_once_more(desk: Desk) -> None:
    def look(n: int) -> str:
        """Look."""
        return f"word {n} " * 200

    def turn(call: Call) -> Turn:
        size = sum(len(str(one.content).split()) for one in call.messages)
        if not call.tools:
            return Turn(text="Remember: 17 clauses were read.")
        if size > 4_000:
            return Turn(fault=Fault(kind="context_too_long"))
        return DONE if desk.of(ContextCompacted) else calls(("look", {"n": size}))

    model = ScriptedModel(turn)
    done = desk.start(desk.means(model, tools=[tool(look)]))
    assert done.stop == "completed"
    assert len(desk.of(ContextCompacted)) == 1
    assert [one.purpose for one in desk.of(MessageCompleted)].count("compact") >= 1
    assert replayed_whole(desk)


def test_too_long_from_the_start_fails_in_words(desk: Desk) -> None:
    model = ScriptedModel(lambda call: Turn(fault=Fault(kind="context_too_long")))
    done = desk.start(desk.means(model))
    assert done.stop == "failed"
    assert "too long" in done.problems[0].lower() or "context" in done.problems[0].lower()
