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
    "Counter",
    "Embedder",
    "Model",
    "Progress",
    "Searchable",
    "Store",
    "VectorGroup",
    "VectorIndex",
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
    ) -> AsyncIterator[Delta | Reply]:
        """Yield text as it comes, and the whole reply last.

        A content block of type text with `"cache": True` ends a stretch that stays the same
        from call to call; an adapter whose provider takes breakpoints sets one there.

        Args:
            messages: LangChain messages.
            tools: Tools that the model may call.
            schema: JSON Schema that the answer has to follow, for models that take one.

        Raises:
            ModelError: After retries; see `harness.errors`.
        """
