"""A map of the bank: every example as a point, near ones near, as it was drawn when indexed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from harness.values import BankItem, Plane

__all__ = ["Atlas", "atlas_of"]


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


def atlas_of(items: Sequence[BankItem], plane: Plane) -> Atlas:
    """Return the map of the examples of a bank.

    Args:
        items: All of the bank, in row order.
        plane: As its index has it.
    """
    examples = [item for item in items if item.kind == "example"]
    return Atlas(
        ids=[item.id for item in examples],
        labels=[item.label for item in examples],
        places=plane.places,
        explained=plane.explained,
    )
