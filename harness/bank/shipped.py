"""Vectors of the shipped domains' texts, made beforehand: a first question need not wait for them.

They are data of the package, for one embedder, and keyed by content: a text that was changed is
embedded as any other. `make vectors` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["shipped_vectors", "write_shipped"]

DIGESTS, VECTORS = "digests.npy", "vectors.npy"


def shipped_vectors(folder: Path, digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the vectors of those texts that have one: float32 of length 1, by the text's sha256.

    Raises:
        OSError: There are no shipped vectors in the folder.
    """
    import numpy as np

    rows = {key.tobytes(): row for row, key in enumerate(np.load(folder / DIGESTS))}
    found = [digest for digest in digests if digest in rows]
    halves = np.load(folder / VECTORS, mmap_mode="r")[[rows[digest] for digest in found]]
    vectors = halves.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {digest: vector.tobytes() for digest, vector in zip(found, vectors, strict=True)}


def write_shipped(folder: Path, vectors: Mapping[bytes, np.ndarray]) -> None:
    """Write vectors by the sha256 of their texts; as float16, which changes a similarity by 1e-4.

    Raises:
        OSError: The folder can't be written.
    """
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    digests = sorted(vectors)
    keys = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), -1)
    np.save(folder / DIGESTS, keys)
    halves = np.stack([vectors[digest] for digest in digests]).astype(np.float16)
    np.save(folder / VECTORS, halves)
