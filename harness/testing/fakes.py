"""Small parts that stand in for embedders and counters: deterministic, and with no model."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.seams import Progress

if TYPE_CHECKING:
    import numpy as np

__all__ = ["HashEmbedder", "MemoryRatios", "WordCounter"]

_WORD = re.compile(r"\w+")


class HashEmbedder:
    """Bags of words hashed into a vector: texts that share words are near each other.

    Args:
        dimensions: Length of the vectors.
    """

    def __init__(self, dimensions: int = 256) -> None:
        self.dimensions = dimensions

    @property
    def name(self) -> str:
        """Names the dimensions too, so that two sizes never share an index."""
        return f"hash-{self.dimensions}"

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return one vector of length 1 for each text; a text without words has one too."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _WORD.findall(text.lower()):
                code = zlib.crc32(word.encode())
                vectors[row, code % self.dimensions] += 1.0 if code & 0x8000_0000 else -1.0
            norm = float(np.linalg.norm(vectors[row]))
            if norm:
                vectors[row] /= norm
            else:
                vectors[row, 0] = 1.0
            if progress is not None:
                progress(row + 1, len(texts))
        return vectors


class WordCounter:
    """Counts words, so that a test can count along."""

    name = "words"

    def count(self, text: str) -> int:
        """Return how many stretches without white space there are."""
        return len(text.split())


class MemoryRatios:
    """Remembers the last ratio of each model, exactly, as long as it lives."""

    def __init__(self) -> None:
        self.ratios: dict[str, float] = {}

    def of(self, model: str) -> float | None:
        """Return it, or None."""
        return self.ratios.get(model)

    def note(self, seen: Mapping[str, float]) -> None:
        """Remember what was seen."""
        self.ratios.update(seen)
