"""Many comparisons at once: what luck alone would show, taken off."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

__all__ = ["benjamini_hochberg", "holm", "luck_of_the_best"]


def holm(ps: Sequence[float]) -> list[float]:
    """Return p-values adjusted for planned comparisons: the chance of any false one stays.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979), pp. 65-70.
    """
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    adjusted, most = [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        most = max(most, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = most
    return adjusted


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that of those below a level no more than that share is false.

    Source: Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, Journal of the
    Royal Statistical Society B 57 (1995), pp. 289-300.
    """
    order = sorted(range(len(ps)), key=lambda index: ps[index], reverse=True)
    adjusted, least = [0.0] * len(ps), 1.0
    for rank, index in enumerate(order):
        least = min(least, ps[index] * len(ps) / (len(ps) - rank))
        adjusted[index] = least
    return adjusted


def luck_of_the_best(candidates: int, error: float) -> float:
    """Return how much better the best of equal candidates looks than they are.

    The error times the expected largest of so many standard normals, by numeric integration of
    k x φ(x) Φ(x)^(k-1). Source: H. A. David and H. N. Nagaraja, Order statistics, 3rd edition
    (2003), section 3.1.

    Args:
        candidates: Configurations tried on one split.
        error: Standard error of one score.
    """
    if candidates < 2:
        return 0.0
    normal, step = NormalDist(), 0.005
    points = [-8 + step * index for index in range(int(16 / step) + 1)]
    density = (x * normal.pdf(x) * normal.cdf(x) ** (candidates - 1) for x in points)
    return error * candidates * step * sum(density)
