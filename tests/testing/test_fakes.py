from __future__ import annotations

import asyncio
import json
import socket
from decimal import Decimal

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from harness.errors import (
    ConnectionFailed,
    ContextTooLong,
    ModelError,
    ProviderUnavailable,
    RateLimited,
)
from harness.testing import (
    Fault,
    HashEmbedder,
    LiveNetworkBanned,
    Reasoning,
    ScriptedModel,
    Tokens,
    ToolCall,
    Turn,
    WordCounter,
    ban_live_models,
)
from harness.values import Delta, Reply


def run(model: ScriptedModel, text: str = "what is a lien") -> list[Delta | Reply]:
    async def collect() -> list[Delta | Reply]:
        return [piece async for piece in model.stream([HumanMessage(text)])]

    return asyncio.run(collect())


def test_a_scripted_model_streams_its_turns():
    tokens = Tokens(input=10, cached=4, output=2)
    model = ScriptedModel(
        [Turn(text="A claim on property.", tokens=tokens), Turn(text="b")],
        cost_usd=Decimal("0.01"),
        context_window=1000,
    )
    *deltas, reply = run(model)
    assert "".join(delta.text for delta in deltas) == reply.text == reply.message.text
    assert len(deltas) > 1
    assert reply.usage.cached_input_tokens == 4
    assert reply.usage.cost_usd == Decimal("0.01")
    assert model.context_window == 1000
    assert run(model)[-1].text == "b"
    assert model.calls[0].messages[0].text == "what is a lien"
    with pytest.raises(ModelError, match="no more turns"):
        run(model)


def test_a_scripted_model_calls_tools_and_keeps_reasoning_sealed():
    calls = (ToolCall(name="f", arguments={"a": 1}), ToolCall(name="f", arguments='{"a":'))
    thought = (Reasoning(text="secret", seal="c2VhbA=="), Reasoning(seal="x", redacted=True))
    reply = run(ScriptedModel([Turn(text="ok", tool_calls=calls, reasoning=thought)]))[-1]
    assert [call["args"] for call in reply.message.tool_calls] == [{"a": 1}]
    assert [call["args"] for call in reply.message.invalid_tool_calls] == ['{"a":']
    assert reply.stop == "tool_calls"
    assert reply.text == reply.message.text == "ok"
    assert "reasoning" in [block["type"] for block in reply.message.content_blocks]
    assert "secret" in json.dumps(reply.message.content_blocks)


def test_a_script_may_be_a_function_of_the_call():
    model = ScriptedModel(lambda call: Turn(text=call.messages[-1].text.upper()), keep=1)
    assert run(model, "lien")[-1].text == "LIEN"
    assert run(model, "tort")[-1].text == "TORT"
    assert [call.messages[0].text for call in model.calls] == ["tort"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimited),
        ("context_too_long", ContextTooLong),
        ("cut_text", ConnectionFailed),
        ("error_event", ProviderUnavailable),
    ],
)
def test_a_scripted_model_fails_as_told(kind, error):
    seen = []

    async def collect() -> None:
        model = ScriptedModel([Turn(text="some words", fault=Fault(kind=kind, retry_after=3))])
        async for piece in model.stream([]):
            seen.append(piece)  # noqa: PERF401 - keeps what came before the error

    with pytest.raises(error) as caught:
        asyncio.run(collect())
    assert bool(seen) == (kind in ("cut_text", "error_event"))
    if error is RateLimited:
        assert caught.value.retry_after == 3


def test_hash_embedder():
    seen = []
    embedder = HashEmbedder()
    vectors = embedder.embed(
        ["late fee on my card", "a late fee", "estoppel", "", "…"],
        lambda done, of: seen.append((done, of)),
    )
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    similar = vectors @ vectors[0]
    assert similar[1] > 0.3 > similar[2]
    assert seen[-1] == (5, 5)
    assert np.array_equal(HashEmbedder().embed(["a late fee"])[0], vectors[1])
    assert HashEmbedder(32).name != embedder.name


def test_word_counter():
    assert WordCounter().count("one two\n three ") == 3


def test_loopback_is_allowed_and_nothing_else():
    with socket.create_server(("127.0.0.1", 0)) as server, ban_live_models():
        with socket.create_connection(server.getsockname()[:2]):
            pass
        with socket.create_connection(("localhost", server.getsockname()[1])):
            pass
        with pytest.raises(LiveNetworkBanned, match=r"api\.openai\.com.*ProviderServer"):
            socket.create_connection(("api.openai.com", 443))
        for address in ("192.0.2.1", "10.0.0.1"):
            with socket.socket() as live:
                with pytest.raises(LiveNetworkBanned):
                    live.connect((address, 443))
                with pytest.raises(LiveNetworkBanned):
                    live.connect_ex((address, 443))
        with pytest.raises(LiveNetworkBanned):
            socket.getaddrinfo(b"example.com", 443)


def test_the_ban_reaches_asyncio():
    async def connect() -> None:
        await asyncio.open_connection("192.0.2.1", 443)

    with ban_live_models(), pytest.raises(LiveNetworkBanned):
        asyncio.run(connect())


def test_the_ban_ends():
    before = (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex)
    with ban_live_models():
        with ban_live_models():
            assert socket.getaddrinfo is not before[0]
        assert socket.getaddrinfo is not before[0]
        with pytest.raises(LiveNetworkBanned):
            socket.create_connection(("example.com", 443))
    assert (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex) == before


def test_other_kinds_of_sockets_are_left_alone(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        with ban_live_models():
            client.connect(path)
