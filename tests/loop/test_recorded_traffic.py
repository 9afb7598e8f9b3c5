"""Runs over what real providers sent: text, calls, usage come out; reasoning is sealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import StructuredTool

from harness.adapters.model_langchain import LangChainModel
from harness.journal.events import MessageCompleted, ToolFinished
from harness.testing import ProviderServer, Recorded, load_recording
from tests.loop.desk import Desk

RECORDINGS = Path(__file__).parents[1] / "recordings"
FILES = sorted(
    file.stem
    for file in RECORDINGS.glob("*.json")
    if any(exchange.request.get("tools") for exchange in load_recording(file))
)


def model_of(exchange: Recorded, server: ProviderServer) -> LangChainModel:
    body = exchange.request
    if exchange.path.endswith("/messages"):
        options = {key: body[key] for key in ("thinking", "max_tokens") if key in body}
        return LangChainModel(
            "anthropic:claude-sonnet-4-6", options={"base_url": server.origin, **options}
        )
    options = {"base_url": server.openai_url}
    if exchange.path.endswith("/responses"):
        keys = ("reasoning", "include", "store")
        options |= {"use_responses_api": True, **{key: body[key] for key in keys if key in body}}
    return LangChainModel(f"openai:{body['model']}", options=options)


def tools_of(exchange: Recorded) -> list[StructuredTool]:
    names = [one.get("name") or one["function"]["name"] for one in exchange.request["tools"]]

    def answer(**given: Any) -> str:
        return f"Noted: {sorted(given)}"

    return [
        StructuredTool.from_function(
            func=answer,
            name=name,
            description="As recorded.",
            args_schema={"type": "object", "properties": {}, "additionalProperties": True},
            metadata={"effect": "read"},
        )
        for name in names
    ]


def thoughts(value: Any) -> list[str]:
    """Return every seal of reasoning in an answer that was not streamed."""
    if isinstance(value, dict):
        own = [value[key] for key in ("signature", "encrypted_content") if value.get(key)]
        return own + [one for inner in value.values() for one in thoughts(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in thoughts(inner)]
    return []


@pytest.mark.parametrize("name", FILES)
def test_a_run_over_recorded_traffic(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    exchanges = load_recording(RECORDINGS / f"{name}.json")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-0123456789")
    with ProviderServer(exchanges) as server:
        model = model_of(exchanges[0], server)
        done = desk.start(desk.means(model, tools=tools_of(exchanges[0])), model=model.name)
        sent = [json.dumps(request.body) for request in server.requests]
    assert done.stop == "completed", done.problems
    said = desk.of(MessageCompleted)
    assert len(said) == len(sent) == len(exchanges)
    assert said[0].calls
    assert [one.tool for one in desk.of(ToolFinished)] == [one.tool for one in said[0].calls]
    assert not any(one.error for one in desk.of(ToolFinished))
    assert done.answer
    assert done.usage.input_tokens > 0 < done.usage.output_tokens
    for call in said[0].calls:
        assert call.id in sent[1], "its result goes back under the provider's own id"

    seals = [] if exchanges[0].streamed else thoughts(json.loads(exchanges[0].body))
    events = repr(desk.events())
    sealed = json.dumps(dict(desk.journal.reasoning_for("r1")))
    for seal in seals:
        assert seal not in events
        assert seal in sealed
        assert seal in sent[1], "reasoning goes back as it came"
    assert bool(seals) == ("thinking" in name)
