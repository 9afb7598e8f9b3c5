from __future__ import annotations

import asyncio
import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from harness.adapters.model_langchain import LangChainModel
from harness.errors import BadResponse, RequestRefused
from harness.testing import ProviderServer, Reasoning, Tokens, ToolCall, Turn
from harness.values import Reply


@tool
def look_up(term: str) -> str:
    """Look up a term."""
    return term


def test_an_answer_streams_and_adds_up(say, wire):
    text = "Grüße aus Zürich — a claim of 1.10 €, not 12:30. " * 4
    said = say(wire, [Turn(text=text, tokens=Tokens(input=1200, cached=1024, output=40))])
    assert len(said.deltas) > 2
    assert said.shown == said.reply.text == said.reply.message.text == text
    assert said.reply.model == wire[0].partition(":")[2]
    assert said.reply.usage.input_tokens == 1200
    assert said.reply.usage.cached_input_tokens == 1024
    assert said.reply.usage.output_tokens == 40
    assert said.reply.usage.cost_usd > 0
    assert said.requests[0].body["stream"] is True


def test_tool_calls_come_whole(say, wire):
    calls = (
        ToolCall(name="look_up", arguments={"term": "lien"}, id="call_a"),
        ToolCall(name="look_up", arguments={"term": "estoppel"}, id="call_b"),
    )
    said = say(wire, [Turn(text="Let me see.", tool_calls=calls)], tools=[look_up])
    assert [(call["id"], call["args"]) for call in said.reply.message.tool_calls] == [
        ("call_a", {"term": "lien"}),
        ("call_b", {"term": "estoppel"}),
    ]
    assert said.reply.text == "Let me see."
    assert "look_up" in json.dumps(said.requests[0].body["tools"])


@pytest.mark.parametrize("broken", ['{"term": "li', "[1, 2]", '{"term": lien}', '"lien"'])
def test_malformed_arguments_are_no_call(say, wire, broken):
    calls = (
        ToolCall(name="look_up", arguments={"term": "lien"}, id="good"),
        ToolCall(name="look_up", arguments=broken, id="bad"),
    )
    said = say(wire, lambda _: Turn(tool_calls=calls), tools=[look_up])
    if "use_responses_api" in wire[1] and broken in ("[1, 2]", '"lien"'):
        # LangChain's client itself breaks on arguments that are JSON but no object.
        assert type(said.error) is BadResponse
        return
    message = said.reply.message
    assert [call["id"] for call in message.tool_calls] == ["good"]
    assert [(call["id"], call["args"]) for call in message.invalid_tool_calls] == [("bad", broken)]


def test_a_call_without_arguments_is_one(say, wire):
    message = say(wire, [Turn(tool_calls=(ToolCall(name="now"),))], tools=[look_up]).reply.message
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("now", {})]


def test_duplicate_call_ids_come_through(say, wire):
    calls = (ToolCall(name="look_up", id="same"), ToolCall(name="look_up", id="same"))
    message = say(wire, [Turn(tool_calls=calls)], tools=[look_up]).reply.message
    assert [call["id"] for call in message.tool_calls] == ["same", "same"]


@pytest.mark.parametrize(
    ("wire", "thinking"),
    [
        (("openai:gpt-5", {"use_responses_api": True}), {}),
        (("anthropic:claude-sonnet-4-6", {}), {"thinking": {"type": "adaptive"}}),
    ],
    ids=["responses", "messages"],
)
def test_reasoning_is_sealed_and_goes_back(say, wire, thinking):
    """Neither text nor deltas hold it; the provider gets it back as it sent it."""
    turn = Turn(
        text="Seven.",
        reasoning=(Reasoning(text="secret plan", seal="c2VhbGVk"),),
        tool_calls=(ToolCall(name="look_up", arguments={"term": "x"}, id="call_1"),),
    )
    first = say(wire, [turn], tools=[look_up], options=thinking)
    blocks = first.reply.message.content_blocks
    assert [block["type"] for block in blocks if block["type"] == "reasoning"] == ["reasoning"]
    assert "secret plan" in json.dumps(blocks)
    assert "secret" not in first.reply.text + first.shown

    history = [HumanMessage("hello"), first.reply.message, ToolMessage("y", tool_call_id="call_1")]
    second = say(wire, [Turn(text="ok")], tools=[look_up], options=thinking, messages=history)
    assert "c2VhbGVk" in json.dumps(second.requests[0].body)
    assert "secret plan" in json.dumps(second.requests[0].body)


