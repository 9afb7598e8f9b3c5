"""The main path: an answer, a tool, what is in the journal, and what the model is shown."""

from __future__ import annotations

from langchain_core.messages import AIMessage, ToolMessage

from harness.journal.events import MessageCompleted, ToolFinished
from harness.testing import ScriptedModel, Turn, WordCounter
from harness.values import Delta
from tests.loop.desk import Desk, calls, controls, tool


def test_answer_without_tools(desk: Desk) -> None:
    done = desk.start(desk.means([Turn(text="Nothing is missing.")]))
    assert (done.stop, done.answer, done.steps) == ("completed", "Nothing is missing.", 1)
    assert desk.types() == [
        "run.started",
        "context.packed",
        "model.requested",
        "message.completed",
        "run.finished",
    ]
    assert "".join(one.text for one in desk.seen if isinstance(one, Delta)) == "Nothing is missing."
    assert desk.journal.verify("r1").clean


def test_a_tool_is_called_and_its_result_shown(desk: Desk) -> None:
    def look(clause: int) -> str:
        """Look at a clause."""
        return f"clause {clause}: text"

    model = ScriptedModel([calls(("look", {"clause": 4}), text="I look."), Turn(text="Done.")])
    done = desk.start(desk.means(model, tools=[tool(look)]))
    assert done.answer == "Done."
    assert desk.types()[2:] == [
        "model.requested",
        "message.completed",
        "tool.requested",
        "tool.started",
        "tool.finished",
        "model.requested",
        "message.completed",
        "run.finished",
    ]
    shown = model.calls[-1].messages
    assert isinstance(shown[-2], AIMessage)
    assert isinstance(shown[-1], ToolMessage)
    assert shown[-1].content == "clause 4: text"
    assert shown[-1].tool_call_id == shown[-2].tool_calls[0]["id"]


def test_finish_hands_in(desk: Desk) -> None:
    means = desk.means([calls(("finish", {"answer": "All is there."}))], tools=controls("finish"))
    done = desk.start(means)
    assert (done.stop, done.answer) == ("completed", "All is there.")


def test_state_read_back_is_the_state_at_work(desk: Desk) -> None:
    def look(clause: int) -> str:
        """Look at a clause."""
        return f"clause {clause}: text"

    turns = [calls(("look", {"clause": n}), ("look", {"clause": -n})) for n in range(5)]
    desk.start(desk.means([*turns, Turn(text="Done.")], tools=[tool(look)]))
    live, read = desk.loops[0].state, desk.state()
    assert read.conversation.sha256() == live.conversation.sha256()
    assert read.conversation.tokens == live.conversation.tokens
    assert read.spent == live.spent
    assert (read.step, read.seq, read.ratio) == (live.step, live.seq, live.ratio)
    assert len(desk.of(MessageCompleted)) == 6
    assert [one.text for one in desk.of(ToolFinished)][:2] == ["clause 0: text", "clause 0: text"]
    assert WordCounter().count("a b") == 2
