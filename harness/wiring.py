"""From the name of a setting to the adapter behind it: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ProviderNotAllowed, UnknownModel

if TYPE_CHECKING:
    from harness.adapters.trust_file import TrustFile
    from harness.adapters.workspace_folder import FolderWorkspace
    from harness.domain.own_servers import OwnServer
    from harness.evals.record import EvalStore
    from harness.journal.masking import Masker
    from harness.seams import Counter, Embedder, Model, Store, TokenRatios
    from harness.seams_hands import Calculator, Sandbox, ToolServer
    from harness.seams_journal import Journal
    from harness.settings import Settings

__all__ = [
    "check_allowed",
    "made_beforehand",
    "make_calculator",
    "make_counter",
    "make_embedder",
    "make_eval_store",
    "make_host_runner",
    "make_journal",
    "make_model",
    "make_ratios",
    "make_sandbox",
    "make_server",
    "make_store",
    "make_trust_file",
    "make_workspace",
    "rate_limits_left",
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


def make_ratios(home: Path) -> TokenRatios:
    """Return what remembers how models count tokens, in a state folder."""
    from harness.adapters.ratio_file import FileRatios

    return FileRatios(home)


def make_eval_store(home: Path, settings: Settings) -> EvalStore:
    """Return what keeps eval runs, in a state folder or the database that the settings name.

    It is opened when it is first used.
    """
    from harness.adapters.evals_sql import SqlEvalStore

    return SqlEvalStore(home / "harness.db", settings["database"])


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


def made_beforehand(embedder: Embedder) -> Path | None:
    """Return the folder of vectors that the harness ships for this embedder; None for others."""
    from harness.adapters.embedder_minilm import MiniLMEmbedder

    return embedder.shipped if isinstance(embedder, MiniLMEmbedder) else None


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


def make_sandbox(settings: Settings | None = None, cache: Path | None = None) -> Sandbox:
    """Return the sandbox for code of models and experts; nothing is started.

    Args:
        settings: Its limits; the usual ones by default.
        cache: A folder for what takes long to make and is the same each time.
    """
    from harness.adapters.sandbox_bubblewrap import BubblewrapSandbox
    from harness.seams_hands import SandboxLimits

    if settings is None:
        return BubblewrapSandbox(cache=cache)
    return BubblewrapSandbox(
        SandboxLimits(
            seconds=settings["sandbox_seconds"],
            memory=settings["sandbox_memory"] << 20,
            disk=settings["sandbox_disk"] << 20,
        ),
        cache=cache,
    )


def make_calculator() -> Calculator:
    """Return the interpreter for small calculations; nothing is started."""
    from harness.adapters.sandbox_monty import MontyCalculator

    return MontyCalculator()


def make_host_runner(folder: Path, variables: Mapping[str, str]) -> Sandbox:
    """Return what runs functions that were granted the host, by name.

    Args:
        folder: Where their modules stand.
        variables: Secrets that are passed on.
    """
    from harness.adapters.sandbox_host import HostRunner

    return HostRunner(folder, variables=variables)


def make_server(
    server: OwnServer, folder: Path, *, before_start: Callable[[], None] = lambda: None
) -> ToolServer:
    """Return an MCP server; it is started when one of its tools is first called.

    Args:
        server: As the domain names it.
        folder: The domain's `tools/`.
        before_start: Called before each start; raises where it may not be started.
    """
    from harness.adapters.mcp_server import McpServer

    return McpServer(server, folder, before_start=before_start)


def make_trust_file(home: Path, keys: Path) -> TrustFile:
    """Return the record of trust of a state folder, sealed with a key of the keys folder."""
    from harness.adapters.trust_file import TrustFile

    return TrustFile(home, keys)


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