def test_redacted_thinking_goes_back(say):
    wire = ("anthropic:claude-sonnet-4-6", {"thinking": {"type": "adaptive"}})
    turn = Turn(text="Seven.", reasoning=(Reasoning(seal="b3BhcXVl", redacted=True),))
    first = say(wire, [turn])
    assert first.reply.text == "Seven."
    history = [HumanMessage("hello"), first.reply.message, HumanMessage("and?")]
    sent = say(wire, [Turn(text="ok")], messages=history).requests[0].body
    assert {"type": "redacted_thinking", "data": "b3BhcXVl"} in sent["messages"][1]["content"]


def test_inline_reasoning_is_kept_back(say):
    wire = ("openai:some-local-model", {})
    said = say(wire, [Turn(text="<think>secret\nplan</think>\n\nSeven.")])
    assert said.reply.text == said.shown == "Seven."


def test_text_that_only_looks_like_reasoning_is_shown(say, wire):
    for text in ("<thinker> is a tag.", "<", "a <think>b</think> c", "<thin"):
        said = say(wire, [Turn(text=text)])
        assert said.reply.text == said.shown == text


def test_stop_at_the_output_limit_is_said(say, wire):
    said = say(wire, [Turn(text="It is a long", stop="length")])
    assert said.reply.text == "It is a long"
    assert said.reply.stop in ("length", "max_tokens", "max_output_tokens")
    other = say(wire, [Turn(text="It is done.")])
    assert other.reply.stop in ("stop", "end_turn", "completed")


def test_no_word_before_the_output_limit_is_an_error_that_says_so(say, wire):
    said = say(wire, [Turn(stop="length")])
    assert isinstance(said.error, BadResponse)
    assert "max_tokens" in str(said.error)
    assert len(said.requests) == 1


def test_a_filtered_answer_is_a_refusal(say, wire):
    said = say(wire, [Turn(stop="filter")])
    assert isinstance(said.error, RequestRefused)
    assert "declined" in str(said.error)
    assert len(said.requests) == 1


def test_options_reach_the_client_as_they_are(say):
    chat = say(("openai:gpt-4o-mini", {}), [Turn(text="a")], options={"temperature": 0.25})
    assert chat.requests[0].body["temperature"] == 0.25
    assert chat.requests[0].path == "/v1/chat/completions"
    reasoning = {"reasoning": {"effort": "low"}, "max_tokens": 99}
    responses = say(("openai:gpt-5", {}), [Turn(text="a")], options=reasoning)
    assert responses.requests[0].path == "/v1/responses"
    assert responses.requests[0].body["reasoning"] == {"effort": "low"}
    assert responses.requests[0].body["max_output_tokens"] == 99
    thinking = {"type": "enabled", "budget_tokens": 2000}
    messages = say(
        ("anthropic:claude-sonnet-4-6", {}),
        [Turn(text="a")],
        options={"thinking": thinking, "max_tokens": 5000},
    )
    assert messages.requests[0].body["thinking"] == thinking
    assert messages.requests[0].body["max_tokens"] == 5000


def test_keys_come_from_the_environment(say, wire):
    headers = say(wire, [Turn(text="a")]).requests[0].headers
    key = "sk-test-0123456789abcdef"
    assert key in (
        headers.get("x-api-key"),
        headers.get("authorization", "").removeprefix("Bearer "),
    )


def test_a_base_url_option_wins_over_the_environment(say):
    with ProviderServer([Turn(text="the other")]) as other:
        said = say(("openai:m", {}), [], options={"base_url": other.openai_url})
        assert said.reply.text == "the other"


