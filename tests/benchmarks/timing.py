"""Timing several ways side by side, so that whatever else the machine does meets them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Timing", "interleaved", "seconds"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds that each call of one way took."""

    samples: Sequence[float]

    def quantile(self, share: float) -> float:
        """Return the sample below which so large a share of all lies, in seconds."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def p50(self) -> float:
        """The median, in seconds."""
        return self.quantile(0.5)

    @property
    def p95(self) -> float:
        """The 95th percentile, in seconds."""
        return self.quantile(0.95)


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interleaved(
    ways: Mapping[str, Callable[[T], object]], inputs: Sequence[T]
) -> dict[str, Timing]:
    """Time every way on every input, one way after the other on each.

    Who begins rotates: what one way leaves in the processor's caches helps each in turn.
    """
    names = list(ways)
    samples: dict[str, list[float]] = {name: [] for name in names}
    for turn, given in enumerate(inputs):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = time.perf_counter()
            ways[name](given)
            samples[name].append(time.perf_counter() - started)
    return {name: Timing(samples=taken) for name, taken in samples.items()}
