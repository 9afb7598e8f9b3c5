"""The words of every item as one sparse table, and which items are near-duplicates by them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from harness.words.pairs import twin_pairs
from harness.words.twins import words

if TYPE_CHECKING:
    import numpy as np

__all__ = ["WordTable"]


class WordTable:
    """Distinct words of each row, as ids, rarest word first.

    Attributes:
        indptr: int64 of shape (rows + 1,): where each row's ids start in `indices`.
        indices: int32: word ids; within a row ascending, and a smaller id is a rarer word.
        frequency: int32 of shape (words,): in how many rows each word stands.
        pairs: int64 of shape (pairs, 2): rows that are twins, the smaller first, ascending.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        indptr: np.ndarray,
        indices: np.ndarray,
        frequency: np.ndarray,
        pairs: np.ndarray,
    ) -> None:
        self.vocabulary = vocabulary
        self.indptr = indptr
        self.indices = indices
        self.frequency = frequency
        self.pairs = pairs

    @classmethod
    def of(cls, texts: Sequence[str]) -> WordTable:
        """Make the table of these texts."""
        import numpy as np

        rows = [words(text) for text in texts]
        counted = Counter(chain.from_iterable(rows))
        vocabulary = sorted(counted, key=lambda word: (counted[word], word))
        ids = {word: number for number, word in enumerate(vocabulary)}
        sizes = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        indptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(sizes, out=indptr[1:])
        flat = chain.from_iterable(sorted(ids[word] for word in row) for row in rows)
        indices = np.fromiter(flat, dtype=np.int32, count=int(indptr[-1]))
        frequency = np.array([counted[word] for word in vocabulary], dtype=np.int32)
        return cls(vocabulary, indptr, indices, frequency, twin_pairs(indptr, indices))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.indptr) - 1

    def row(self, number: int) -> np.ndarray:
        """Return the word ids of one row."""
        return self.indices[self.indptr[number] : self.indptr[number + 1]]

    def twins(self, number: int) -> tuple[int, ...]:
        """Return the rows that are near-duplicates of one row, in ascending order."""
        return self._twins.get(number, ())

    @cached_property
    def _twins(self) -> dict[int, tuple[int, ...]]:
        found: dict[int, list[int]] = {}
        for one, other in self.pairs.tolist():
            found.setdefault(one, []).append(other)
            found.setdefault(other, []).append(one)
        return {row: tuple(sorted(others)) for row, others in found.items()}

    def jaccard(self, rows: np.ndarray, text: str) -> np.ndarray:
        """Return the word-Jaccard of each row with a text, float64 of shape (len(rows),)."""
        import numpy as np

        known, size = self.ids(text)
        flat, ends = self._flat(rows)
        shared = self._among(flat, known)
        # Sums of stretches as differences of the running sum: a stretch may be empty.
        running = np.concatenate([[0], np.cumsum(shared)])
        starts = np.concatenate([[0], ends[:-1]])
        common = running[ends] - running[starts]
        result: np.ndarray = common / (ends - starts + size - common)
        return result

    def shared(self, rows: np.ndarray, known: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return, row after row, those of the known word ids that each row has.

        Returns:
            The ids, ascending within a row, and int64 of shape (len(rows) + 1,): where each row's
            ids start among them, and where the last one's end.
        """
        import numpy as np

        flat, ends = self._flat(rows)
        at = np.flatnonzero(self._among(flat, known))
        return flat[at], np.concatenate([[0], np.searchsorted(at, ends)])

    def _among(self, flat: np.ndarray, known: Sequence[int]) -> np.ndarray:
        """Say of each id whether it is a known one."""
        import numpy as np

        wanted = np.zeros(len(self.frequency), dtype=bool)
        wanted[known] = True
        found: np.ndarray = wanted[flat]
        return found

    def _flat(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all these rows one after another, and where each row's end."""
        import numpy as np

        starts = self.indptr[rows]
        sizes = self.indptr[np.asarray(rows) + 1] - starts
        ends = np.cumsum(sizes)
        count = int(ends[-1]) if len(ends) else 0
        return self.indices[np.arange(count) + np.repeat(starts - ends + sizes, sizes)], ends

    def ids(self, text: str) -> tuple[list[int], int]:
        """Return the known word ids of a text, ascending, and how many distinct words it has."""
        found = words(text)
        known = self._ids
        return sorted(known[word] for word in found if word in known), len(found)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary)}

    def save(self, folder: Path) -> None:
        """Write the table into an index folder."""
        import numpy as np

        np.savez(
            folder / "words.npz",
            indptr=self.indptr,
            indices=self.indices,
            frequency=self.frequency,
            pairs=self.pairs,
        )
        (folder / "vocabulary.json").write_text(json.dumps(list(self.vocabulary)), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> WordTable:
        """Read the table from an index folder."""
        import numpy as np

        with np.load(folder / "words.npz") as arrays:
            return cls(
                json.loads((folder / "vocabulary.json").read_text("utf-8")),
                arrays["indptr"],
                arrays["indices"],
                arrays["frequency"],
                arrays["pairs"],
            )
