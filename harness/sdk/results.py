"""What the SDK gives back, beyond the values of the rooms below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from harness.values_packed import Packed

__all__ = ["Estimate", "Indexed"]


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """What indexing did: `items` by kind, texts embedded now and items that needed no embedding."""

    domain: str
    version: str
    items: Mapping[str, int]
    embedded: int
    reused: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What would leave the machine if the question were asked.

    Attributes:
        model: `provider:model`.
        destination: To whom it would go; empty for the baseline, which sends nothing.
        packed: What would be sent, as it would be packed.
        input_cost_usd: Price of the input, none of it cached; None where it is not known.
    """

    model: str
    destination: str
    packed: Packed
    input_cost_usd: Decimal | None
