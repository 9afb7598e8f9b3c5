"""Streamed chunks put together: the whole message, what was said, what it cost, how it ended.

A stream that stops without its format's own end (`finish_reason`, `stop_reason`,
`response.completed`) is a broken one, however politely the connection was closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.adapters.prices import cost_usd
from harness.adapters.provider_errors import ProviderFault
from harness.adapters.provider_requests import Family
from harness.errors import BadResponse, ConnectionFailed, RequestRefused
from harness.values import Reply, Usage
from harness.words.blank import is_blank

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk

__all__ = ["TRUNCATED", "InlineReasoning", "make_reply"]

TRUNCATED = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded", "MAX_TOKENS"}
)
"""Stop reasons that mean: cut short by a limit on tokens."""

_FILTERED = frozenset({"content_filter", "refusal", "SAFETY"})
_OPEN, _CLOSE = "<think>", "</think>"


class InlineReasoning:
    """Keeps back reasoning that a model writes into its text as a leading `<think>…</think>`."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def feed(self, text: str) -> str:
        """Take more of the stream; return what may be shown of it."""
        if self._state == "said" or not text:
            return text
        self._held += text
        if self._state == "start":
            begun = self._held.lstrip()
            if not begun.startswith(_OPEN):
                return "" if _OPEN.startswith(begun) else self._release(self._held)
            self._state = "thinking"
        if self._state == "thinking":
            _, closed, rest = self._held.partition(_CLOSE)
            if not closed:
                return ""
            self._held, self._state = rest, "thought"
        answer = self._held.lstrip()
        return self._release(answer) if answer else ""

    def close(self) -> str:
        """Return what was held back only in case it became a tag."""
        held, self._held = self._held, ""
        return "" if self._state == "thinking" else held

    def _release(self, text: str) -> str:
        self._state, self._held = "said", ""
        return text


def make_reply(chunks: Sequence[AIMessageChunk], text: str, *, name: str, family: Family) -> Reply:
    """Return the whole reply.

    Args:
        chunks: All that came, in order.
        text: What was said, without reasoning.
        name: `provider:model`.
        family: The wire format.

    Raises:
        ProviderFault: The stream broke off, or there is nothing in it.
    """
    metadata = _metadata(chunks)
    stop = _stop(metadata)
    provider, _, asked = name.partition(":")
    if not stop and family != "other":
        raise ProviderFault(
            ConnectionFailed(
                f"{provider}'s answer broke off before its end.",
                "Check the network connection.",
                model=name,
            ),
            retry=True,
        )
    message = _whole(chunks)
    if is_blank(text) and not (message.tool_calls or message.invalid_tool_calls):
        raise _nothing_said(message, stop, name)
    model = str(metadata.get("model_name") or metadata.get("model") or asked)
    return Reply(
        message=message,
        text=text,
        usage=_usage(chunks, message, family, provider, (model, asked)),
        model=model,
        stop=stop,
    )


def _metadata(chunks: Sequence[AIMessageChunk]) -> dict[str, Any]:
    """Return each field's last value; LangChain's own merge would join texts sent twice."""
    last: dict[str, Any] = {}
    for chunk in chunks:
        last.update({k: v for k, v in chunk.response_metadata.items() if v not in (None, "")})
    return last


def _stop(metadata: Mapping[str, Any]) -> str:
    """Return why the model stopped, in the provider's word; empty where the stream broke off."""
    if metadata.get("status") == "incomplete":
        return str((metadata.get("incomplete_details") or {}).get("reason") or "incomplete")
    for key in ("finish_reason", "stop_reason", "done_reason", "status"):
        if value := metadata.get(key):
            return str(value)
    return ""


def _whole(chunks: Sequence[AIMessageChunk]) -> AIMessage:
    """Join the chunks, and take only whole JSON objects for arguments.

    LangChain completes arguments that are cut or malformed, so that half a path would become a
    call; such a call has to be an invalid one, which the model is told of.
    """
    from langchain_core.messages import AIMessage, message_chunk_to_message
    from langchain_core.messages.ai import add_ai_message_chunks
    from langchain_core.messages.tool import invalid_tool_call, tool_call

    joined = add_ai_message_chunks(chunks[0], *chunks[1:])
    message = message_chunk_to_message(joined)
    if not isinstance(message, AIMessage):
        msg = f"a {type(message).__name__} came where an AIMessage belongs"
        raise TypeError(msg)
    if not joined.tool_call_chunks:
        return message
    calls, broken = [], []
    for piece in joined.tool_call_chunks:
        text = piece["args"] or ""
        arguments = _arguments(text)
        if arguments is None:
            error = "The arguments are no JSON object."
            broken.append(
                invalid_tool_call(name=piece["name"], args=text, id=piece["id"], error=error)
            )
        else:
            calls.append(tool_call(name=piece["name"] or "", args=arguments, id=piece["id"]))
    return message.model_copy(update={"tool_calls": calls, "invalid_tool_calls": broken})


def _arguments(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if text.strip() else {}
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _nothing_said(message: AIMessage, stop: str, name: str) -> ProviderFault:
    """Return why there is no answer: out of tokens, declined, or just empty."""
    provider = name.partition(":")[0]
    if stop in TRUNCATED:
        error = BadResponse(
            f"{name} used up its output tokens before it said anything.",
            "Raise max_tokens in model_options, or lower the reasoning effort.",
            model=name,
        )
        return ProviderFault(error, retry=False)
    blocks = message.content if isinstance(message.content, list) else []
    declined = [
        str(block.get("refusal", ""))
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "refusal"
    ]
    if declined or stop in _FILTERED:
        words = f" It says: {' '.join(declined)}" if declined else ""
        refusal = RequestRefused(
            f"{provider} declined to answer ({stop}).{words}",
            "Ask in other words, or choose another model.",
            model=name,
        )
        return ProviderFault(refusal, retry=False)
    empty = BadResponse(f"{name} answered with nothing.", "Try again.", model=name)
    return ProviderFault(empty, retry=True)


def _usage(
    chunks: Sequence[AIMessageChunk],
    message: AIMessage,
    family: Family,
    provider: str,
    models: tuple[str, ...],
) -> Usage:
    """Return tokens and cost. Tokens that a provider did not report are 0, with no cost."""
    reports = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    # Both wire formats report running totals; a sum would count tokens twice.
    usage = message.usage_metadata if family == "other" or not reports else reports[-1]
    if not usage:
        return Usage()
    details = usage.get("input_token_details") or {}
    counts = {key: value for key, value in details.items() if isinstance(value, int)}
    cached = sum(value for key, value in counts.items() if key.endswith("cache_read"))
    written = sum(
        value
        for key, value in counts.items()
        if key.endswith("cache_creation") or key.startswith("ephemeral_")
    )
    return Usage(
        input_tokens=usage["input_tokens"],
        cached_input_tokens=cached,
        output_tokens=usage["output_tokens"],
        cost_usd=cost_usd(
            provider,
            models,
            input_tokens=usage["input_tokens"],
            output_tokens=usage["output_tokens"],
            cached_tokens=cached,
            written_tokens=written,
        ),
    )
