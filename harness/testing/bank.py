"""A bank in memory: items as a real one has them, searched by an exact scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.bank.items import bank_items, entries, version_of
from harness.context import RENDERING, renderer
from harness.testing.fakes import HashEmbedder
from harness.values import BankItem, Group, Hits
from harness.words import WordTable

if TYPE_CHECKING:
    import numpy as np

    from harness.domain import Domain
    from harness.seams import Counter, Embedder

__all__ = ["MemoryBank"]


class MemoryBank:
    """What packing asks of a bank, with nothing on disk.

    Args:
        domain: Its approved examples, dev cases and passages are the items.
        embedder: Makes the vectors.
        counter: Counts the tokens of rendered items.

    Attributes:
        version: As a real index of the same content would be named.
        items: Every item, in the folder's order.
        words: The words of every item.
    """

    def __init__(
        self, domain: Domain, *, embedder: Embedder | None = None, counter: Counter | None = None
    ) -> None:
        self._embedder = embedder or HashEmbedder()
        counter = counter or TiktokenCounter()
        wanted = entries(domain, RENDERING)
        self.version = version_of(wanted, f"{self._embedder.name}\n{counter.name}")
        self.items: Sequence[BankItem] = bank_items(
            wanted,
            by_label=domain.settings.answer.kind == "label",
            render=renderer(domain.rubrics),
            count=counter.count,
            known={},
        )
        self.words = WordTable.of([item.text for item in self.items])
        self._vectors = self._embedder.embed([item.text for item in self.items])
        self._rows = {item.key: row for row, item in enumerate(self.items)}

    def row_of(self, key: str) -> int | None:
        """Return the row of an item by its key, `example/t001`."""
        return self._rows.get(key)

    def embed(self, text: str) -> np.ndarray:
        """Return the vector of a question."""
        vector: np.ndarray = self._embedder.embed([text])[0]
        return vector

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of these rows."""
        rows_of: np.ndarray = self._vectors[rows]
        return rows_of

    def similarity(self, rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the cosine of each row with a vector."""
        import numpy as np

        if not len(rows):
            return np.empty(0, dtype=np.float32)
        similarity: np.ndarray = np.vecdot(self._vectors[rows], vector)
        return similarity

    def search(self, text: str, vector: np.ndarray, group: Group, depth: int) -> Hits:  # noqa: ARG002 -- by meaning alone
        """Return the nearest of a group, best first; a relevance is its share of the best's."""
        import numpy as np

        passages = group == "passages"
        of_group = [
            row for row, item in enumerate(self.items) if (item.kind == "passage") == passages
        ]
        rows = np.array(of_group, dtype=np.int64)
        similarity = self.similarity(rows, vector).astype(np.float64)
        best = np.argsort(-similarity, kind="stable")[:depth]
        rows, similarity = rows[best], similarity[best]
        relevance = (1 + similarity) / (1 + similarity[0]) if len(rows) else similarity
        return Hits(rows=rows, relevance=relevance, similarity=similarity)
