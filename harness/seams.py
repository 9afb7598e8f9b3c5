"""The seams: everything that can be exchanged, on one page.

Adapters in `harness/adapters/` implement them over a library; `harness.testing` has a fake of
each; `harness.wiring` alone knows which setting names which adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

    from harness.values import BankItem, Delta, Group, Hits, Reply
    from harness.words import WordTable

__all__ = [
    "Change",
    "Counter",
    "Embedder",
    "Model",
    "Progress",
    "Searchable",
    "Store",
    "TokenRatios",
    "VectorGroup",
    "VectorIndex",
    "Workspace",
    "WorkspaceFile",
]

Progress = Callable[[int, int], None]
"""Called with (done, of how many) as long work goes on."""


class Embedder(Protocol):
    """Texts to vectors. Each vector depends on its own text alone."""

    @property
    def name(self) -> str:
        """What the domain's `embedding` names, and one with its index: never mixed."""

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float32 of shape (len(texts), dimensions), every row of length 1.

        Raises:
            ModelError: A provider behind it failed.
        """


class Counter(Protocol):
    """Texts to token counts."""

    @property
    def name(self) -> str:
        """The encoding: `o200k_base`."""

    def count(self, text: str) -> int:
        """Return how many tokens the text has; special tokens count as plain text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorGroup:
    """The wanted state of one group of vectors in a store, and how to get there.

    Attributes:
        keys: All keys, in row order.
        vectors: float32 of shape (len(keys), dimensions), rows of length 1.
        add: Row numbers that the store does not hold yet.
        remove: Keys that it still holds and should not.
    """

    keys: Sequence[str]
    vectors: np.ndarray
    add: Sequence[int]
    remove: Sequence[str] = ()


class VectorIndex(Protocol):
    """A store opened for reading."""

    def query(self, group: str, vector: np.ndarray, k: int) -> tuple[list[str], list[float]]:
        """Return the keys of the k nearest and their cosine similarities, best first."""

    def count(self, group: str) -> int:
        """Return how many vectors the group has; 0 where there is no such group."""

    def close(self) -> None:
        """Let go of files and memory."""


class Store(Protocol):
    """Keeps groups of vectors in a folder."""

    def prepare(self) -> AbstractContextManager[None]:
        """Have ready, in the background, what is slow to start: an `update` comes within."""

    def update(self, folder: Path, groups: Mapping[str, VectorGroup]) -> None:
        """Bring the store in `folder` to the wanted state and close it; makes it if need be.

        A process of its own then reads it: counts and sample queries have to come out right.

        Raises:
            OSError: The folder can't be written.
            BankError: What was there is damaged, or what was written could not be read back.
        """

    def steady(self, folder: Path) -> Iterator[Path]:
        """Yield the files of the store in `folder` that reading leaves as they are."""

    def open(self, folder: Path) -> VectorIndex:
        """Open the store in `folder` for reading.

        Raises:
            BankError: There is no sound store there.
        """


class Searchable(Protocol):
    """What packing asks of a bank."""

    @property
    def version(self) -> str:
        """Name of the index: a hash of content, models and format."""

    @property
    def items(self) -> Sequence[BankItem]:
        """Every item, in row order."""

    @property
    def words(self) -> WordTable:
        """The words of every item."""

    def row_of(self, key: str) -> int | None:
        """Return the row of an item by its key, `example/t001`."""

    def embed(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 of shape (dimensions,)."""

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return float32 of shape (len(rows), dimensions)."""

    def similarity(self, rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the cosine of each row with a vector."""

    def search(self, text: str, vector: np.ndarray, group: Group, depth: int) -> Hits:
        """Find what is near a question in meaning or in words, best first."""


class Model(Protocol):
    """A chat model behind `provider:model` or `baseline:nearest`."""

    @property
    def name(self) -> str:
        """As configured: `openai:gpt-5`."""

    @property
    def context_window(self) -> int | None:
        """Most input tokens that the model takes, where known."""

    @property
    def destination(self) -> str:
        """To whom the text goes; empty where it stays on this machine.

        Raises:
            ModelError: It could go to nobody: no such provider, or no client for it.
        """

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        """Return the price in US dollars, nothing cached; None where it is not known."""

    async def aclose(self) -> None:
        """Close the connections that the running event loop opened; a later call opens anew."""

    def stream(
        self,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[BaseTool] = (),
        schema: Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
    ) -> AsyncIterator[Delta | Reply]:
        """Yield text as it comes, and the whole reply last.

        A content block of type text with `"cache": True` ends a stretch that stays the same
        from call to call; an adapter whose provider takes breakpoints sets one there.

        Args:
            messages: LangChain messages.
            tools: Tools that the model may call.
            schema: JSON Schema that the answer has to follow, for models that take one.
            max_output_tokens: Most that the model may write, where a budget has to be kept.

        Raises:
            ModelError: After retries; see `harness.errors`.
        """


class TokenRatios(Protocol):
    """How many of a model's tokens one of the counter's is; remembered from run to run."""

    def of(self, model: str) -> float | None:
        """Return the ratio of a model by name; None where nothing was learnt."""

    def note(self, seen: Mapping[str, float]) -> None:
        """Learn from what calls of some models came to; never raises for what can't be kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What became of one file of a workspace. None: it was not, or is not, there."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceFile:
    """A file of a workspace: its path from there, with slashes, and its size."""

    path: str
    bytes: int


class Workspace(Protocol):
    """The folder that a run works in, on copies; nothing in it leads out of it."""

    def changes(self) -> Sequence[Change]:
        """Return what changed since the last call, by path; a restored file counts as changed.

        The files that the run began with do not count. After a crash, what the last call gave
        may come once more: a change is never lost.

        Raises:
            OSError: The folder can't be read.
        """

    def restore(self, path: str, content: bytes | None) -> None:
        """Make a file what it was; None takes it away.

        Raises:
            WorkspaceError: A file can't stand there.
        """

    def files(self) -> Sequence[WorkspaceFile]:
        """Return the files that may be read, by path."""

    def oddities(self) -> Sequence[str]:
        """Return, in words, what is there that may not be read: links, devices, huge files."""

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileMissing: There is no such file.
            WorkspaceError: There is none that may be read.
        """

    def write(self, path: str, content: bytes) -> None:
        """Write a file, all or nothing; folders on the way are made.

        Raises:
            WorkspaceError: A file can't stand there.
        """

    def seen(self, path: str) -> str:
        """Return the SHA-256 of the file's content when the model last saw it, or nothing."""

    def see(self, path: str, digest: str) -> None:
        """Keep the SHA-256 of the content that the model now knows, over restarts too."""
