"""OpenAI's responses on the wire: items with ids, reasoning summaries, encrypted reasoning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.testing.prompt_cache import CacheRules, Stretch
from harness.testing.turns import PIECES, FaultKind, Json, Tokens, Turn
from harness.testing.wire import Event, Phase, pieces
from harness.testing.wire_openai_chat import openai_cache_rules, openai_error

__all__ = ["Responses"]

_REASONS = {"length": "max_output_tokens", "filter": "content_filter"}


class Responses:
    """`/v1/responses`."""

    path = "/v1/responses"

    def message(self, turn: Turn, request: Json, tokens: Tokens) -> Json:
        """Return the body of a `response`."""
        done = turn.stop == "done"
        return {
            "id": "resp_scripted",
            "object": "response",
            "created_at": 1_700_000_000,
            "status": "completed" if done else "incomplete",
            "error": None,
            "incomplete_details": None if done else {"reason": _REASONS[turn.stop]},
            "instructions": None,
            "metadata": {},
            "model": turn.model or request.get("model", ""),
            "output": _items(turn),
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": {
                "input_tokens": tokens.input,
                "input_tokens_details": {
                    "cached_tokens": tokens.cached,
                    "cache_write_tokens": tokens.written,
                },
                "output_tokens": tokens.output,
                "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
                "total_tokens": tokens.input + tokens.output,
            },
        }

    def events(
        self,
        message: Json,
        request: Json,  # noqa: ARG002
        most: int = PIECES,
    ) -> Iterator[Event]:
        """Yield `response.created`, each item's events, and how the response ended."""
        start = {**message, "status": "in_progress", "output": [], "usage": None}
        start["incomplete_details"] = None
        yield _event("start", "response.created", response=start)
        yield _event("start", "response.in_progress", response=start)
        for index, item in enumerate(message["output"]):
            if item["type"] == "reasoning":
                yield from _reasoning_events(index, item)
            elif item["type"] == "function_call":
                yield from _call_events(index, item)
            else:
                yield from _text_events(index, item, most)
        ending = "incomplete" if message["status"] == "incomplete" else "completed"
        yield _event("end", f"response.{ending}", response=message)

    def error(self, kind: FaultKind, words: str) -> Json:
        """Return OpenAI's error body."""
        return openai_error(kind, words)

    def error_event(self, words: str) -> Event:
        """Return a `response.failed`."""
        failed = {
            "id": "resp_scripted",
            "object": "response",
            "created_at": 1_700_000_000,
            "status": "failed",
            "error": {"code": "server_error", "message": words},
            "model": "",
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }
        return _event("text", "response.failed", response=failed)

    def prompt(self, request: Json) -> list[Stretch]:
        """Return tools, instructions, then input items."""
        tools = json.dumps(request.get("tools") or [], sort_keys=True)
        stretches = [Stretch(text=tools + (request.get("instructions") or ""))]
        given = request.get("input") or []
        if isinstance(given, str):
            return [*stretches, Stretch(text=given)]
        for item in given:
            stretches += _item_stretches(item)
        return stretches

    def cache_rules(self, request: Json) -> CacheRules:
        """Return the rules of the model's generation."""
        return openai_cache_rules(self.prompt(request))


def _items(turn: Turn) -> list[Json]:
    """Return the output items of a turn, in the order in which OpenAI sends them."""
    items: list[Json] = []
    for number, part in enumerate(turn.reasoning, 1):
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        item: Json = {"type": "reasoning", "id": f"rs_{number}", "summary": summary}
        items.append({**item, "encrypted_content": part.seal} if part.seal else item)
    if turn.text:
        content = {"type": "output_text", "text": turn.text, "annotations": []}
        items.append(
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [content],
            }
        )
    for number, call in enumerate(turn.calls, 1):
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{number}",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments_text,
                "status": "completed",
            }
        )
    return items


def _event(phase: Phase, kind: str, **fields: Any) -> Event:
    body = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return Event(name=kind, data=body, phase=phase)


def _reasoning_events(index: int, item: Json) -> Iterator[Event]:
    """Yield a reasoning item; what is encrypted comes whole, with its last event."""
    at = {"output_index": index}
    part_at = {**at, "item_id": item["id"]}
    start = {key: item[key] for key in item if key != "encrypted_content"}
    yield _event("reasoning", "response.output_item.added", **at, item={**start, "summary": []})
    for number, part in enumerate(item["summary"]):
        where = {**part_at, "summary_index": number}
        empty = {**part, "text": ""}
        yield _event("reasoning", "response.reasoning_summary_part.added", **where, part=empty)
        for piece in pieces(part["text"]):
            yield _event("reasoning", "response.reasoning_summary_text.delta", **where, delta=piece)
        text = part["text"]
        yield _event("reasoning", "response.reasoning_summary_text.done", **where, text=text)
        yield _event("reasoning", "response.reasoning_summary_part.done", **where, part=part)
    yield _event("reasoning", "response.output_item.done", **at, item=item)


def _call_events(index: int, item: Json) -> Iterator[Event]:
    at = {"output_index": index}
    where = {**at, "item_id": item["id"]}
    start = {**item, "arguments": "", "status": "in_progress"}
    yield _event("tool", "response.output_item.added", **at, item=start)
    for piece in pieces(item["arguments"]):
        yield _event("tool", "response.function_call_arguments.delta", **where, delta=piece)
    arguments = item["arguments"]
    yield _event("tool", "response.function_call_arguments.done", **where, arguments=arguments)
    yield _event("tool", "response.output_item.done", **at, item=item)


def _text_events(index: int, item: Json, most: int) -> Iterator[Event]:
    at = {"output_index": index}
    start = {**item, "content": [], "status": "in_progress"}
    yield _event("text", "response.output_item.added", **at, item=start)
    for number, part in enumerate(item["content"]):
        where = {**at, "item_id": item["id"], "content_index": number}
        yield _event("text", "response.content_part.added", **where, part={**part, "text": ""})
        for piece in pieces(part["text"], most):
            yield _event("text", "response.output_text.delta", **where, delta=piece)
        yield _event("text", "response.output_text.done", **where, text=part["text"])
        yield _event("text", "response.content_part.done", **where, part=part)
    yield _event("text", "response.output_item.done", **at, item=item)


def _item_stretches(item: Json) -> list[Stretch]:
    """Return the stretches of one input item."""
    content = item.get("content")
    if content is None:
        return [Stretch(text=json.dumps(item, sort_keys=True))]
    head = Stretch(text=f"\n{item.get('role', '')}: ")
    if isinstance(content, str):
        return [head, Stretch(text=content)]
    blocks = [
        Stretch(
            text=block.get("text") or json.dumps(block, sort_keys=True),
            mark="prompt_cache_breakpoint" in block,
        )
        for block in content
    ]
    return [head, *blocks]
