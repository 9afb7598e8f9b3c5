"""LangChain's clients made from `provider:model` and options; nothing is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from harness.adapters.provider_errors import mask
from harness.adapters.provider_names import (
    check_key,
    check_package,
    secrets_in,
    split_name,
    unknown_provider,
)
from harness.adapters.provider_requests import family_of
from harness.errors import ModelError, RequestRefused

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel

__all__ = ["chat_client", "chat_profile", "embeddings_client", "own_pool"]

Client = TypeVar("Client")


def chat_client(name: str, options: Mapping[str, Any], timeout: float | None) -> BaseChatModel:
    """Return the client of a chat model.

    Its own retries are off and its timeout is ours, unless the options say otherwise: what
    is retried twice, at two levels, waits too long and hides from the budget.

    Raises:
        UnknownModel: No such provider.
        MissingPackage: Its client library is not installed.
        MissingKey: No key is set.
        RequestRefused: The client does not take the options.
    """
    from langchain.chat_models import init_chat_model

    provider, model = split_name(name)
    check_chat_provider(name)
    check_key(name, provider, options)

    def make(extra: Mapping[str, Any]) -> BaseChatModel:
        chat: BaseChatModel = init_chat_model(
            model, model_provider=provider, **{**extra, **options}
        )
        return chat

    chat = _made(name, options, make, timeout)
    _tune(chat, options)
    return chat


def check_chat_provider(name: str) -> None:
    """Make sure that there is such a provider of chat models, and its client library.

    Raises:
        UnknownModel: No such provider.
        MissingPackage: Its client library is not installed.
    """
    from langchain.chat_models import base

    provider, _ = split_name(name)
    known = base._BUILTIN_PROVIDERS
    if provider not in known:
        raise unknown_provider(name, provider, known)
    check_package(name, provider, known[provider][0])


def chat_profile(name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what LangChain knows of a model, with no key needed; empty where it can't."""
    if isinstance(given := options.get("profile"), Mapping):
        return given
    keyless = {**options, "api_key": "none"}
    try:
        return chat_client(name, keyless, None).profile or {}
    except ModelError:
        return {}


def embeddings_client(name: str, options: Mapping[str, Any], timeout: float | None) -> Embeddings:
    """Return the client of an embedding model; raises as `chat_client` does."""
    from langchain.embeddings import base, init_embeddings

    provider, model = split_name(name)
    known = base._BUILTIN_PROVIDERS
    if provider not in known:
        raise unknown_provider(name, provider, known)
    check_package(name, provider, known[provider][0])
    check_key(name, provider, options)
    # Else the client would cut texts by an encoding that tiktoken downloads.
    ours = {"check_embedding_ctx_length": False} if provider.endswith("openai") else {}

    def make(extra: Mapping[str, Any]) -> Embeddings:
        return init_embeddings(model, provider=provider, **{**ours, **extra, **options})

    return _made(name, options, make, timeout)


def own_pool(chat: BaseChatModel) -> Callable[[], Awaitable[None]]:
    """Give a client connections of its own; return what closes them.

    LangChain keeps one pool a base URL for the whole process. Connections belong to the event
    loop that opened them, so a second loop would be handed dead ones ("Event loop is closed").
    """
    family = family_of(chat)
    if family == "openai" and not (
        getattr(chat, "http_async_client", None) or getattr(chat, "openai_proxy", None)
    ):
        import openai

        root = chat.root_async_client.with_options(  # type: ignore[attr-defined] # by its family
            http_client=openai.DefaultAsyncHttpxClient()
        )
        chat.root_async_client = root  # type: ignore[attr-defined] # as above
        chat.async_client = root.chat.completions  # type: ignore[attr-defined] # as above
        return root.close  # type: ignore[no-any-return] # the SDK's own
    if family == "anthropic" and not getattr(chat, "anthropic_proxy", None):
        import anthropic

        client = chat._async_client.with_options(  # type: ignore[attr-defined] # by its family
            http_client=anthropic.DefaultAsyncHttpxClient()
        )
        # A cached property: what stands in the instance is what it gives.
        chat.__dict__["_async_client"] = client
        return client.close  # type: ignore[no-any-return] # the SDK's own
    return _nothing


async def _nothing() -> None:
    """Close nothing."""


def _made(
    name: str,
    options: Mapping[str, Any],
    make: Callable[[Mapping[str, Any]], Client],
    timeout: float | None,
) -> Client:
    """Make a client with our timeout and no retries; without them where it takes neither."""
    try:
        try:
            return make({"timeout": timeout, "max_retries": 0})
        except (TypeError, ValueError):
            return make({})
    except Exception as error:
        raise RequestRefused(
            f"The client of {name} can't be made: {_options_wrong(error, secrets_in(options))}",
            "Check model_options.",
            model=name,
        ) from None


def _options_wrong(error: Exception, secrets: frozenset[str]) -> str:
    """Say which options a client does not take; pydantic lists them."""
    listed = getattr(error, "errors", None)
    if not callable(listed):
        return mask(str(error), secrets)
    problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in listed()]
    return mask("; ".join(problems), secrets)


def _tune(chat: BaseChatModel, options: Mapping[str, Any]) -> None:
    """Have usage streamed, and leave the limit on a stream's silence to us."""
    fields = type(chat).model_fields
    if "stream_usage" in fields and "stream_usage" not in options:
        # OpenAI's client leaves it off where a base URL is set.
        chat.stream_usage = True  # type: ignore[attr-defined] # looked up above
    if "stream_chunk_timeout" in fields and "stream_chunk_timeout" not in options:
        chat.stream_chunk_timeout = None  # type: ignore[attr-defined] # looked up above
