"""What difference a set of cases can show: the smallest that is found four times out of five."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

from harness.evals.statistics.score import clustered_se

__all__ = ["DISCORDANT", "detectable", "detectable_from"]

DISCORDANT = 0.2
"""Share of cases on which two configurations are taken to disagree, where none was compared."""


def detectable(n: float, discordant: float = DISCORDANT, *, power: float = 0.8) -> float:
    """Return the smallest difference of paired proportions that n cases can show.

    Solves n = (z₁ √ψ + z₂ √(ψ - δ²))² / δ² for δ. Source: R. J. Connor, Sample size for testing
    differences in proportions for the paired-sample design, Biometrics 43 (1987), pp. 207-211,
    two-sided at 5 %.

    Args:
        n: Cases that are not related.
        discordant: ψ, the share of cases on which the two disagree.
        power: Chance to find the difference.

    Returns:
        0 to 1; 1 where no difference can be shown.
    """
    z_alpha, z_beta = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(power)
    if n <= 0 or discordant <= 0:
        return 1.0

    def needed(delta: float) -> float:
        apart = max(discordant, delta)  # a difference needs at least as much disagreement
        rest = math.sqrt(max(0.0, apart - delta * delta))
        return (z_alpha * math.sqrt(apart) + z_beta * rest) ** 2 / (delta * delta)

    if needed(1.0) > n:
        return 1.0
    low, high = 1e-9, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if needed(middle) > n else (low, middle)
    return high


def detectable_from(
    changes: Sequence[float], clusters: Sequence[Hashable], *, power: float = 0.8
) -> float:
    """Return the smallest difference that a comparison as spread as this one can show.

    (z₁ + z₂) times the cluster-robust standard error of the mean change; where nothing
    changed, of as many changes as a set this size is likely to hide. Source: J. Bloom, Minimum
    detectable effects, Evaluation Review 19 (1995), pp. 547-556.

    Args:
        changes: Of the case scores.
        clusters: The source of each case.
        power: Chance to find the difference.
    """
    count = len(set(clusters))
    if count < 2:
        return 1.0
    error = clustered_se(changes, clusters)
    if error == 0:
        error = math.sqrt(3 / count) / math.sqrt(count)  # rule of three: at most 3/n disagree
    factor = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(power)
    return min(1.0, factor * error)
