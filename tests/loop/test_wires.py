"""The loop over the real client libraries, for the three wire formats, on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from harness.adapters.model_langchain import LangChainModel
from harness.adapters.provider_retries import Retries
from harness.journal.events import MessageCompleted, ToolFinished
from harness.journal.parts import Limits
from harness.testing import Fault, ProviderServer, Reasoning, ToolCall, Turn
from tests.loop.desk import Desk, calls, tool

Connect = Callable[[Sequence[Turn]], tuple[ProviderServer, LangChainModel]]
THOUGHT = "They want clause four."
WIRES = ["chat", "responses", "anthropic"]


def look(n: int) -> str:
    """Look at a clause.

    Args:
        n: Its number.
    """
    return f"clause {n}: text"


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(wire: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    opened: list[ProviderServer] = []

    def make(turns: Sequence[Turn]) -> tuple[ProviderServer, LangChainModel]:
        server = ProviderServer(turns)
        server.__enter__()
        opened.append(server)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-0123456789")
        if wire == "anthropic":
            options = {"base_url": server.origin, "max_tokens": 900}
            name = "anthropic:claude-sonnet-4-6"
        else:
            name = "openai:gpt-5"
            options = {"base_url": server.openai_url, "use_responses_api": wire == "responses"}
            if wire == "responses":
                options |= {"include": ["reasoning.encrypted_content"], "store": False}
        model = LangChainModel(
            name, options=options, max_retries=1, retries=Retries(base=0.01, limit=0.02)
        )
        return server, model

    yield make
    for server in opened:
        server.__exit__(None, None, None)


def turns(wire: str) -> list[Turn]:
    reasoning = () if wire == "chat" else (Reasoning(text=THOUGHT, seal="c2VhbGVk"),)
    if wire == "anthropic":
        reasoning = (*reasoning, Reasoning(seal="cmVkYWN0ZWQ=", redacted=True))
    first = Turn(
        text="I look.",
        reasoning=reasoning,
        tool_calls=(
            ToolCall(name="look", arguments={"n": 4}, id="call_a"),
            ToolCall(name="look", arguments={"n": 5}, id="call_b"),
        ),
    )
    return [first, Turn(text="Clause 4 is there.")]


def test_a_run_with_tools(desk: Desk, connect: Connect, wire: str) -> None:
    server, model = connect(turns(wire))
    done = desk.start(desk.means(model, tools=[tool(look)]), model=model.name)
    assert done.problems == ()
    assert (done.stop, done.answer) == ("completed", "Clause 4 is there.")
    assert [one.text for one in desk.of(ToolFinished)] == ["clause 4: text", "clause 5: text"]
    assert done.usage.input_tokens > 0
    sent = json.dumps(server.requests[-1].body)
    assert "clause 4: text" in sent
    assert "clause 5: text" in sent


@pytest.mark.parametrize("killed", [False, True])
def test_reasoning_goes_back_as_it_came_and_nowhere_else(
    desk: Desk, connect: Connect, wire: str, killed: bool
) -> None:
    if wire == "chat":
        pytest.skip("this wire gives no reasoning back")
    given = turns(wire)
    server, model = connect(
        [*given[:1], Turn(fault=Fault(kind="unauthorized"))] if killed else given
    )
    done = desk.start(desk.means(model, tools=[tool(look)]), model=model.name)
    if killed:
        assert done.stop == "failed"
        server, model = connect(given[1:])
        done = desk.resume(desk.means(model, tools=[tool(look)]))
    assert done.stop == "completed"
    body = server.requests[-1].body
    if wire == "anthropic":
        blocks = next(one for one in body["messages"] if one["role"] == "assistant")["content"]
        assert [one["type"] for one in blocks] == [
            "thinking",
            "redacted_thinking",
            "text",
            "tool_use",
            "tool_use",
        ]
        assert blocks[0]["thinking"] == THOUGHT
        assert blocks[0]["signature"] == "c2VhbGVk"
        assert blocks[1]["data"] == "cmVkYWN0ZWQ="
    else:
        item = next(one for one in body["input"] if one.get("type") == "reasoning")
        assert item["encrypted_content"] == "c2VhbGVk"
    for event in desk.events():
        assert "c2VhbGVk" not in repr(event)
        if not (isinstance(event, MessageCompleted) and event.summary):
            assert THOUGHT not in repr(event)
    sealed = dict(desk.journal.reasoning_for("r1"))
    assert "c2VhbGVk" in json.dumps(sealed)
    assert desk.of(MessageCompleted)[0].reasoning


def test_another_provider_gets_text_and_calls_alone(
    desk: Desk, connect: Connect, wire: str
) -> None:
    from harness.testing import ScriptedModel

    server, model = connect([turns(wire)[0], *[Turn(fault=Fault(kind="server_error"))] * 2])
    other = ScriptedModel([Turn(text="Done.")], name="other:one")
    done = desk.start(desk.means(model, tools=[tool(look)], fallback=other), model=model.name)
    assert done.answer == "Done."
    said = next(one for one in other.calls[0].messages if one.type == "ai")
    assert said.content == "I look."
    assert [one["id"] for one in said.tool_calls] == ["call_a", "call_b"]
    assert server.requests


def test_broken_calls_can_be_sent_back(desk: Desk, connect: Connect, wire: str) -> None:
    broken = [
        Turn(tool_calls=(ToolCall(name="look", arguments='{"n": 4', id="call_a"),)),
        Turn(
            tool_calls=tuple(ToolCall(name="look", arguments={"n": n}, id="call_b") for n in (1, 2))
        ),
        calls(("no such tool", {"x": [1]}), text="Try."),
        Turn(text="Done."),
    ]
    server, model = connect(broken)
    done = desk.start(desk.means(model, tools=[tool(look)]), model=model.name)
    assert (done.stop, done.problems) == ("completed", ())
    assert sum(one.error for one in desk.of(ToolFinished)) == 3
    called, answered = sent_calls(wire, server.requests[-1].body)
    assert called == answered, "each call has one result, under the same id"
    assert len(set(called)) == len(called) == 4


def sent_calls(wire: str, body: dict[str, Any]) -> tuple[list[str], list[str]]:
    if wire == "responses":
        items = body["input"]
        made = [one["call_id"] for one in items if one.get("type") == "function_call"]
        return sorted(made), sorted(
            one["call_id"] for one in items if one.get("type") == "function_call_output"
        )
    messages = body["messages"]
    if wire == "chat":
        made = [call["id"] for one in messages for call in one.get("tool_calls") or ()]
        return sorted(made), sorted(
            one["tool_call_id"] for one in messages if one["role"] == "tool"
        )
    blocks = [
        block for one in messages if isinstance(one["content"], list) for block in one["content"]
    ]
    made = [one["id"] for one in blocks if one["type"] == "tool_use"]
    return sorted(made), sorted(
        one["tool_use_id"] for one in blocks if one["type"] == "tool_result"
    )


def test_a_budget_bounds_what_the_provider_may_write(
    desk: Desk, connect: Connect, wire: str
) -> None:
    server, model = connect([Turn(text="Short.")])
    means = desk.means(model, tools=[tool(look)])
    assert desk.start(means, model=model.name, limits=Limits(tokens=800)).answer == "Short."
    body = server.requests[0].body
    most = body.get("max_tokens") or body.get("max_completion_tokens") or body["max_output_tokens"]
    assert 256 <= most < 800


def test_a_picture_of_a_tool_goes_over_the_wire(desk: Desk, connect: Connect) -> None:
    shown = "iVBORw0KGgo="

    def see() -> list[str | dict[str, Any]]:
        """See the page."""
        return [{"type": "image", "base64": shown, "mime_type": "image/png"}]

    server, model = connect([calls(("see", {})), Turn(text="A stamp.")])
    assert model.takes_pictures
    assert desk.start(desk.means(model, tools=[tool(see)])).answer == "A stamp."
    body = server.requests[-1].body
    *_, said = body.get("messages") or body["input"]
    assert said["role"] == "user"
    assert shown in json.dumps(said)
