"""Searching a bank: dense and BM25, fused by reciprocal rank."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bank.bm25 import TermIndex
from harness.bank.index import hold, read_items, read_manifest
from harness.bank.plane import read_plane
from harness.errors import BankError
from harness.values import BankItem, Group, Hits, Plane
from harness.words import WordTable

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Embedder, Store, VectorIndex

__all__ = ["Bank"]

logger = logging.getLogger(__name__)

DEPTH = 200
"""How deep each of the two searches goes, at the least."""
FUSE = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""


class Bank:
    """An index folder opened for reading.

    Attributes:
        version: Name of the index: a hash of content, models and format.
        items: Every item, in row order.
        words: The words of every item.
        plane: Where each example stands on the map, in the order of the items.
        close: Lets go of files and memory; a second call does nothing.
    """

    def __init__(self, folder: Path, *, embedder: Embedder, store: Store) -> None:
        """Open the folder.

        Raises:
            BankError: The folder is missing or damaged.
        """
        import numpy as np

        with ExitStack() as held:
            held.enter_context(hold(folder))
            manifest = read_manifest(folder)
            self.version = manifest.version
            self.items: Sequence[BankItem] = [item for _, item in read_items(folder)]
            self.words = WordTable.load(folder)
            self.plane: Plane = read_plane(folder)
            self._embedder = embedder
            self._vectors: np.ndarray = np.load(folder / "vectors.npy", mmap_mode="r")
            self._rows = {item.key: row for row, item in enumerate(self.items)}
            self._is_passage = np.array([item.kind == "passage" for item in self.items], dtype=bool)
            self._terms = TermIndex(folder / "bm25")
            self._index: VectorIndex = store.open(folder / manifest.store)
            held.callback(self._index.close)
            # A bank that a newer one has replaced is let go when its last user is done with it.
            self.close = weakref.finalize(self, held.pop_all().close)

    def row_of(self, key: str) -> int | None:
        """Return the row of an item by its key, `example/t001`."""
        return self._rows.get(key)

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return float32 of shape (len(rows), dimensions)."""
        import numpy as np

        return np.asarray(self._vectors[rows])

    def embed(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 of shape (dimensions,)."""
        vector: np.ndarray = self._embedder.embed([text])[0]
        return vector

    def similarity(self, rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the cosine of each row with a vector."""
        import numpy as np

        if not len(rows):  # the vectors of an empty bank have no dimensions
            return np.empty(0, dtype=np.float32)
        result: np.ndarray = self.vectors(rows) @ vector
        return result

    def search(self, text: str, vector: np.ndarray, group: Group, depth: int = DEPTH) -> Hits:
        """Find what is near a question in meaning or in words.

        Args:
            text: The question.
            vector: Its embedding.
            group: Demonstrations (examples and eval cases) or passages.
            depth: How many the dense and the BM25 search each give.
        """
        import numpy as np

        dense = self._by_meaning(vector, group, depth)
        sparse = self._by_words(text, group, depth)
        rows, place = np.unique(np.concatenate([dense, sparse]), return_inverse=True)
        score = np.zeros(len(rows))
        for ranked, at in ((dense, place[: len(dense)]), (sparse, place[len(dense) :])):
            score[at] += 1 / (FUSE + 1 + np.arange(len(ranked)))
        order = np.argsort(-score, kind="stable")
        rows, score = rows[order], score[order]
        return Hits(
            rows=rows,
            relevance=score / score[0] if len(score) else score,
            similarity=self.similarity(rows, vector).astype(np.float64),
        )

    def _by_meaning(self, vector: np.ndarray, group: Group, depth: int) -> np.ndarray:
        """Return the rows of the nearest vectors, best first."""
        import numpy as np

        wanted = min(depth, int(np.count_nonzero(self._is_passage == (group == "passages"))))
        try:
            keys, near = self._index.query(group, vector, depth)
            if len(keys) < wanted:
                raise BankError(f"The vector store gave {len(keys)} of {wanted} {group}.")
        except BankError as error:  # somebody took its folder away; the vectors are still mapped
            logger.warning("%s All vectors are compared instead.", error)
            return self._by_scan(vector, group, depth)
        dense = np.array([self._rows[key] for key in keys], dtype=np.int64)
        # Equally near by row: the order must not hang on how the index came to be.
        ordered: np.ndarray = dense[np.lexsort((dense, -np.round(near, 6)))]
        return ordered

    def _by_scan(self, vector: np.ndarray, group: Group, depth: int) -> np.ndarray:
        import numpy as np

        rows = np.flatnonzero(self._is_passage == (group == "passages"))
        near = self.similarity(rows, vector)
        ordered: np.ndarray = rows[np.lexsort((rows, -np.round(near, 6)))][:depth]
        return ordered

    def _by_words(self, text: str, group: Group, depth: int) -> np.ndarray:
        """Return the best rows by BM25, best first; only rows that share a word."""
        import numpy as np

        scores = self._terms.scores(text)
        if scores is None:
            return np.empty(0, dtype=np.int64)
        wanted = self._is_passage if group == "passages" else ~self._is_passage
        scores = np.where(wanted, scores, 0)
        best = np.arange(len(scores))
        if depth < len(scores):
            best = np.argpartition(scores, len(scores) - depth)[-depth:]
        best = best[scores[best] > 0]
        # Equal scores by row: the order must not hang on how the partition fell.
        ordered: np.ndarray = best[np.lexsort((best, -scores[best]))]
        return ordered
