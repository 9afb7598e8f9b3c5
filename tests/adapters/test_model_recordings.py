"""What real providers sent comes out right, through the real client libraries.

Recorded streams are played byte for byte. Answers recorded without streaming are cut into that
format's events by `harness.testing`, as every call of ours streams; the same bodies are also
served whole to LangChain's clients, below our adapter, and must give the same message.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.messages import HumanMessage

from harness.testing import ProviderServer, Recorded, load_recording

RECORDINGS = Path(__file__).parents[1] / "recordings"
FILES = sorted(file.stem for file in RECORDINGS.glob("*.json"))
TOOL = {
    "type": "function",
    "function": {"name": "look_up", "description": "", "parameters": {"type": "object"}},
}


def exchanges() -> list:
    return [
        pytest.param(exchange, id=f"{stem}-{number}")
        for stem in FILES
        for number, exchange in enumerate(load_recording(RECORDINGS / f"{stem}.json"), 1)
    ]


def setting(exchange: Recorded) -> tuple[str, dict]:
    """Return the model's name and the options that the recorded request was made with."""
    body = exchange.request
    if exchange.path.endswith("/messages"):
        options = {key: body[key] for key in ("thinking", "max_tokens") if key in body}
        return "anthropic:claude-sonnet-4-6", options
    if exchange.path.endswith("/responses"):
        keys = [key for key in ("reasoning", "include") if key in body]
        return f"openai:{body['model']}", {
            "use_responses_api": True,
            **{key: body[key] for key in keys},
        }
    return f"openai:{body['model']}", {}


def expected(exchange: Recorded) -> dict:
    """Read a recording with the standard library only: an oracle for what clients make of it."""
    body = whole(exchange)
    if exchange.path.endswith("/messages"):
        usage = body["usage"]
        return {
            "text": "".join(b["text"] for b in body["content"] if b["type"] == "text"),
            "calls": [
                (b["id"], b["name"], b["input"]) for b in body["content"] if b["type"] == "tool_use"
            ],
            "reasoning": [b["thinking"] for b in body["content"] if b["type"] == "thinking"],
            "seals": [b["signature"] for b in body["content"] if b["type"] == "thinking"],
            "usage": (usage["input_tokens"], usage["output_tokens"]),
            "model": body["model"],
        }
    if exchange.path.endswith("/responses"):
        items = body["output"]
        thoughts = [item for item in items if item["type"] == "reasoning"]
        return {
            "text": "".join(
                part["text"]
                for item in items
                if item["type"] == "message"
                for part in item["content"]
            ),
            "calls": [
                (item["call_id"], item["name"], json.loads(item["arguments"]))
                for item in items
                if item["type"] == "function_call"
            ],
            "reasoning": [part["text"] for item in thoughts for part in item["summary"]],
            "seals": [item["encrypted_content"] for item in thoughts],
            "usage": (body["usage"]["input_tokens"], body["usage"]["output_tokens"]),
            "model": body["model"],
        }
    said = body["choices"][0]["message"]
    return {
        "text": said.get("content") or "",
        "calls": [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in said.get("tool_calls") or ()
        ],
        "reasoning": [],
        "seals": [],
        "usage": (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]),
        "model": body["model"],
    }


def whole(exchange: Recorded) -> dict:
    """Return the whole answer, put together from its events where it was streamed."""
    if not exchange.streamed:
        return json.loads(exchange.body)
    lines = [line[6:] for line in exchange.body.splitlines() if line.startswith("data: ")]
    events = [json.loads(line) for line in lines if line != "[DONE]"]
    if exchange.path.endswith("/responses"):
        return events[-1]["response"]
    if exchange.path.endswith("/messages"):
        return whole_message(events)
    return whole_completion(events)


