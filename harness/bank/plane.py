"""A bank's examples on a plane: the first two principal components of their embeddings.

Worked out once, when the index is written (Pearson 1901). Exact up to some hundred dimensions; of
longer vectors the two components are found by subspace iteration (Halko, Martinsson and Tropp
2011, section 4.4) from a fixed start, so that they are the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.values import BankItem, Plane

if TYPE_CHECKING:
    import numpy as np

__all__ = ["example_rows", "read_plane", "write_plane"]

FILE = "plane.npz"
EXACT = 1024
"""Dimensions up to which the whole covariance is taken apart."""
ROUNDS, BLOCK = 20, 8


def example_rows(items: Sequence[BankItem]) -> list[int]:
    """Return the rows of the worked examples, in order."""
    return [row for row, item in enumerate(items) if item.kind == "example"]


def write_plane(folder: Path, items: Sequence[BankItem], vectors: np.ndarray) -> None:
    """Write the plane of an index folder.

    Args:
        folder: Of the index.
        items: In row order.
        vectors: float32 of shape (items, dimensions).
    """
    import numpy as np

    rows = example_rows(items)
    places, explained = components(vectors[rows] if rows else np.empty((0, 2), np.float32))
    np.savez(folder / FILE, places=places, explained=explained)


def read_plane(folder: Path) -> Plane:
    """Return the plane of an index folder.

    Raises:
        OSError, ValueError, KeyError: It is not there, or damaged.
    """
    import numpy as np

    with np.load(folder / FILE) as kept:
        return Plane(places=kept["places"], explained=float(kept["explained"]))


def components(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return where each vector stands, float32 of shape (vectors, 2), and the share explained."""
    import numpy as np

    if len(vectors) < 3:
        return np.zeros((len(vectors), 2), dtype=np.float32), 1.0
    centred = np.asarray(vectors, dtype=np.float32)
    centred = centred - centred.mean(axis=0, dtype=np.float64).astype(np.float32)
    total = float(np.square(centred, dtype=np.float64).sum())
    if total <= 0:
        return np.zeros((len(vectors), 2), dtype=np.float32), 1.0
    two = _exact(centred) if centred.shape[1] <= EXACT else _iterated(centred)
    two = two * np.sign(two[np.abs(two).argmax(axis=0), [0, 1]])  # else the sign is chance
    places = (centred @ two.astype(np.float32)).astype(np.float32)
    explained = float(np.square(places, dtype=np.float64).sum()) / total
    return places, min(1.0, explained)


def _exact(centred: np.ndarray) -> np.ndarray:
    import numpy as np

    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    two: np.ndarray = axes[:, [-1, -2]]
    return two


def _iterated(centred: np.ndarray) -> np.ndarray:
    import numpy as np

    start = np.random.default_rng(0).standard_normal((centred.shape[1], BLOCK))
    basis = np.linalg.qr(start)[0].astype(np.float32)
    for _ in range(ROUNDS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    small = centred @ basis
    _, axes = np.linalg.eigh((small.T @ small).astype(np.float64))
    two: np.ndarray = basis @ axes[:, [-1, -2]]
    return two
