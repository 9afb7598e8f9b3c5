"""Any chat model that LangChain has a client for, as `provider:model`.

Every call streams. The client is made at the first call, by `init_chat_model`; options reach it
as they are, and providers' own environment variables (OPENAI_API_KEY, OPENAI_BASE_URL,
ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL …) hold. How cache breakpoints and schemas go to each
provider says `provider_requests`; how streams end, `provider_replies`; what errors mean,
`provider_errors`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio

from harness.adapters.prices import cost_usd
from harness.adapters.provider_clients import (
    chat_client,
    chat_profile,
    check_chat_provider,
    own_pool,
)
from harness.adapters.provider_errors import Fault, read_error
from harness.adapters.provider_names import secrets_in, split_name
from harness.adapters.provider_replies import InlineReasoning, make_reply
from harness.adapters.provider_requests import (
    cache_key,
    family_of,
    mark_cache,
    output_limit,
    schema_arguments,
)
from harness.adapters.provider_retries import Retries
from harness.errors import ModelError, RateLimited, RequestRefused
from harness.values import Delta, Reply

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.tools import BaseTool

__all__ = ["LangChainModel"]

_SCHEMA_WORDS = ("response_format", "json_schema", "output_config", "output_format", "text.format")


@dataclass(frozen=True, kw_only=True)
class _Request:
    messages: Sequence[BaseMessage]
    tools: Sequence[BaseTool]
    schema: Mapping[str, Any] | None
    max_output_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class _Open:
    """A client in use, and what closes its connections."""

    chat: BaseChatModel
    close: Callable[[], Awaitable[None]]


class LangChainModel:
    """A chat model behind LangChain's `init_chat_model`.

    Args:
        name: `provider:model`, the provider as `init_chat_model` names it.
        options: Go to the client as they are: base_url, temperature, use_responses_api,
            reasoning effort, thinking budget …
        timeout: Seconds that a stream may stay silent, before its first byte or later; None
            for no limit.
        max_retries: Retries after a first try that failed for a passing reason.
        retries: The whole retry policy; its `most` gives way to `max_retries`.

    Raises:
        UnknownModel: The name is not `provider:model`.
    """

    def __init__(
        self,
        name: str,
        *,
        options: Mapping[str, Any] | None = None,
        timeout: float | None = 600.0,
        max_retries: int = 4,
        retries: Retries | None = None,
    ) -> None:
        self._provider, self._model = split_name(name)
        self._name = name
        self._options = dict(options or {})
        self._timeout = timeout
        self._retries = replace(retries or Retries(), most=max_retries)
        self._open: dict[asyncio.AbstractEventLoop, _Open] = {}
        self._profile: Mapping[str, Any] | None = None
        self._takes_schema = True

    @property
    def name(self) -> str:
        """As configured."""
        return self._name

    @property
    def context_window(self) -> int | None:
        """Most input tokens, from LangChain's profile of the model; None where it has none.

        `model_options: {profile: {max_input_tokens: N}}` says it for a model of your own.
        """
        tokens = self._known().get("max_input_tokens")
        return int(tokens) if tokens else None

    @property
    def takes_pictures(self) -> bool:
        """Whether it takes pictures, from the same profile; unknown is no."""
        return self._known().get("image_inputs") is True

    def _known(self) -> Mapping[str, Any]:
        if self._profile is None:
            self._profile = chat_profile(self._name, self._options)
        return self._profile

    @property
    def destination(self) -> str:
        """Whose API the text goes to, and where that is if the user has said so.

        Raises:
            UnknownModel: No such provider.
            MissingPackage: Its client library is not installed.
        """
        check_chat_provider(self._name)
        variables = (f"{self._provider.upper()}_BASE_URL", f"{self._provider.upper()}_API_BASE")
        told = [self._options.get("base_url"), *map(os.environ.get, variables)]
        where = next((str(url) for url in told if url), "")
        return f"{self._provider} at {where}" if where else self._provider

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        """Return the price in US dollars, nothing cached; None where it is not known."""
        return cost_usd(
            self._provider,
            (self._model,),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )

    async def stream(
        self,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[BaseTool] = (),
        schema: Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
    ) -> AsyncIterator[Delta | Reply]:
        """Yield what the model says as it comes, without reasoning, and the whole reply last.

        A try that fails for a passing reason (429, 5xx, a timeout, a connection refused or cut,
        an answer that is none) is made again; where text had come, `Delta(restart=True)` first
        takes it back.

        Raises:
            ModelError: The last try's, or at once where trying again is no use.
        """
        sent = schema if self._takes_schema else None
        request = _Request(
            messages=messages, tools=tools, schema=sent, max_output_tokens=max_output_tokens
        )
        failed = 0
        while True:
            said = False
            try:
                async with aclosing(self._once(request)) as pieces:
                    async for piece in pieces:
                        yield piece
                        said = said or isinstance(piece, Delta)
                return
            except _Broken as broken:
                fault = broken.fault
            if said:
                yield Delta(restart=True)
            if _schema_refused(request, fault.error):
                # The prompt carries the schema too, so a model that takes none still answers.
                self._takes_schema = False
                request = replace(request, schema=None)
                continue
            failed += 1
            limited = isinstance(fault.error, RateLimited)
            retry = self._retries.wait(failed, fault.asked, limited=limited)
            wait = retry if fault.retry else None
            if wait is None:
                raise _tried(fault.error, failed)
            await self._retries.sleep(wait)

    async def aclose(self) -> None:
        """Close the connections that the running event loop opened; a later call opens anew."""
        if (opened := self._open.pop(asyncio.get_running_loop(), None)) is not None:
            await opened.close()

    async def _once(self, request: _Request) -> AsyncGenerator[Delta | Reply, None]:
        """Make one try; whatever goes wrong comes out as `_Broken`."""
        chunks: list[AIMessageChunk] = []
        said: list[str] = []
        inline = InlineReasoning()
        try:
            chat = self._client()
            async with aclosing(self._chunks(chat, request)) as source:
                async for chunk in source:
                    chunks.append(chunk)
                    if text := inline.feed(chunk.text):
                        said.append(text)
                        yield Delta(text=text)
            if text := inline.close():
                said.append(text)
                yield Delta(text=text)
            yield make_reply(chunks, "".join(said), name=self._name, family=family_of(chat))
        except Exception as error:
            secrets = secrets_in(self._options)
            fault = read_error(error, self._name, secrets, began=bool(chunks))
            # Not chained: a library's own message and request may hold the key.
            raise _Broken(fault) from None

    async def _chunks(
        self, chat: BaseChatModel, request: _Request
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """Yield the client's chunks, none later than the timeout after the one before."""
        family = family_of(chat)
        runnable = chat.bind_tools(list(request.tools)) if request.tools else chat
        arguments = cache_key(request.messages, chat, self._model)
        if request.schema is not None:
            bound = getattr(runnable, "kwargs", {})
            arguments |= schema_arguments(chat, family, request.schema, bound)
        if request.max_output_tokens is not None:
            arguments |= output_limit(chat, family, request.max_output_tokens)
        messages = mark_cache(request.messages, family, self._model)
        stream = runnable.astream(messages, **arguments)
        from langsmith import tracing_context

        async with aclosing(stream) as source:  # type: ignore[type-var] # an async generator
            while True:
                try:
                    # LANGSMITH_TRACING would send the domain's text to one provider more.
                    with anyio.fail_after(self._timeout), tracing_context(enabled=False):
                        chunk = await anext(source)
                except StopAsyncIteration:
                    return
                yield chunk  # type: ignore[misc] # chat models stream AIMessageChunk

    def _client(self) -> BaseChatModel:
        """Return the running event loop's client; each has connections of its own."""
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            for old in [other for other in self._open if other.is_closed()]:
                del self._open[old]
            chat = chat_client(self._name, self._options, self._timeout)
            self._open[loop] = _Open(chat=chat, close=own_pool(chat))
        return self._open[loop].chat


def _schema_refused(request: _Request, error: ModelError) -> bool:
    """Return whether the provider refused the schema itself, which a retry can leave out."""
    refused = request.schema is not None and type(error) is RequestRefused
    return refused and any(word in error.message for word in _SCHEMA_WORDS)


class _Broken(Exception):
    """Carries a fault out of one try."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.error.message)
        self.fault = fault


def _tried(error: ModelError, tries: int) -> ModelError:
    """Say in the error how often it was tried."""
    if tries > 1:
        error.message = f"{error.message} Tried {tries} times."
    return error
