"""Runs the same cases without worked cases, with the core alone, and by each policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from harness.evals.ablation import Ablation, ablation

if TYPE_CHECKING:
    from harness.sdk.harness import Harness
    from harness.sdk.options import EvalOptions

__all__ = ["WAYS", "ablate"]

WAYS: dict[str, dict[str, Any]] = {
    "none": {"policy": "none"},
    "core only": {"policy": "balanced", "sections": {"demonstrations": 0, "passages": 0}},
    "nearest": {"policy": "nearest"},
    "balanced": {"policy": "balanced"},
    "everything": {"policy": "everything"},
}
"""Each way to make the context, and how an eval is told."""


async def ablate(harness: Harness, **how: Unpack[EvalOptions]) -> Ablation:
    """Run the cases in every way, one after the other, and hold each against `none`."""
    runs = []
    for name, way in WAYS.items():
        runs.append((name, await harness.aevaluate(**{**how, **way})))
    return ablation(runs)
