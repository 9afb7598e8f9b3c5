"""A model in-process that says what its script says, through the `Model` seam."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio

from harness.errors import (
    BadResponse,
    ConnectionFailed,
    ContextTooLong,
    ModelError,
    NotAuthorized,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
    UnknownModel,
)
from harness.testing.turns import Fault, FaultKind, Reasoning, Turn
from harness.testing.wire import pieces, words_of
from harness.values import Delta, Reply, Usage

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_core.tools import BaseTool

__all__ = ["Call", "ScriptedModel"]

_RAISED: Mapping[FaultKind, type[ModelError]] = {
    "rate_limited": RateLimited,
    "quota_exhausted": RateLimited,
    "server_error": ProviderUnavailable,
    "overloaded": ProviderUnavailable,
    "error_event": ProviderUnavailable,
    "unauthorized": NotAuthorized,
    "forbidden": NotAuthorized,
    "not_found": UnknownModel,
    "context_too_long": ContextTooLong,
    "refused": RequestRefused,
    "wrong_content_type": BadResponse,
    "empty_body": BadResponse,
    "broken_json": BadResponse,
    "cut_text": ConnectionFailed,
    "cut_tool_call": ConnectionFailed,
    "cut_end": ConnectionFailed,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of the model, as it was asked."""

    messages: tuple[BaseMessage, ...]
    tools: tuple[BaseTool, ...]
    schema: Mapping[str, Any] | None
    max_output_tokens: int | None = None


class ScriptedModel:
    """Says its turns in order; with a function, what that makes of each call.

    A fault is raised as the error that a real adapter gives after its retries; a cut one comes
    after half of the text. A script that has run out raises `ModelError`.

    Args:
        script: Turns, or a function from the call to one; a string is a turn of that text.
        name: As a domain would name it.
        context_window: Most input tokens to claim.
        cost_usd: US dollars that each call is said to cost; None for unknown.
        keep: Calls to keep in `calls`, the latest; None for all.
        takes_pictures: Whether it is shown the pictures that tools give.

    Attributes:
        calls: The calls so far.
    """

    def __init__(
        self,
        script: Iterable[Turn | str] | Callable[[Call], Turn | str],
        *,
        name: str = "scripted:model",
        context_window: int | None = None,
        cost_usd: Decimal | None = None,
        keep: int | None = None,
        takes_pictures: bool = False,
    ) -> None:
        self.takes_pictures = takes_pictures
        self.calls: deque[Call] = deque(maxlen=keep)
        self._script = script if callable(script) else iter(script)
        self._name = name
        self._window = context_window
        self._cost = cost_usd

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def context_window(self) -> int | None:
        """As given."""
        return self._window

    @property
    def destination(self) -> str:
        """Nowhere: it runs in this process."""
        return ""

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:  # noqa: ARG002 -- a price a call
        """Return the cost of one call, as given."""
        return self._cost

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""

    async def stream(
        self,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[BaseTool] = (),
        schema: Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
    ) -> AsyncIterator[Delta | Reply]:
        """Yield the next turn's text in pieces, and the reply last."""
        call = Call(
            messages=tuple(messages),
            tools=tuple(tools),
            schema=schema,
            max_output_tokens=max_output_tokens,
        )
        self.calls.append(call)
        turn = self._script(call) if callable(self._script) else next(self._script, None)
        if isinstance(turn, str):
            turn = Turn(text=turn)
        if turn is None:
            raise ModelError("The script has no more turns.", model=self._name)
        if turn.delay:
            await anyio.sleep(turn.delay)
        shown = pieces(turn.text, turn.pieces)
        if turn.fault is not None and not turn.fault.kind.startswith(("cut_", "error_")):
            raise self._raised(turn.fault)
        for piece in shown if turn.fault is None else shown[: len(shown) // 2]:
            yield Delta(text=piece)
        if turn.fault is not None:
            raise self._raised(turn.fault)
        yield self._reply(turn, messages)

    def _raised(self, fault: Fault) -> ModelError:
        words = words_of(fault.kind, fault.message) or f"The answer is broken: {fault.kind}."
        kind = _RAISED[fault.kind]
        if kind is RateLimited:
            asked = fault.retry_after
            seconds = asked if isinstance(asked, float | int) else None
            return RateLimited(words, model=self._name, retry_after=seconds)
        return kind(words, model=self._name)

    def _reply(self, turn: Turn, messages: Sequence[BaseMessage]) -> Reply:
        """Return the turn as a reply; tokens that it does not name are counted as words."""
        tokens = turn.tokens
        asked = len(messages[-1].text.split()) if messages else 0
        usage = Usage(
            input_tokens=tokens.input if tokens else asked,
            cached_input_tokens=tokens.cached if tokens else 0,
            output_tokens=tokens.output if tokens else len(turn.text.split()),
            cost_usd=self._cost,
        )
        stop = "tool_calls" if turn.tool_calls and turn.stop == "done" else turn.stop
        return Reply(
            message=_message(turn),
            text=turn.text,
            usage=usage,
            model=turn.model or self._name.partition(":")[2],
            stop={"done": "stop", "filter": "content_filter"}.get(stop, stop),
        )


def _message(turn: Turn) -> AIMessage:
    """Return the turn as LangChain's message: reasoning blocks, text, calls good and broken."""
    from langchain_core.messages import AIMessage
    from langchain_core.messages.tool import invalid_tool_call, tool_call

    calls, broken = [], []
    for call in turn.calls:
        try:
            arguments = json.loads(call.arguments_text or "{}")
        except ValueError:
            arguments = None
        if isinstance(arguments, dict):
            calls.append(tool_call(name=call.name, args=arguments, id=call.id))
        else:
            error = "The arguments are no JSON object."
            broken.append(
                invalid_tool_call(name=call.name, args=call.arguments_text, id=call.id, error=error)
            )
    if not turn.reasoning:
        return AIMessage(content=turn.text, tool_calls=calls, invalid_tool_calls=broken)
    blocks: list[str | dict[str, Any]] = [_reasoning(part) for part in turn.reasoning]
    if turn.text:
        blocks.append({"type": "text", "text": turn.text})
    # As Anthropic's client gives them, so that `content_blocks` finds the reasoning.
    return AIMessage(
        content=blocks,
        tool_calls=calls,
        invalid_tool_calls=broken,
        response_metadata={"model_provider": "anthropic"},
    )


def _reasoning(part: Reasoning) -> dict[str, Any]:
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.seal}
    return {"type": "thinking", "thinking": part.text, "signature": part.seal}
