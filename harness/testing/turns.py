"""What a scripted provider says: turns, in no provider's own words.

A `Turn` is one answer. The wires (`wire_*.py`) put it into a provider's format, and
`ScriptedModel` says it in-process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "PIECES",
    "Fault",
    "FaultKind",
    "Json",
    "Reasoning",
    "Stop",
    "Tokens",
    "ToolCall",
    "Turn",
]

PIECES = 12
"""Stretches at most that a streamed text is cut into, where nobody says otherwise."""

Json = dict[str, Any]
Stop = Literal["done", "length", "filter"]

FaultKind = Literal[
    "rate_limited",
    "quota_exhausted",
    "server_error",
    "overloaded",
    "unauthorized",
    "forbidden",
    "not_found",
    "context_too_long",
    "refused",
    "wrong_content_type",
    "empty_body",
    "broken_json",
    "cut_text",
    "cut_tool_call",
    "cut_end",
    "error_event",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What goes wrong with a turn.

    Attributes:
        kind: An HTTP error (`rate_limited` 429, `quota_exhausted` 429 for good, `server_error`
            500, `overloaded` 529, `unauthorized` 401, `forbidden` 403, `not_found` 404,
            `context_too_long` and `refused` 400), or an answer that is none:
            `wrong_content_type` (a web page), `empty_body` (200 and nothing), `broken_json`,
            `cut_text`, `cut_tool_call` and `cut_end` (the stream ends in the middle of the
            text, of a tool call's arguments, or before the end is announced), `error_event`
            (the provider reports a failure in the middle of the text).
        retry_after: Value of the Retry-After header: seconds or an HTTP date.
        message: The provider's words; a plausible sentence where empty.
        clean: A cut stream ends as HTTP ends a whole body, so that nothing but the missing
            end marker tells; else the connection breaks.
    """

    kind: FaultKind
    retry_after: float | str | None = None
    message: str = ""
    clean: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A call of a tool. Arguments given as text are sent as they are, broken or not.

    An empty id becomes one of its own; give two calls the same to send duplicates.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str = ""

    @property
    def arguments_text(self) -> str:
        """The arguments as JSON text."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(dict(self.arguments), ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasoning:
    """A stretch of reasoning.

    Attributes:
        text: What is legible of it: Anthropic's thinking, OpenAI's summary.
        seal: Anthropic's signature, OpenAI's encrypted content.
        redacted: Nothing is legible (Anthropic's `redacted_thinking`).
    """

    text: str = ""
    seal: str = ""
    redacted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Usage to report, in tokens. `input` includes what was read from or written to a cache."""

    input: int
    output: int
    cached: int = 0
    written: int = 0
    reasoning: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One answer of the provider.

    Attributes:
        tokens: Usage to report; counted, with prompt caching simulated, where None.
        stop: Why it stops: done, the output limit, or a content filter.
        model: Name that the provider answers under; the request's where empty.
        delay: Seconds before the first byte.
        pace: Seconds between pieces of a streamed answer.
        pieces: Stretches at most that the text of a streamed answer is cut into.
        fault: What goes wrong.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: tuple[Reasoning, ...] = ()
    tokens: Tokens | None = None
    stop: Stop = "done"
    model: str = ""
    delay: float = 0.0
    pace: float = 0.0
    pieces: int = PIECES
    fault: Fault | None = None

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, each with an id."""
        return tuple(
            call if call.id else ToolCall(name=call.name, arguments=call.arguments, id=f"call_{n}")
            for n, call in enumerate(self.tool_calls, 1)
        )
