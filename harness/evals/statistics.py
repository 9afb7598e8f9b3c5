"""How sure a score is: intervals of a mean, with cases of one source counted as related.

No input or output; scipy is imported when a Student t is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

__all__ = [
    "FEW_CLUSTERS",
    "Method",
    "Score",
    "clustered_se",
    "summarise",
    "t_interval",
    "wilson",
]

FEW_CLUSTERS = 10
"""Sources below which a cluster-robust interval is not to be relied on."""

Method = Literal["wilson", "t_clustered", "wilson_sources", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A mean of case scores with its 95 % interval, all between 0 and 1.

    Attributes:
        mean: None where nothing was scored.
        method: `wilson`; `t_clustered`; `wilson_sources`, where every score is the same and a
            Student t would claim certainty; `none`, where there is nothing to go by and the
            interval says so.
        warning: What to bear in mind with the interval, in plain words; "" where nothing.
    """

    mean: float | None
    low: float | None
    high: float | None
    method: Method
    warning: str = ""


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927), pp. 209-212.

    Args:
        successes: At most n; need not be whole.
        n: Trials; with none the interval is 0 to 1.
        confidence: Coverage aimed at.
    """
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(max(0.0, share * (1 - share) / n + z * z / (4 * n * n)))
    # Rounding must not push a bound over the mean where every trial went one way.
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def clustered_se(scores: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Return the cluster-robust standard error of the mean, with G/(G-1) for small samples.

    For a mean the sandwich of Liang & Zeger is the sum over clusters of the squared sum of
    residuals, over n squared. Sources: K.-Y. Liang and S. L. Zeger, Longitudinal data analysis
    using generalized linear models, Biometrika 73 (1986), pp. 13-22; A. C. Cameron and
    D. L. Miller, A practitioner's guide to cluster-robust inference, Journal of Human Resources
    50 (2015), equations 8 and 12 with K = 1. With every case its own cluster this is the
    usual s/sqrt(n).

    Args:
        scores: One a case.
        clusters: The source of each case.

    Raises:
        ValueError: Fewer than two clusters, or lengths that differ.
    """
    sums: dict[Hashable, float] = {}
    mean = math.fsum(scores) / len(scores) if scores else 0.0
    for score, cluster in zip(scores, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + (score - mean)
    count = len(sums)
    if count < 2:
        raise ValueError("a cluster-robust standard error needs two clusters")
    squares = math.fsum(total * total for total in sums.values())
    return math.sqrt(count / (count - 1) * squares) / len(scores)


def t_interval(mean: float, se: float, df: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return mean ± t·se, cut to 0 to 1.

    Student's t with clusters minus one degrees of freedom, as Cameron and Miller (2015),
    section VI.A, advise.
    """
    from scipy.special import stdtrit

    half = float(stdtrit(df, (1 + confidence) / 2)) * se
    return max(0.0, mean - half), min(1.0, mean + half)


def summarise(scores: Sequence[float], sources: Sequence[str]) -> Score:
    """Return the mean of the case scores with its 95 % interval.

    Wilson where every score is 0 or 1 and no two cases share a source; else Student's t on the
    cluster-robust standard error.

    Args:
        scores: One a case, 0 to 1.
        sources: The source of each case; a case without one ("") is a cluster of its own.
    """
    if not scores:
        return Score(mean=None, low=None, high=None, method="none")
    clusters: list[Hashable] = [
        source.strip().casefold() or index for index, source in enumerate(sources)
    ]
    mean = math.fsum(scores) / len(scores)
    count = len(set(clusters))
    if count == len(scores) and all(score in (0, 1) for score in scores):
        low, high = wilson(sum(scores), len(scores))
        return Score(mean=mean, low=low, high=high, method="wilson")
    if count < 2:
        return Score(mean=mean, low=0.0, high=1.0, method="none", warning=_ONE)
    warning = _FEW.format(count=count) if count < FEW_CLUSTERS else ""
    if min(scores) == max(scores):
        low, high = wilson(mean * count, count)
        return Score(mean=mean, low=low, high=high, method="wilson_sources", warning=warning)
    low, high = t_interval(mean, clustered_se(scores, clusters), count - 1)
    return Score(mean=mean, low=low, high=high, method="t_clustered", warning=warning)


_ONE = "All cases come from one source: how far the score holds beyond it can't be said."
_FEW = (
    "The cases come from only {count} sources (below 10 the interval is not to be relied on):"
    " add cases from other sources."
)
