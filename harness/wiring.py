"""From the name of a setting to the adapter behind it: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import ProviderNotAllowed, UnknownModel

if TYPE_CHECKING:
    from pathlib import Path

    from harness.adapters.workspace_folder import FolderWorkspace
    from harness.journal.masking import Masker
    from harness.seams import Counter, Embedder, Journal, Model, Store
    from harness.settings import Settings

__all__ = [
    "make_counter",
    "make_embedder",
    "make_journal",
    "make_model",
    "make_store",
    "make_workspace",
    "remove_workspace",
]


def make_counter() -> Counter:
    """Return the token counter."""
    from harness.adapters.counter_tiktoken import TiktokenCounter

    return TiktokenCounter()


def make_store() -> Store:
    """Return the vector store."""
    from harness.adapters.store_chroma import ChromaStore

    return ChromaStore()


def make_journal(settings: Settings, home: Path, masker: Masker) -> Journal:
    """Return the journal of a state folder, or of the database that the settings name.

    Raises:
        StateError: It can't be opened, or a newer version of this program wrote it.
    """
    from harness.adapters.journal_sql import SqlJournal
    from harness.settings import find_keys

    return SqlJournal(home, find_keys(settings), url=settings["database"], masker=masker)


def make_workspace(folder: Path) -> FolderWorkspace:
    """Return the workspace in a folder, which is made if it is not there.

    Raises:
        StateError: It can't be made.
    """
    from harness.adapters.workspace_folder import FolderWorkspace

    return FolderWorkspace(folder)


def remove_workspace(folder: Path) -> None:
    """Take a run's workspace away, whatever stands in it.

    Raises:
        StateError: It can't be removed.
    """
    from harness.adapters.workspace_folder import remove_workspace as remove

    remove(folder)


def make_embedder(name: str) -> Embedder:
    """Return the embedder that a domain's `embedding` names: `minilm` or `provider:model`."""
    if name == "minilm":
        from harness.adapters.embedder_minilm import MiniLMEmbedder

        return MiniLMEmbedder()
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
    if allowed is not None and provider not in allowed:
        raise ProviderNotAllowed(
            f"This domain's text may not be sent to {provider} "
            f"(providers_allowed: {', '.join(allowed) or 'none'}).",
            "Choose another model, baseline:nearest among them, or change domain.yaml.",
            model=name,
        )
    from harness.adapters.model_langchain import LangChainModel

    return LangChainModel(
        name, options=options or {}, timeout=settings["timeout"], max_retries=settings["retries"]
    )
