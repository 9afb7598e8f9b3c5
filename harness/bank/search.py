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
SCANNED = 20_000
"""Banks up to this many items are compared whole: exact, and as quick as the store.

Comparing takes 0.24 ms at 10,000 items of 384 dimensions and 1 ms at 20,000, one core.
"""
DEEP = 500
"""Deeper searches, too: the store then has to visit a good part of its graph."""
FUSE = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""
CLOSE = 6
"""Decimals of a similarity that count; processors differ in those below."""


class Bank:
    """An index folder opened for reading.

    Of the nearest vectors a store finds almost all, and not the same ones in every copy of an
    index. So up to `SCANNED` items all vectors are compared: a domain version then has the same
    hits everywhere. Equally good ones stand in the order of their keys.

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
            mapped = np.load(folder / "vectors.npy", mmap_mode="r")
            self._vectors: np.ndarray = mapped.view(np.ndarray)
            self._rows = {item.key: row for row, item in enumerate(self.items)}
            self._places = np.empty(len(self.items), dtype=np.int64)
            self._places[[self._rows[key] for key in sorted(self._rows)]] = range(len(self.items))
            # Passages are the last rows of every index.
            passages = sum(item.kind == "passage" for item in self.items)
            self._first_passage = len(self.items) - passages
            self._terms = TermIndex(folder / "bm25")
            self._index: VectorIndex = store.open(folder / manifest.store)
            held.callback(self._index.close)
            if len(self.items) > SCANNED:  # it will be asked: let it fail now
                self._index.count("demonstrations")
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
        return _cosines(self.vectors(rows), vector)

    def search(self, text: str, vector: np.ndarray, group: Group, depth: int = DEPTH) -> Hits:
        """Find what is near a question in meaning or in words.

        Args:
            text: The question.
            vector: Its embedding.
            group: Demonstrations (examples and eval cases) or passages.
            depth: How many the dense and the BM25 search each give.
        """
        import numpy as np

        first, end = self._span(group)
        if first == end:
            nothing = np.empty(0)
            return Hits(rows=nothing.astype(np.int64), relevance=nothing, similarity=nothing)
        dense, near = self._by_meaning(vector, group, depth)
        sparse = self._by_words(text, group, depth)
        rows, place = np.unique(np.concatenate([dense, sparse]), return_inverse=True)
        score = np.zeros(len(rows))
        for ranked, at in ((dense, place[: len(dense)]), (sparse, place[len(dense) :])):
            score[at] += 1 / (FUSE + 1 + np.arange(len(ranked)))
        order = self._best_first(rows, score)
        rows, score = rows[order], score[order]
        similarity = self.similarity(rows, vector) if near is None else near[rows - first]
        return Hits(
            rows=rows,
            relevance=score / score[0] if len(score) else score,
            similarity=similarity.astype(np.float64),
        )

    def _span(self, group: Group) -> tuple[int, int]:
        """Return the first row of a group, and the one after its last."""
        if group == "passages":
            return self._first_passage, len(self.items)
        return 0, self._first_passage

    def _by_meaning(
        self, vector: np.ndarray, group: Group, depth: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows of the nearest vectors, best first; and the group's cosines, if known."""
        first, end = self._span(group)
        if end - first <= SCANNED or depth > DEEP:
            return self._by_scan(vector, group, depth)
        try:
            return self._by_store(vector, group, depth), None
        except BankError as error:  # somebody took its folder away; the vectors are still mapped
            logger.warning("%s All vectors are compared instead.", error)
            return self._by_scan(vector, group, depth)

    def _by_store(self, vector: np.ndarray, group: Group, depth: int) -> np.ndarray:
        """Return what the store finds; it may miss some of the nearest.

        Raises:
            BankError: It can't be read, or misses whole vectors.
        """
        import numpy as np

        first, end = self._span(group)
        wanted = min(depth, end - first)
        keys, near = self._index.query(group, vector, depth)
        if len(keys) < wanted:
            raise BankError(f"The vector store gave {len(keys)} of {wanted} {group}.")
        rows = np.array([self._rows[key] for key in keys], dtype=np.int64)
        ordered: np.ndarray = rows[self._best_first(rows, np.round(near, CLOSE))]
        return ordered

    def _by_scan(
        self, vector: np.ndarray, group: Group, depth: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the nearest of all vectors, and the cosines of all of the group."""
        import numpy as np

        first, end = self._span(group)
        near = _cosines(self._vectors[first:end], vector)
        return self._best(np.arange(first, end), np.round(near, CLOSE), depth), near

    def _by_words(self, text: str, group: Group, depth: int) -> np.ndarray:
        """Return the best rows by BM25, best first; only rows that share a word."""
        import numpy as np

        scores = self._terms.scores(text)
        if scores is None:
            return np.empty(0, dtype=np.int64)
        first, end = self._span(group)
        rows = first + np.flatnonzero(scores[first:end] > 0)
        return self._best(rows, scores[rows], depth)

    def _best(self, rows: np.ndarray, score: np.ndarray, count: int) -> np.ndarray:
        """Return so many rows, best first."""
        import numpy as np

        if count < len(rows):
            least = np.partition(score, len(rows) - count)[len(rows) - count]
            good = score >= least
            rows, score = rows[good], score[good]
        best: np.ndarray = rows[self._best_first(rows, score)][:count]
        return best

    def _best_first(self, rows: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Return the order of rows by score; equal ones stand in the order of their keys."""
        import numpy as np

        order: np.ndarray = np.lexsort((self._places[rows], -score))
        return order


def _cosines(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the cosine of each vector of length 1 with another.

    Row by row in one thread: a product of matrices depends on where a row stands and on how many
    processors share the work, in its last bits.
    """
    import numpy as np

    if not len(vectors):  # the vectors of an empty bank have no dimensions
        return np.empty(0, dtype=np.float32)
    cosines: np.ndarray = np.vecdot(vectors, vector)
    return cosines