def whole_message(events: list[dict]) -> dict:
    message = events[0]["message"]
    for event in events:
        if event["type"] == "content_block_start":
            message["content"].append(event["content_block"])
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], message["content"][event["index"]]
            for key in ("text", "thinking", "signature"):
                block[key] = (
                    block.get(key, "") + delta.get(key, "") if key in delta else block.get(key)
                )
        elif event["type"] == "message_delta":
            message["usage"] = event["usage"]
    return message


def whole_completion(events: list[dict]) -> dict:
    text, calls = "", {}
    for event in events:
        for choice in event["choices"]:
            text += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls") or ():
                kept = calls.setdefault(call["index"], {**call, "function": dict(call["function"])})
                if "id" not in call:
                    kept["function"]["arguments"] += call["function"]["arguments"]
    said = {"content": text, "tool_calls": list(calls.values())}
    return {
        "choices": [{"message": said}],
        "usage": events[-1]["usage"],
        "model": events[0]["model"],
    }


@pytest.mark.parametrize("exchange", exchanges())
def test_recorded_traffic_comes_out_right(say, exchange):
    want = expected(exchange)
    said = say(setting(exchange), [exchange], retries=0, tools=[TOOL])
    reply = said.reply
    assert reply.text == said.shown == want["text"]
    assert [(c["id"], c["name"], c["args"]) for c in reply.message.tool_calls] == want["calls"]
    assert reply.message.invalid_tool_calls == []
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == want["usage"]
    assert reply.usage.cost_usd > 0
    assert reply.model == want["model"]


@pytest.mark.parametrize("exchange", exchanges())
def test_recorded_reasoning_is_kept_but_sealed(say, exchange):
    want = expected(exchange)
    reply = say(setting(exchange), [exchange], retries=0, tools=[TOOL]).reply
    blocks = [block for block in reply.message.content_blocks if block["type"] == "reasoning"]
    assert bool(blocks) == bool(want["seals"])
    kept = json.dumps(blocks, ensure_ascii=False)
    for thought in want["reasoning"]:
        assert json.dumps(thought, ensure_ascii=False)[1:-1] in kept
        assert thought not in reply.text
    for seal in want["seals"]:
        assert seal in kept


@pytest.mark.parametrize("exchange", exchanges())
def test_recorded_reasoning_goes_back_to_the_provider_unchanged(say, exchange):
    want = expected(exchange)
    name, options = setting(exchange)
    reply = say((name, options), [exchange], retries=0, tools=[TOOL]).reply
    if reply.message.tool_calls:
        from langchain_core.messages import ToolMessage

        answers = [
            ToolMessage("done", tool_call_id=call["id"]) for call in reply.message.tool_calls
        ]
    else:
        answers = [HumanMessage("And then?")]
    history = [HumanMessage("hello"), reply.message, *answers]
    again = say((name, options), [exchange], retries=0, tools=[TOOL], messages=history)
    sent = json.dumps(again.requests[0].body, ensure_ascii=False)
    for part in (*want["seals"], *want["reasoning"]):
        assert json.dumps(part, ensure_ascii=False)[1:-1] in sent


@pytest.mark.parametrize("exchange", [e for e in exchanges() if not e.values[0].streamed])
def test_our_cut_into_events_is_faithful(environment, say, exchange):
    """LangChain's clients make the same of our events as of the recorded body, served whole."""
    name, options = setting(exchange)
    streamed = say((name, options), [exchange], retries=0, tools=[TOOL]).reply.message
    provider, _, model = name.partition(":")
    with ProviderServer([exchange]) as server:
        environment(server.env())
        base_url = server.openai_url if provider == "openai" else server.origin
        client = init_chat_model(
            model, model_provider=provider, base_url=base_url, max_retries=0, **options
        )
        served = client.invoke([HumanMessage("hello")])
        (client.root_client if provider == "openai" else client._client).close()
    assert served.text == streamed.text
    assert served.tool_calls == streamed.tool_calls
    assert served.usage_metadata["total_tokens"] == streamed.usage_metadata["total_tokens"]
    kinds = [block["type"] for block in served.content_blocks]
    assert kinds == [block["type"] for block in streamed.content_blocks]
