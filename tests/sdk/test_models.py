"""The model behind the SDK: what goes over the wire, what comes back, and who steps in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness import Delta
from harness.errors import (
    ConnectionFailed,
    MissingKey,
    NotAuthorized,
    ProviderNotAllowed,
    RateLimited,
    UnknownModel,
)
from harness.testing import Fault, ScriptedModel, Turn, refuse_connections

OPENAI = "openai:gpt-4o-mini"
ANTHROPIC = "anthropic:claude-sonnet-4-6"
QUESTION = "My card was stolen"


def system_of(body: dict[str, Any]) -> Any:
    """The system message as it was sent, in either provider's form."""
    return body.get("system") or body["messages"][0]["content"]


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC])
def test_a_provider_answers(opened, provider, model: str) -> None:
    server = provider([Turn(text="lost_card")])
    harness = opened(model=model)
    answer = harness.ask(QUESTION)
    assert (answer.text, answer.value, answer.abstained) == ("lost_card", "lost_card", False)
    assert answer.model == model.partition(":")[2]
    assert answer.usage.input_tokens > 200
    assert answer.usage.output_tokens > 0
    assert answer.usage.cost_usd > Decimal(0)
    (request,) = server.requests
    assert request.body["stream"] is True
    packed = harness.preview(QUESTION)
    text = system_of(request.body)
    assert (text if isinstance(text, str) else text[0]["text"]) == packed.messages[0].text


def test_options_reach_the_wire(opened, provider) -> None:
    """The domain's in YAML's own types; the caller's go before them."""
    server = provider([Turn(text="lost_card")])
    harness = opened(
        settings="model_options: {temperature: 0.25, max_tokens: 77, top_p: 0.5}\n",
        model=OPENAI,
        model_options={"top_p": 0.75, "seed": 12},
    )
    harness.ask(QUESTION)
    body = server.requests[0].body
    assert body["temperature"] == 0.25
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 77
    assert (body["top_p"], body["seed"]) == (0.75, 12)


def test_anthropic_gets_a_cache_breakpoint_after_the_stable_part(opened, provider) -> None:
    server = provider([Turn(text="lost_card")])
    opened(model=ANTHROPIC).ask(QUESTION)
    body = server.requests[0].body
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral"}
    asked = body["messages"][0]["content"]
    assert "cache_control" not in str(asked)


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC])
def test_a_schema_goes_with_the_question(opened, provider, model: str) -> None:
    """To the provider's own field, and into the prompt for models that have none."""
    schema = {
        "title": "verdict",
        "type": "object",
        "properties": {"label": {"type": "string"}, "sure": {"type": "boolean"}},
        "required": ["label", "sure"],
        "additionalProperties": False,
    }
    server = provider([Turn(text='{"label": "lost_card", "sure": true}')] * 2)
    harness = opened(model=model)
    answer = harness.ask(QUESTION, schema=schema)
    assert answer.value == {"label": "lost_card", "sure": True}
    assert answer.warnings == ()
    body = server.requests[0].body
    assert "sure" in str(body.get("response_format") or body.get("output_config"))
    asked = harness.preview(QUESTION, schema=schema)
    assert asked.prefix_sha256 == harness.preview(QUESTION).prefix_sha256
    assert '"sure"' in asked.messages[1].text
    assert '"sure"' in str(body["messages"][-1]["content"]).replace("\\", "")
    harness.ask(QUESTION)
    assert "response_format" not in server.requests[1].body
    assert "sure" not in str(server.requests[1].body)


def test_an_answer_that_breaks_its_schema_has_no_value(opened) -> None:
    harness = opened(model=ScriptedModel([Turn(text='{"label": 7}')]))
    schema = {"type": "object", "properties": {"label": {"type": "string"}}}
    answer = harness.ask(QUESTION, schema=schema)
    assert answer.value is None
    assert "no value" in answer.warnings[0]


@pytest.mark.parametrize("said", ["unclear", "Unclear.", "**unclear**"])
def test_an_abstention_is_no_label(opened, said: str) -> None:
    answer = opened(model=ScriptedModel([Turn(text=said)])).ask(QUESTION)
    assert (answer.abstained, answer.value, answer.text) == (True, None, said)


def test_an_answer_without_a_label_says_so(opened) -> None:
    answer = opened(model=ScriptedModel([Turn(text="I could not say")])).ask(QUESTION)
    assert (answer.abstained, answer.value) == (False, None)
    assert len(answer.warnings) == 1


# --- who steps in ----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_RETRIES", "0")