def test_usage_is_asked_for_behind_a_base_url(say):
    """OpenAI's client leaves it off there, and a run would seem free."""
    said = say(("openai:gpt-4o-mini", {}), [Turn(text="a")])
    assert said.requests[0].body["stream_options"] == {"include_usage": True}
    assert said.reply.usage.input_tokens > 0


def test_unknown_cost_is_none(say):
    usage = say(("openai:some-local-model", {}), [Turn(text="a")]).reply.usage
    assert usage.cost_usd is None
    assert usage.output_tokens > 0
    quiet = say(
        ("openai:gpt-4o-mini", {}), [Turn(text="a")], options={"stream_usage": False}
    ).reply.usage
    assert quiet.cost_usd is None


def test_cached_tokens_cost_less(say):
    def cost(cached: int):
        tokens = Tokens(input=100_000, cached=cached, output=10)
        return say(("openai:gpt-4o-mini", {}), [Turn(text="a", tokens=tokens)]).reply.usage.cost_usd

    assert 0 < cost(90_000) < cost(0)


def test_context_window_needs_no_key(environment):
    environment({})
    assert LangChainModel("openai:gpt-4o-mini").context_window == 128_000
    assert LangChainModel("anthropic:claude-sonnet-4-6").context_window >= 200_000
    assert LangChainModel("openai:some-local-model").context_window is None
    assert LangChainModel("nosuch:model").context_window is None
    own = LangChainModel("openai:mine", options={"profile": {"max_input_tokens": 8192}})
    assert own.context_window == 8192


def test_a_hundred_calls_in_one_loop(environment, wire):
    name, options = wire

    async def run(model: LangChainModel) -> list[str]:
        async def one(number: int) -> str:
            last = [piece async for piece in model.stream([HumanMessage(f"say {number}")])][-1]
            assert isinstance(last, Reply)
            return last.text

        in_a_row = [await one(number) for number in range(80)]
        at_once = await asyncio.gather(*(one(number) for number in range(80, 100)))
        await model.aclose()
        return [*in_a_row, *at_once]

    def answer(request):
        sent = json.dumps(request.body)
        return Turn(text=sent[sent.index("say ") :].split('"')[0].replace("say", "said"))

    with ProviderServer(answer) as server:
        environment(server.env())
        texts = asyncio.run(run(LangChainModel(name, options=options, max_retries=0)))
    assert texts == [f"said {number}" for number in range(100)]


def test_one_model_survives_many_event_loops(environment, wire):
    """A pool shared between loops would be handed connections of a dead one."""
    name, options = wire

    async def once(model: LangChainModel) -> str:
        last = [piece async for piece in model.stream([HumanMessage("hello")])][-1]
        # Closing in the same loop, as a pool left open warns when it is collected.
        await model.aclose()
        assert isinstance(last, Reply)
        return last.text

    with ProviderServer(lambda _: Turn(text="hi")) as server:
        environment(server.env())
        model = LangChainModel(name, options=options, max_retries=0)
        other = LangChainModel(name, options=options, max_retries=0)
        for _ in range(3):
            assert asyncio.run(once(model)) == asyncio.run(once(other)) == "hi"


def test_a_reader_that_stops_early_leaves_nothing_open(environment, wire):
    name, options = wire

    async def run() -> str:
        model = LangChainModel(name, options=options, max_retries=0)
        stream = model.stream([HumanMessage("hello")])
        first = await anext(stream)
        await stream.aclose()
        rest = [piece async for piece in model.stream([HumanMessage("hello")])]
        await model.aclose()
        return first.text + rest[-1].text

    with ProviderServer(lambda _: Turn(text="hello there")) as server:
        environment(server.env())
        assert asyncio.run(run()).endswith("hello there")


def test_the_conversation_goes_out_in_order(say, wire):
    history = [
        SystemMessage("Be brief."),
        HumanMessage("What is a lien?"),
        AIMessage("A claim on property."),
        HumanMessage("And estoppel?"),
    ]
    body = json.dumps(say(wire, [Turn(text="a")], messages=history).requests[0].body)
    places = [body.index(str(message.content)) for message in history[1:]]
    assert places == sorted(places)
    assert "Be brief." in body
