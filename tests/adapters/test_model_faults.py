from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest
from langchain_core.messages import HumanMessage

from harness.adapters.model_langchain import LangChainModel
from harness.errors import (
    BadResponse,
    ConnectionFailed,
    ContextTooLong,
    MissingKey,
    MissingPackage,
    NotAuthorized,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
    UnknownModel,
)
from harness.testing import Fault, ProviderServer, ToolCall, Turn, refuse_connections

GOOD = Turn(text="all is well")


def broken(kind: str, **fault) -> Turn:
    calls = (ToolCall(name="look_up", arguments={"term": "a long enough argument"}),)
    return Turn(
        text="some words that break off",
        tool_calls=calls if kind == "cut_tool_call" else (),
        fault=Fault(kind=kind, **fault),
    )


PASSING = [
    ("rate_limited", {}, RateLimited),
    ("server_error", {}, ProviderUnavailable),
    ("overloaded", {}, ProviderUnavailable),
    ("error_event", {}, ProviderUnavailable),
    ("wrong_content_type", {}, BadResponse),
    ("empty_body", {}, BadResponse),
    ("broken_json", {}, BadResponse),
    ("cut_text", {}, ConnectionFailed),
    ("cut_text", {"clean": True}, ConnectionFailed),
    ("cut_tool_call", {}, ConnectionFailed),
    ("cut_tool_call", {"clean": True}, ConnectionFailed),
    ("cut_end", {}, ConnectionFailed),
    ("cut_end", {"clean": True}, ConnectionFailed),
]
LASTING = [
    ("unauthorized", NotAuthorized),
    ("forbidden", NotAuthorized),
    ("not_found", UnknownModel),
    ("context_too_long", ContextTooLong),
    ("refused", RequestRefused),
    ("quota_exhausted", RateLimited),
]


# Anthropic's client warns of a tool call where no tools were given.
@pytest.mark.filterwarnings("ignore:Received unexpected tool content block")
@pytest.mark.parametrize(("kind", "fault", "error"), PASSING)
def test_a_passing_fault_is_tried_again(say, wire, kind, fault, error):
    once = say(wire, [broken(kind, **fault), GOOD])
    assert once.shown == once.reply.text == "all is well"
    assert once.waits == [1.0]
    assert len(once.requests) == 2

    ever = say(wire, lambda _: broken(kind, **fault))
    assert type(ever.error) is error
    assert "3 times" in str(ever.error)
    assert ever.error.model == wire[0]
    assert ever.waits == [1.0, 2.0]
    assert len(ever.requests) == 3
    assert ever.shown == "", "text of a broken answer is taken back"


@pytest.mark.parametrize(("kind", "error"), LASTING)
def test_a_lasting_fault_is_raised_at_once(say, wire, kind, error):
    words = {} if kind in ("context_too_long", "quota_exhausted") else {"message": "own words"}
    said = say(wire, [broken(kind, **words), GOOD])
    assert words.get("message", "It says: ") in str(said.error)
    assert type(said.error) is error
    assert said.error.mend
    assert said.waits == []
    assert len(said.requests) == 1


def test_an_empty_message_is_tried_again(say, wire):
    assert say(wire, [Turn(), GOOD]).reply.text == "all is well"
    assert say(wire, [Turn(text="\u200b\u2060"), GOOD]).reply.text == "all is well"
    said = say(wire, lambda _: Turn())
    assert type(said.error) is BadResponse
    assert len(said.requests) == 3


def test_text_that_was_shown_is_taken_back_before_it_begins_anew(say, wire):
    said = say(wire, [broken("cut_text"), GOOD])
    restarts = [at for at, delta in enumerate(said.deltas) if delta.restart]
    assert len(restarts) == 1
    before = "".join(delta.text for delta in said.deltas[: restarts[0]])
    assert "some words that break off".startswith(before)
    assert before
    assert not any(delta.restart for delta in say(wire, [broken("overloaded"), GOOD]).deltas)


def test_waits_grow_and_stop_growing(say, wire):
    said = say(wire, lambda _: broken("server_error"), retries=7)
    assert said.waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_no_retries_means_none(say, wire):
    said = say(wire, lambda _: broken("overloaded"), retries=0)
    assert type(said.error) is ProviderUnavailable
    assert len(said.requests) == 1


def test_the_clients_own_retries_are_off(say, wire):
    """The library's would multiply with ours; an option can bring them back."""
    assert len(say(wire, lambda _: broken("server_error"), retries=1).requests) == 2


def test_retry_after_is_honoured(say, wire):
    said = say(wire, [broken("rate_limited", retry_after=7), GOOD])
    assert said.waits == [8.0], "what was asked for, and a second's jitter"
    then = formatdate(time.time() + 60, usegmt=True)
    assert 55 < say(wire, [broken("overloaded", retry_after=then), GOOD]).waits[0] < 62


def test_too_long_a_retry_after_is_not_waited_for(say, wire):
    said = say(wire, [broken("rate_limited", retry_after=3600), GOOD])
    assert type(said.error) is RateLimited
    assert said.error.retry_after == 3600
    assert said.waits == []