def test_a_fallback_takes_over_where_the_model_can_t_be_reached(
    opened, provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = provider([Turn(text="lost_card")])
    with refuse_connections() as nowhere:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", nowhere)
        harness = opened(settings=f"fallback_model: {OPENAI}\nmodel: {ANTHROPIC}\n")
        events = list(harness.stream(QUESTION))
    answer = events[-1]
    assert (answer.value, answer.model) == ("lost_card", "gpt-4o-mini")
    assert len(answer.warnings) == 1
    assert f"{ANTHROPIC} failed, so {OPENAI} answered" in answer.warnings[0]
    assert Delta(restart=True) in events
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "cut_text"])
def test_a_fallback_takes_over_from_a_failing_provider(opened, provider, kind: str) -> None:
    server = provider([Turn(text="top_up, or so", fault=Fault(kind=kind)), Turn(text="lost_card")])
    harness = opened(settings=f"fallback_model: {ANTHROPIC}\n", model=OPENAI)
    *deltas, answer = harness.stream(QUESTION)
    said = ""
    for delta in deltas:
        said = "" if delta.restart else said + delta.text
    assert said == answer.text == "lost_card"
    assert [request.path for request in server.requests] == [
        "/v1/chat/completions",
        "/v1/messages",
    ]


def test_a_fallback_does_not_step_in_for_what_is_wrong_here(opened, provider) -> None:
    """A wrong key is mended, not worked around."""
    server = provider([Turn(fault=Fault(kind="unauthorized"))])
    harness = opened(settings=f"fallback_model: {ANTHROPIC}\n", model=OPENAI)
    with pytest.raises(NotAuthorized):
        harness.ask(QUESTION)
    assert len(server.requests) == 1


def test_without_a_fallback_the_error_is_typed(
    opened, provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider([])
    with refuse_connections() as nowhere:
        monkeypatch.setenv("OPENAI_BASE_URL", nowhere)
        with pytest.raises(ConnectionFailed) as raised:
            opened(model=OPENAI).ask(QUESTION)
    assert raised.value.model == OPENAI
    assert raised.value.mend


def test_the_wait_that_a_provider_asks_for_is_told(opened, provider) -> None:
    provider([Turn(fault=Fault(kind="rate_limited", retry_after=7))])
    with pytest.raises(RateLimited) as raised:
        opened(model=OPENAI).ask(QUESTION)
    assert raised.value.retry_after == 7


# --- who is not asked ------------------------------------------------------------------------


def test_a_provider_that_is_not_allowed_gets_nothing(opened, provider) -> None:
    server = provider([])
    harness = opened(settings="providers_allowed: [anthropic]\n", model=OPENAI)
    with pytest.raises(ProviderNotAllowed, match=r"may not be sent to openai .*: anthropic\)"):
        harness.ask(QUESTION)
    with pytest.raises(ProviderNotAllowed):
        harness.estimate(QUESTION)
    assert server.requests == []
    assert opened(settings="providers_allowed: [anthropic]\n").ask(QUESTION).value == "lost_card"
    assert harness.preview(QUESTION).tokens > 0  # packing sends nothing


def test_an_allowed_provider_is_asked(opened, provider) -> None:
    provider([Turn(text="lost_card")])
    harness = opened(settings="providers_allowed: [OpenAI]\n", model=OPENAI)
    assert harness.ask(QUESTION).value == "lost_card"


def test_a_fallback_that_is_not_allowed_gets_nothing_either(opened, provider) -> None:
    server = provider([])
    harness = opened(
        settings=f"providers_allowed: [openai]\nfallback_model: {ANTHROPIC}\n", model=OPENAI
    )
    with pytest.raises(ProviderNotAllowed, match="anthropic"):
        harness.ask(QUESTION)
    assert server.requests == []  # said at once, not when it is needed


def test_texts_are_not_embedded_by_a_provider_that_is_not_allowed(
    opened, provider, tmp_path
) -> None:
    """Indexing would send every example."""
    server = provider([])
    own = {"embedder": None, "home": tmp_path / "state"}
    harness = opened(
        settings="providers_allowed: []\nembedding: openai:text-embedding-3-small\n", **own
    )
    with pytest.raises(ProviderNotAllowed, match="may not be sent to openai"):
        harness.index()
    assert server.requests == []
    allowed = opened(
        settings="providers_allowed: [openai]\nembedding: openai:text-embedding-3-small\n", **own
    )
    assert allowed.index().embedded == 6
    assert {request.path for request in server.requests} == {"/v1/embeddings"}


def test_a_model_that_there_is_not(opened) -> None:
    with pytest.raises(UnknownModel, match="Did you mean baseline:nearest"):
        opened(model="baseline:farthest").ask(QUESTION)
    with pytest.raises(UnknownModel):
        opened(model="gpt-5").ask(QUESTION)
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        opened(model=OPENAI).ask(QUESTION)


def test_an_estimate_says_what_would_go_where_at_what_price(opened, provider) -> None:
    server = provider([])
    estimate = opened(model=OPENAI).estimate(QUESTION)
    assert estimate.model == OPENAI
    assert estimate.destination.startswith("openai at http://127.0.0.1:")
    assert estimate.input_cost_usd > 0
    assert estimate.packed.messages[1].text.endswith(f"{QUESTION}\n</question>\n")
    assert server.requests == []
    free = opened().estimate(QUESTION)
    assert (free.model, free.destination, free.input_cost_usd) == ("baseline:nearest", "", 0)
    unknown = opened(model="openai:my-own-model").estimate(QUESTION)
    assert unknown.input_cost_usd is None
