"""OpenAI's chat completions on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.testing.prompt_cache import CacheRules, Stretch
from harness.testing.turns import PIECES, FaultKind, Json, Stop, Tokens, Turn
from harness.testing.wire import Event, Phase, pieces

__all__ = ["ChatCompletions", "openai_cache_rules", "openai_error"]

_FINISH: dict[Stop, str] = {"done": "stop", "length": "length", "filter": "content_filter"}
_CODES: dict[FaultKind, tuple[str, str]] = {
    "rate_limited": ("requests", "rate_limit_exceeded"),
    "quota_exhausted": ("insufficient_quota", "insufficient_quota"),
    "server_error": ("server_error", ""),
    "overloaded": ("server_error", "overloaded"),
    "unauthorized": ("invalid_request_error", "invalid_api_key"),
    "forbidden": ("invalid_request_error", "unsupported_country_region_territory"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "context_too_long": ("invalid_request_error", "context_length_exceeded"),
    "refused": ("invalid_request_error", "invalid_value"),
}


class ChatCompletions:
    """`/v1/chat/completions`."""

    path = "/v1/chat/completions"

    def message(self, turn: Turn, request: Json, tokens: Tokens) -> Json:
        """Return the body of a `chat.completion`."""
        said: Json = {"role": "assistant", "content": turn.text or None, "refusal": None}
        if turn.reasoning:
            said["reasoning_content"] = "\n".join(part.text for part in turn.reasoning)
        if turn.tool_calls:
            said["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments_text},
                }
                for call in turn.calls
            ]
        finish = "tool_calls" if turn.tool_calls and turn.stop == "done" else _FINISH[turn.stop]
        return {
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": turn.model or request.get("model", ""),
            "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": tokens.input,
                "completion_tokens": tokens.output,
                "total_tokens": tokens.input + tokens.output,
                "prompt_tokens_details": {
                    "cached_tokens": tokens.cached,
                    "cache_write_tokens": tokens.written,
                },
                "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
            },
        }

    def events(self, message: Json, request: Json, most: int = PIECES) -> Iterator[Event]:
        """Yield `chat.completion.chunk` events, the usage if asked for, and `[DONE]`."""
        head = {key: message[key] for key in message if key not in ("choices", "usage")}
        head["object"] = "chat.completion.chunk"
        with_usage = (request.get("stream_options") or {}).get("include_usage", False)

        def chunk(phase: Phase, delta: Json | None, finish: str | None = None) -> Event:
            choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
            body: Json = {**head, "choices": choices if delta is not None else []}
            if with_usage:
                body["usage"] = message["usage"] if delta is None else None
            return Event(data=json.dumps(body, ensure_ascii=False), phase=phase)

        choice = message["choices"][0]
        said = choice["message"]
        yield chunk("start", {"role": "assistant", "content": ""})
        for piece in pieces(said.get("reasoning_content") or ""):
            yield chunk("reasoning", {"reasoning_content": piece})
        for piece in pieces(said.get("content") or "", most):
            yield chunk("text", {"content": piece})
        for index, call in enumerate(said.get("tool_calls") or ()):
            function = {"name": call["function"]["name"], "arguments": ""}
            yield chunk("tool", {"tool_calls": [{**call, "index": index, "function": function}]})
            for piece in pieces(call["function"]["arguments"]):
                part = {"index": index, "function": {"arguments": piece}}
                yield chunk("tool", {"tool_calls": [part]})
        yield chunk("end", {}, choice["finish_reason"])
        if with_usage:
            yield chunk("end", None)
        yield Event(data="[DONE]", phase="end")

    def error(self, kind: FaultKind, words: str) -> Json:
        """Return OpenAI's error body."""
        return openai_error(kind, words)

    def error_event(self, words: str) -> Event:
        """Return a chunk that is an error."""
        return Event(data=json.dumps(openai_error("server_error", words)), phase="text")

    def prompt(self, request: Json) -> list[Stretch]:
        """Return tools, then messages."""
        stretches = [Stretch(text=json.dumps(request.get("tools") or [], sort_keys=True))]
        for message in request.get("messages") or ():
            stretches.append(Stretch(text=f"\n{message.get('role', '')}: "))
            stretches += _blocks(message.get("content"))
            if calls := message.get("tool_calls"):
                stretches.append(Stretch(text=json.dumps(calls, sort_keys=True)))
        return stretches

    def cache_rules(self, request: Json) -> CacheRules:
        """Return the rules of the model's generation."""
        return openai_cache_rules(self.prompt(request))


def openai_cache_rules(prompt: list[Stretch]) -> CacheRules:
    """Breakpoints where the request sets any, which only GPT-5.6 and later accept; else prefix."""
    if any(part.mark for part in prompt):
        return CacheRules(kind="breakpoints", lookback=80)
    return CacheRules(kind="prefix", step=128)


def openai_error(kind: FaultKind, words: str) -> Json:
    """Return OpenAI's error body."""
    family, code = _CODES.get(kind, ("server_error", ""))
    return {"error": {"message": words, "type": family, "param": None, "code": code or None}}


def _blocks(content: object) -> list[Stretch]:
    """Return the stretches of a message's content."""
    if isinstance(content, str):
        return [Stretch(text=content)]
    if not isinstance(content, list):
        return []
    return [
        Stretch(
            text=block.get("text") or json.dumps(block, sort_keys=True),
            mark="prompt_cache_breakpoint" in block,
        )
        for block in content
    ]