def test_a_slow_first_byte_times_out(say, wire):
    said = say(wire, [Turn(text="late", delay=10.0), GOOD], timeout=0.2)
    assert said.reply.text == "all is well"
    said = say(wire, lambda _: Turn(text="late", delay=10.0), timeout=0.1, retries=1)
    assert type(said.error) is ProviderUnavailable
    assert "in time" in str(said.error)
    assert len(said.requests) == 2


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens",
        "input length and `max_tokens` exceed context limit: prompt is too long",
        "the request exceeds the available context size. try increasing the context size",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Please reduce the length of the messages or completion.",
        "ContextWindowExceededError: too much",
    ],
)
def test_every_servers_words_for_too_long(say, wire, words):
    said = say(wire, [broken("refused", message=words)])
    assert type(said.error) is ContextTooLong
    assert "context.budget" in str(said.error)


def test_words_about_something_else_are_not_too_long(say, wire):
    words = "max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens"
    assert type(say(wire, [broken("refused", message=words)]).error) is RequestRefused


def test_no_message_holds_the_key(say, wire):
    """Not the message, not the error's arguments, not what it was raised from."""
    key = "sk-test-0123456789abcdef"
    for kind in ("unauthorized", "refused", "not_found", "rate_limited", "server_error"):
        words = f"Incorrect API key provided: {key}. Header 'Bearer {key}'"
        error = say(wire, lambda _, k=kind, w=words: broken(k, message=w), retries=1).error
        assert "Incorrect API key" in str(error)
        link = error
        while link is not None:
            assert key not in str(link) + repr(link) + repr(link.args)
            link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def test_a_key_given_as_an_option_is_masked_too(say):
    key = "a-very-private-value-1"
    said = say(
        ("openai:m", {}), [broken("unauthorized", message=f"bad {key}")], options={"api_key": key}
    )
    assert said.requests[0].headers["authorization"] == f"Bearer {key}"
    assert key not in repr(said.error) + str(said.error)


def ask(model: LangChainModel) -> None:
    async def run() -> None:
        try:
            async for _ in model.stream([HumanMessage("hello")]):
                pass
        finally:
            await model.aclose()

    asyncio.run(run())


def test_a_refused_connection(environment, wire):
    name, options = wire
    with refuse_connections() as url:
        environment({"OPENAI_API_KEY": "k" * 20, "ANTHROPIC_API_KEY": "k" * 20})
        environment({"OPENAI_BASE_URL": f"{url}/v1", "ANTHROPIC_BASE_URL": url})
        with pytest.raises(ConnectionFailed, match="refused") as caught:
            ask(LangChainModel(name, options=options, max_retries=0))
    assert url in str(caught.value)


def test_no_key_is_said_before_any_request(environment, wire):
    name, options = wire
    with ProviderServer([GOOD]) as server:
        environment({"OPENAI_BASE_URL": server.openai_url, "ANTHROPIC_BASE_URL": server.origin})
        with pytest.raises(MissingKey, match=r"_API_KEY.*harness config.*baseline:nearest"):
            ask(LangChainModel(name, options=options))
        environment({"OPENAI_API_KEY": " ", "ANTHROPIC_API_KEY": " "})
        with pytest.raises(MissingKey):
            ask(LangChainModel(name, options=options))
        assert server.requests == []


@pytest.mark.parametrize("key", ["sk-abc\ndef-0123456", "sk-abc-0123456 ", "sk-ünïcode-123"])
def test_a_key_that_can_be_none_is_said_before_any_request(environment, wire, key):
    name, options = wire
    environment({"OPENAI_API_KEY": key, "ANTHROPIC_API_KEY": key})
    with pytest.raises(NotAuthorized, match="Copy it again") as caught:
        ask(LangChainModel(name, options=options))
    assert key not in str(caught.value)


def test_a_provider_that_is_none(environment):
    environment({})
    with pytest.raises(UnknownModel, match=r"Did you mean anthropic:claude-x\?"):
        ask(LangChainModel("antropic:claude-x"))
    with pytest.raises(UnknownModel, match=r"Did you mean google_"):
        ask(LangChainModel("google:gemini"))
    with pytest.raises(UnknownModel, match=r"Known: .*openai"):
        ask(LangChainModel("zzz:model"))


@pytest.mark.parametrize("name", ["gpt-5", "openai:", ":gpt-5", "", "openai: "])
def test_a_name_that_is_no_name(name):
    with pytest.raises(UnknownModel, match="provider:model"):
        LangChainModel(name)


def test_a_provider_whose_package_is_missing(environment, monkeypatch):
    environment({})
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with pytest.raises(MissingPackage, match="Install langchain-groq"):
        ask(LangChainModel("groq:llama"))


def test_options_that_the_client_does_not_take(environment, wire):
    name, options = wire
    environment({"OPENAI_API_KEY": "k" * 20, "ANTHROPIC_API_KEY": "k" * 20})
    with pytest.raises(RequestRefused, match=r"temperature: .*model_options"):
        ask(LangChainModel(name, options={**options, "temperature": "hot"}))


@pytest.mark.filterwarnings("ignore:WARNING! frobnicate is not default parameter")
def test_options_that_the_request_does_not_take(say, wire):
    said = say(wire, [GOOD], options={"frobnicate": 1})
    assert type(said.error) is RequestRefused
    assert "frobnicate" in str(said.error)
    assert "extra_body" in str(said.error)
    assert said.requests == []


def test_a_server_that_takes_no_stream_options(say):
    words = "Unknown parameter: 'stream_options'."
    said = say(("openai:m", {}), [broken("refused", message=words)])
    assert "stream_usage: false" in str(said.error)
