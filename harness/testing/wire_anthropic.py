"""Anthropic's messages on the wire: content blocks, signed thinking, redacted thinking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.testing.prompt_cache import CacheRules, Stretch
from harness.testing.turns import (
    PIECES,
    FaultKind,
    Json,
    Reasoning,
    Stop,
    Tokens,
    ToolCall,
    Turn,
)
from harness.testing.wire import Event, Phase, pieces

__all__ = ["Messages"]

_STOPS: dict[Stop, str] = {"done": "end_turn", "length": "max_tokens", "filter": "refusal"}
_TYPES: dict[FaultKind, str] = {
    "rate_limited": "rate_limit_error",
    "quota_exhausted": "rate_limit_error",
    "server_error": "api_error",
    "overloaded": "overloaded_error",
    "unauthorized": "authentication_error",
    "forbidden": "permission_error",
    "not_found": "not_found_error",
}


class Messages:
    """`/v1/messages`."""

    path = "/v1/messages"

    def message(self, turn: Turn, request: Json, tokens: Tokens) -> Json:
        """Return the body of a `message`."""
        blocks: list[Json] = [_thinking(part) for part in turn.reasoning]
        if turn.text:
            blocks.append({"type": "text", "text": turn.text})
        raw = bool(request.get("stream"))
        blocks += [_tool_use(call, raw=raw) for call in turn.calls]
        stop = "tool_use" if turn.tool_calls and turn.stop == "done" else _STOPS[turn.stop]
        return {
            "id": "msg_scripted",
            "type": "message",
            "role": "assistant",
            "model": turn.model or request.get("model", ""),
            "content": blocks,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": tokens.input - tokens.cached - tokens.written,
                "cache_read_input_tokens": tokens.cached,
                "cache_creation_input_tokens": tokens.written,
                "output_tokens": tokens.output,
            },
        }

    def events(
        self,
        message: Json,
        request: Json,  # noqa: ARG002
        most: int = PIECES,
    ) -> Iterator[Event]:
        """Yield `message_start`, each block's events, `message_delta` and `message_stop`."""
        start = {**message, "content": [], "stop_reason": None}
        start["usage"] = {**message["usage"], "output_tokens": 1}
        yield _event("start", "message_start", message=start)
        yield _event("start", "ping")
        for index, block in enumerate(message["content"]):
            yield from _block_events(index, block, most)
        delta = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
        yield _event("end", "message_delta", delta=delta, usage=message["usage"])
        yield _event("end", "message_stop")

    def error(self, kind: FaultKind, words: str) -> Json:
        """Return Anthropic's error body."""
        family = _TYPES.get(kind, "invalid_request_error")
        return {"type": "error", "error": {"type": family, "message": words}}

    def error_event(self, words: str) -> Event:
        """Return an `error` event."""
        return _event("text", "error", error={"type": "overloaded_error", "message": words})

    def prompt(self, request: Json) -> list[Stretch]:
        """Return tools, system, then messages."""
        stretches = [
            Stretch(text=json.dumps(tool, sort_keys=True), mark="cache_control" in tool)
            for tool in request.get("tools") or ()
        ]
        stretches += _blocks(request.get("system") or "")
        for message in request.get("messages") or ():
            stretches.append(Stretch(text=f"\n{message.get('role', '')}: "))
            stretches += _blocks(message.get("content") or "")
        return stretches

    def cache_rules(self, request: Json) -> CacheRules:  # noqa: ARG002
        """Return Anthropic's rules, with the least cacheable length of most models."""
        return CacheRules(kind="breakpoints")


def _thinking(part: Reasoning) -> Json:
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.seal}
    return {"type": "thinking", "thinking": part.text, "signature": part.seal}


def _tool_use(call: ToolCall, *, raw: bool) -> Json:
    """Return a tool_use block; with `raw`, arguments that are no JSON object stand beside it."""
    try:
        given = json.loads(call.arguments_text or "{}")
    except json.JSONDecodeError:
        given = {}
    block = {"type": "tool_use", "id": call.id, "name": call.name, "input": given}
    if raw:
        block["input_text"] = call.arguments_text
    return block


def _event(phase: Phase, kind: str, **fields: Any) -> Event:
    body = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return Event(name=kind, data=body, phase=phase)


def _block_events(index: int, block: Json, most: int) -> Iterator[Event]:
    """Yield the events of one content block, as Anthropic cuts it."""
    kind = block["type"]
    if kind == "text":
        phase: Phase = "text"
        start: Json = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"], most)]
    elif kind == "thinking":
        phase = "reasoning"
        start = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block[kind])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind == "tool_use":
        phase = "tool"
        start = {"type": kind, "id": block["id"], "name": block["name"], "input": {}}
        text = block.get("input_text") or json.dumps(block["input"], ensure_ascii=False)
        text = "" if text == "{}" else text
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(text)]
    else:
        phase, start, deltas = "reasoning", block, []
    yield _event(phase, "content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event(phase, "content_block_delta", index=index, delta=delta)
    yield _event(phase, "content_block_stop", index=index)


def _blocks(content: object) -> list[Stretch]:
    """Return the stretches of a system prompt's or a message's content."""
    if isinstance(content, str):
        return [Stretch(text=content)]
    if not isinstance(content, list):
        return []
    return [
        Stretch(
            text=block.get("text")
            or json.dumps({k: v for k, v in block.items() if k != "cache_control"}, sort_keys=True),
            mark="cache_control" in block,
        )
        for block in content
    ]
