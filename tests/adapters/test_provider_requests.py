"""What goes over the wire: cache breakpoints and schemas, each provider's way."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool

from harness.testing import Fault, Turn

STABLE = "Rules of the house. " * 400
SCHEMA = {
    "title": "A verdict!",
    "type": "object",
    "properties": {"label": {"type": "string"}},
    "required": ["label"],
    "additionalProperties": False,
}
CLAUDE = ("anthropic:claude-sonnet-4-6", {})
GPT_56 = ("openai:gpt-5.6", {"use_responses_api": True})
GPT_56_CHAT = ("openai:gpt-5.6", {"use_responses_api": False})
GPT_4O = ("openai:gpt-4o-mini", {})
LOCAL = ("openai:some-local-model", {})


@tool
def look_up(term: str) -> str:
    """Look up a term."""
    return term


def packed(question: str, marks: int = 1) -> list:
    """Return what a context looks like: a stable stretch that ends in a mark, then a question."""
    blocks = [{"type": "text", "text": f"{n} {STABLE}", "cache": True} for n in range(marks)]
    return [
        SystemMessage(content=[*blocks, {"type": "text", "text": "The tail differs."}]),
        HumanMessage(content=[{"type": "text", "text": question}]),
    ]


def marks_in(body: dict, key: str) -> list[str]:
    """Return the texts of the blocks that carry a breakpoint."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            if key in node:
                found.append(node.get("text", ""))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(body)
    return found


@pytest.mark.parametrize("wire", [CLAUDE, GPT_56, GPT_56_CHAT, GPT_4O, LOCAL])
def test_our_own_mark_is_never_sent(say, wire):
    body = say(wire, [Turn(text="a")], messages=packed("?")).requests[0].body
    assert '"cache"' not in json.dumps(body)
    assert STABLE.strip() in json.dumps(body)
    assert "The tail differs." in json.dumps(body)


def test_anthropic_gets_cache_control(say):
    body = say(CLAUDE, [Turn(text="a")], messages=packed("?")).requests[0].body
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert len(marks_in(body, "cache_control")) == 1


@pytest.mark.parametrize("wire", [GPT_56, GPT_56_CHAT])
def test_new_openai_models_get_breakpoints(say, wire):
    body = say(wire, [Turn(text="a")], messages=packed("?")).requests[0].body
    assert marks_in(body, "prompt_cache_breakpoint") == [f"0 {STABLE}"]
    assert "prompt_cache_key" not in body


def test_older_openai_models_get_a_key_that_is_stable(say):
    bodies = [
        say(GPT_4O, [Turn(text="a")], messages=packed(question)).requests[0].body
        for question in ("one", "two")
    ]
    assert bodies[0]["prompt_cache_key"] == bodies[1]["prompt_cache_key"]
    other = packed("one")
    other[0].content[0]["text"] = "Other rules."
    changed = say(GPT_4O, [Turn(text="a")], messages=other).requests[0].body
    assert changed["prompt_cache_key"] != bodies[0]["prompt_cache_key"]
    # Plain text needs no blocks, and some servers take none.
    assert bodies[0]["messages"][0]["content"] == f"0 {STABLE}The tail differs."
    own = {"model_kwargs": {"prompt_cache_key": "mine"}}
    kept = say(GPT_4O, [Turn(text="a")], messages=packed("?"), options=own).requests[0].body
    assert kept["prompt_cache_key"] == "mine"


def test_unknown_models_and_unmarked_messages_get_no_key(say):
    assert (
        "prompt_cache_key"
        not in say(LOCAL, [Turn(text="a")], messages=packed("?")).requests[0].body
    )
    assert "prompt_cache_key" not in say(GPT_4O, [Turn(text="a")]).requests[0].body


@pytest.mark.parametrize(
    ("wire", "key", "most"),
    [(CLAUDE, "cache_control", 4), (GPT_56, "prompt_cache_breakpoint", 3)],
)
def test_the_last_marks_stay_where_there_are_too_many(say, wire, key, most):
    body = say(wire, [Turn(text="a")], messages=packed("?", marks=6)).requests[0].body
    assert marks_in(body, key) == [f"{n} {STABLE}" for n in range(6 - most, 6)]


