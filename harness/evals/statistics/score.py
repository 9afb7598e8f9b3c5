"""How sure a score is: intervals of a mean, with cases of one source counted as related.

No input or output; scipy is imported when a Student t is asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.evals.statistics.proportion import FEW_CASES, proportion, wilson

__all__ = [
    "FEW_CLUSTERS",
    "Method",
    "Score",
    "clustered_se",
    "clusters_of",
    "summarise",
    "wilson_clustered",
]

FEW_CLUSTERS = 10
"""Sources below which a cluster-robust interval is not to be relied on."""

Method = Literal["exact", "mid_p", "wilson", "wilson_clustered", "sources", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A mean of case scores with its 95 % interval, all between 0 and 1.

    Attributes:
        mean: None where nothing was scored.
        method: `exact`, `mid_p` or `wilson`, by the number of cases (`proportion`);
            `wilson_clustered`, Wilson's with the effective number of cases and Student's t;
            `sources`, where every score is the same and the sources are counted instead of the
            cases; `none`, where there is nothing to go by and the interval says so.
        warning: What to bear in mind with the interval, in plain words; "" where nothing.
    """

    mean: float | None
    low: float | None
    high: float | None
    method: Method
    warning: str = ""


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


def wilson_clustered(
    scores: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's interval of a mean of related cases.

    The cases count as so many unrelated ones as would have this cluster-robust standard error,
    and Student's t with clusters minus one degrees of freedom stands for the normal. Source:
    E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data, Survey Methodology 24 (1998); the
    Wilson form as compared by C. Franco, R. J. A. Little, T. A. Louis and E. V. Slud,
    Comparative study of confidence intervals for proportions in complex sample surveys, Journal
    of Survey Statistics and Methodology 7 (2019). Mean plus and minus t times the error, the
    textbook way, covered as little as 84 % at p near 0 or 1 in our simulation.

    The design effect of a share near 0 or 1 is seen in few clusters only: the fewer, the
    further it is drawn towards the size of the clusters, its value where cases of one cluster
    are all alike.

    Args:
        scores: One a case, 0 to 1, not all the same.
        clusters: The source of each case.
        confidence: Coverage aimed at.
    """
    from scipy.special import stdtrit

    n, mean = len(scores), math.fsum(scores) / len(scores)
    sizes = Counter(clusters)
    error = clustered_se(scores, clusters)
    spread = mean * (1 - mean)
    effect = n * error * error / spread
    if all(score in (0, 1) for score in scores):
        ones = {cluster for cluster, score in zip(clusters, scores, strict=True) if score}
        zeros = {cluster for cluster, score in zip(clusters, scores, strict=True) if not score}
        full = sum(size * size for size in sizes.values()) / n
        effect = max(1.0, effect)
        effect += max(0.0, full - effect) / (4 * (1 + min(len(ones), len(zeros))))
    quantile = float(stdtrit(len(sizes) - 1, (1 + confidence) / 2))
    effective = n / max(effect, 1e-9)
    return wilson(mean * effective, effective, quantile=quantile)


def summarise(scores: Sequence[float], sources: Sequence[str]) -> Score:
    """Return the mean of the case scores with its 95 % interval.

    That of a proportion where every score is 0 or 1 and no two cases share a source; else
    Wilson's with the effective number of cases.

    Args:
        scores: One a case, 0 to 1.
        sources: The source of each case; a case without one ("") is a cluster of its own.
    """
    if not scores:
        return Score(mean=None, low=None, high=None, method="none")
    clusters = clusters_of(sources)
    mean = math.fsum(scores) / len(scores)
    count = len(set(clusters))
    if count == len(scores) and all(score in (0, 1) for score in scores):
        low, high, method = proportion(sum(scores), len(scores))
        few = _WIDE.format(count=count, s="" if count == 1 else "s") if count < FEW_CASES else ""
        return Score(mean=mean, low=low, high=high, method=method, warning=few)
    if count < 2:
        return Score(mean=mean, low=0.0, high=1.0, method="none", warning=_ONE)
    warning = _FEW.format(count=count) if count < FEW_CLUSTERS else ""
    if min(scores) == max(scores):
        low, high, _ = proportion(mean * count, count)
        return Score(mean=mean, low=low, high=high, method="sources", warning=warning)
    low, high = wilson_clustered(scores, clusters)
    return Score(mean=mean, low=low, high=high, method="wilson_clustered", warning=warning)


def clusters_of(sources: Sequence[str]) -> list[Hashable]:
    """Return what each case is grouped by: its source, or itself where it names none."""
    return [source.strip().casefold() or index for index, source in enumerate(sources)]


_WIDE = (
    f"Only {{count}} case{{s}}: below {FEW_CASES} the interval is the exact one, which is never too"
    " narrow and mostly wider than it need be."
)
_ONE = "All cases come from one source: how far the score holds beyond it can't be said."
_FEW = (
    "The cases come from only {count} sources (below 10 the interval is not to be relied on):"
    " add cases from other sources."
)
