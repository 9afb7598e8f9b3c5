"""A map of the bank: every example as a point, near ones near, by its first two components.

Principal components of the embeddings (Pearson 1901), from the covariance of at most some hundred
dimensions: exact, the same each time, and a fraction of a second for ten thousand examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Searchable

__all__ = ["Atlas", "draw_atlas"]


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """Where each item stands.

    Attributes:
        ids: Of the items.
        labels: What each is spread by: its label, else nothing.
        places: float32 of shape (items, 2).
        explained: Share of the embeddings' variance that the map shows, 0 to 1.
    """

    ids: Sequence[str]
    labels: Sequence[str]
    places: np.ndarray
    explained: float


def draw_atlas(bank: Searchable, cache: Path) -> Atlas:
    """Return the map of the examples of a bank, drawn once for each version of it.

    Args:
        bank: Its items and their embeddings.
        cache: Folder where maps are kept.
    """
    import numpy as np

    rows = np.array([row for row, item in enumerate(bank.items) if item.kind == "example"], int)
    items = [bank.items[row] for row in rows]
    file = cache / f"{bank.version}.npz"
    try:
        with np.load(file) as kept:
            places, explained = kept["places"], float(kept["explained"])
    except (OSError, ValueError, KeyError):
        places, explained = _components(bank.vectors(rows) if len(rows) else np.empty((0, 2)))
        _keep(file, places, explained)
    return Atlas(
        ids=[item.id for item in items],
        labels=[item.label for item in items],
        places=places,
        explained=explained,
    )


def _components(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    import numpy as np

    if len(vectors) < 3:
        return np.zeros((len(vectors), 2), dtype=np.float32), 1.0
    centred = np.asarray(vectors, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    two = axes[:, [-1, -2]]
    two = two * np.sign(two[np.abs(two).argmax(axis=0), [0, 1]])  # else the sign is chance
    total = float(values.sum())
    explained = float(values[-2:].sum() / total) if total > 0 else 1.0
    return (centred @ two).astype(np.float32), explained


def _keep(file: Path, places: np.ndarray, explained: float) -> None:
    import contextlib
    import secrets

    import numpy as np

    staged = file.with_name(f".{file.stem}.{secrets.token_hex(4)}.npz")
    with contextlib.suppress(OSError):  # a map that can't be kept is drawn anew
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(staged, places=places, explained=explained)
        staged.replace(file)