def test_a_blank_block_gets_no_breakpoint(say):
    messages = [
        SystemMessage(content=[{"type": "text", "text": "Rules."}]),
        HumanMessage(
            content=[
                {"type": "text", "text": "a", "cache": False},
                {"type": "text", "text": " \n", "cache": True},
                {"type": "text", "text": "b"},
            ]
        ),
    ]
    body = say(CLAUDE, [Turn(text="a")], messages=messages).requests[0].body
    assert marks_in(body, "cache_control") == []


@pytest.mark.parametrize("wire", [CLAUDE, GPT_56, GPT_4O])
def test_the_stable_stretch_is_read_from_the_providers_cache(say, wire):
    """Over one server, as its cache lives there."""
    import asyncio

    from harness.adapters.model_langchain import LangChainModel
    from harness.testing import ProviderServer

    async def run(base: dict) -> list:
        name, options = wire
        model = LangChainModel(name, options={**options, **base}, max_retries=0)
        usages = []
        for question in ("What is a lien?", "And estoppel?", "And tort?"):
            async for piece in model.stream(packed(question)):
                last = piece
            usages.append(last.usage)
        await model.aclose()
        return usages

    with ProviderServer(lambda _: Turn(text="a")) as server:
        anthropic = wire is CLAUDE
        base = {"base_url": server.origin if anthropic else server.openai_url, "api_key": "k" * 8}
        first, *others = asyncio.run(run(base))
    assert first.cached_input_tokens == 0
    for usage in others:
        assert usage.cached_input_tokens / usage.input_tokens > 0.9
        assert usage.cost_usd < first.cost_usd


@pytest.mark.parametrize("tools", [[], [look_up]])
def test_a_schema_goes_with_the_request(say, wire, tools):
    said = say(wire, [Turn(text='{"label": "a"}')], schema=SCHEMA, tools=tools)
    assert said.shown == '{"label": "a"}'
    body = said.requests[0].body
    if wire[0].startswith("anthropic"):
        assert body["output_config"]["format"]["schema"]["properties"] == SCHEMA["properties"]
    elif "use_responses_api" in wire[1]:
        assert body["text"]["format"]["strict"] is True
        assert body["text"]["format"]["schema"] == SCHEMA
    else:
        form = body["response_format"]["json_schema"]
        assert (form["name"], form["strict"], form["schema"]) == ("A_verdict_", True, SCHEMA)


def test_an_open_schema_is_not_strict(say):
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}
    body = say(GPT_4O, [Turn(text="{}")], schema=schema).requests[0].body
    assert body["response_format"]["json_schema"]["strict"] is False


def test_a_root_that_is_no_object_goes_by_the_prompt_alone(say, wire):
    said = say(wire, [Turn(text="[1]")], schema={"type": "array"})
    assert said.reply.text == "[1]"
    assert not {"response_format", "text", "output_config"} & said.requests[0].body.keys()


def test_a_model_without_structured_output_is_not_sent_a_schema(say):
    older = ("anthropic:claude-unknown", {})
    assert "output_config" not in say(older, [Turn(text="{}")], schema=SCHEMA).requests[0].body


def test_a_truncated_json_answer_is_still_an_answer(say, wire):
    said = say(wire, [Turn(text='{"label": "a', stop="length")], schema=SCHEMA)
    assert said.reply.text == '{"label": "a'


def test_a_server_that_refuses_the_schema_is_asked_without(say):
    refusal = Fault(kind="refused", message="Unsupported parameter: 'response_format'")
    said = say(LOCAL, [Turn(fault=refusal), Turn(text='{"label": "a"}')], schema=SCHEMA)
    assert said.reply.text == '{"label": "a"}'
    assert "response_format" in said.requests[0].body
    assert "response_format" not in said.requests[1].body
    assert said.waits == []


def test_options_of_the_same_field_are_kept(say):
    extra = {"extra_body": {"top_k": 5}}
    body = say(LOCAL, [Turn(text="{}")], schema=SCHEMA, options=extra).requests[0].body
    assert body["top_k"] == 5
    assert "response_format" in body
    verbose = {"use_responses_api": True, "verbosity": "low"}
    body = say(("openai:gpt-5", verbose), [Turn(text="{}")], schema=SCHEMA).requests[0].body
    assert body["text"]["verbosity"] == "low"
    assert body["text"]["format"]["schema"] == SCHEMA


def test_messages_given_are_left_as_they_were(say):
    messages = [*packed("?"), AIMessage("a"), HumanMessage("b")]
    before = [message.model_copy(deep=True) for message in messages]
    say(CLAUDE, [Turn(text="a")], messages=messages)
    assert messages == before
