"""From the name of a setting to the adapter behind it: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from harness.errors import ProviderNotAllowed, UnknownModel

if TYPE_CHECKING:
    from pathlib import Path

    from harness.evals.record import EvalStore
    from harness.seams import Counter, Embedder, Model, Store
    from harness.settings import Settings

__all__ = [
    "check_allowed",
    "make_counter",
    "make_embedder",
    "make_eval_store",
    "make_model",
    "make_store",
    "rate_limits_left",
]


def make_counter() -> Counter:
    """Return the token counter."""
    from harness.adapters.counter_tiktoken import TiktokenCounter

    return TiktokenCounter()


def make_store() -> Store:
    """Return the vector store."""
    from harness.adapters.store_chroma import ChromaStore

    return ChromaStore()


def make_eval_store(home: Path) -> EvalStore:
    """Return what keeps eval runs in a state folder."""
    from harness.adapters.evals_sql import SqlEvalStore

    return SqlEvalStore(home / "harness.db")


def rate_limits_left() -> AbstractContextManager[None]:
    """Return a context within which models leave trying again after a 429 to their caller."""
    from harness.adapters import provider_retries

    return provider_retries.rate_limits_left()


def make_embedder(name: str, *, allowed: tuple[str, ...] | None = None) -> Embedder:
    """Return the embedder that a domain's `embedding` names: `minilm` or `provider:model`.

    Args:
        name: As named.
        allowed: Providers that the text may be sent to; None allows any.

    Raises:
        ProviderNotAllowed: The provider is not among them.
        UnknownModel: The name has no such form.
    """
    if name == "minilm":
        from harness.adapters.embedder_minilm import MiniLMEmbedder

        return MiniLMEmbedder()
    check_allowed(name, allowed, "keep `embedding: minilm`, which sends nothing")
    from harness.adapters.embedder_langchain import LangChainEmbedder

    return LangChainEmbedder(name)


def make_model(
    name: str,
    *,
    settings: Settings,
    options: Mapping[str, Any] | None = None,
    allowed: tuple[str, ...] | None = None,
) -> Model:
    """Return the model behind a name.

    Args:
        name: `baseline:nearest` or `provider:model`.
        settings: Timeout and retries.
        options: Reach the provider's client as they are.
        allowed: Providers that the text may be sent to; None allows any.

    Raises:
        ProviderNotAllowed: The provider is not among them.
        UnknownModel: The name has no such form, or there is no such baseline.
    """
    provider, _, model = name.partition(":")
    if provider == "baseline":
        if model != "nearest":
            raise UnknownModel(
                f"There is no model {name}.", "Did you mean baseline:nearest?", model=name
            )
        from harness.adapters.model_nearest import NearestModel

        return NearestModel(make_counter())
    check_allowed(name, allowed, "choose another model, baseline:nearest among them,")
    from harness.adapters.model_langchain import LangChainModel

    return LangChainModel(
        name, options=options or {}, timeout=settings["timeout"], max_retries=settings["retries"]
    )


def check_allowed(name: str, allowed: tuple[str, ...] | None, instead: str) -> None:
    """Refuse a provider that the domain's text may not be sent to; None allows any.

    Args:
        name: `provider:model`.
        allowed: Providers.
        instead: What to do else, in words.

    Raises:
        ProviderNotAllowed: The provider is not among them.
    """
    provider = name.partition(":")[0]
    if allowed is not None and _plain(provider) not in map(_plain, allowed):
        raise ProviderNotAllowed(
            f"This domain's text may not be sent to {provider} "
            f"(providers_allowed: {', '.join(allowed) or 'none'}).",
            f"{instead[0].upper()}{instead[1:]} or change domain.yaml.",
            model=name,
        )


def _plain(provider: str) -> str:
    return provider.strip().replace("-", "_").lower()
