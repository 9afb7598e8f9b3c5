"""How sure a score is: intervals of a mean, with cases of one source counted as related.

No input or output.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.evals.statistics.proportion import (
    FEW_CASES,
    cautious,
    clopper_pearson,
    proportion,
    wilson,
)

__all__ = [
    "FEW_CLUSTERS",
    "Method",
    "Score",
    "by_cluster",
    "clustered_se",
    "clusters_of",
    "effective_clusters",
    "few_sources",
    "interval",
    "spread_over",
    "summarise",
    "wilson_clustered",
]

FEW_CLUSTERS = 10
"""Effective sources below which a cluster-robust interval is not to be relied on."""

Method = Literal["blaker", "mid_p", "wilson", "wilson_clustered", "sources", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A mean of case scores with its 95 % interval, all between 0 and 1.

    Attributes:
        mean: None where nothing was scored.
        method: `blaker`, `mid_p` or `wilson`, by the number of cases (`proportion`);
            `wilson_clustered`, Wilson's with the effective number of cases; `sources`, where
            every score is 0, or every one 1: the exact one of Clopper and Pearson with the
            sources counted instead of the cases; `none`, where there is nothing to go by and
            the interval says so.
        warning: What to bear in mind with the interval, in plain words; "" where nothing.
    """

    mean: float | None
    low: float | None
    high: float | None
    method: Method
    warning: str = ""


def clustered_se(scores: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Return the cluster-robust standard error of the mean, without bias in small samples.

    The root of the sum over clusters of the squared sum of residuals, each over one minus the
    cluster's share of the cases, over n squared: CR2 of R. M. Bell and D. F. McCaffrey, Bias
    reduction in standard errors for linear regression with multi-stage samples, Survey
    Methodology 28 (2002), for a mean. With clusters of one size it is the usual one (K.-Y. Liang
    and S. L. Zeger, Biometrika 73 (1986), times G/(G-1)); with every case its own, s/sqrt(n).

    Args:
        scores: One a case.
        clusters: The source of each case.

    Raises:
        ValueError: Fewer than two clusters, or lengths that differ.
    """
    n, mean = len(scores), math.fsum(scores) / len(scores) if scores else 0.0
    sums, sizes = by_cluster([score - mean for score in scores], clusters)
    if len(sums) < 2:
        raise ValueError("a cluster-robust standard error needs two clusters")
    squares = math.fsum(sums[cluster] ** 2 / (1 - sizes[cluster] / n) for cluster in sums)
    return math.sqrt(squares) / n


def effective_clusters(clusters: Sequence[Hashable]) -> float:
    """Return how many clusters of one size weigh as much: n squared over the sum of squared sizes.

    Source: L. Kish, Survey sampling (1965). A cluster with most of the cases leaves
    little more than one, however many others there are.
    """
    return spread_over(Counter(clusters).values())


def wilson_clustered(
    scores: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's interval of a mean of related cases.

    The cases count as so many unrelated ones as would have their cluster-robust standard error.
    Source: E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small
    expected number of positive counts estimated from survey data, Survey Methodology 24 (1998);
    the Wilson form as compared by C. Franco, R. J. A. Little, T. A. Louis and E. V. Slud,
    Comparative study of confidence intervals for proportions in complex sample surveys, Journal
    of Survey Statistics and Methodology 7 (2019). Mean plus and minus t times the error, the
    textbook way, covered as little as 84 % at p near 0 or 1 in our simulation.

    The design effect seen is told by the clusters that hold any of the rarer outcome, and where
    these are few, by luck. So it is drawn towards the one of clusters whose cases are all alike
    (`cautious`), and weighs as many clusters as the rarer outcome is in effect spread over. With
    that the normal's quantile does; Student's t on top of it is too wide with 10 to 20 clusters.

    Args:
        scores: One a case, 0 to 1, not all 0 and not all 1.
        clusters: The source of each case; at least two.
        confidence: Coverage aimed at.
    """
    n, mean = len(scores), math.fsum(scores) / len(scores)
    right, sizes = by_cluster(scores, clusters)
    seen = clustered_se(scores, clusters) ** 2 * n / (mean * (1 - mean))
    wrong = (sizes[cluster] - total for cluster, total in right.items())
    weight = min(spread_over(right.values()), spread_over(wrong))
    alike = n / spread_over(sizes.values())
    effect = cautious(seen, alike, weight)
    return wilson(mean * n / effect, n / effect, confidence)


def by_cluster(
    values: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[dict[Hashable, float], Counter[Hashable]]:
    """Return the sum of the values of each cluster, and its size."""
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value
    return sums, Counter(clusters)


def spread_over(totals: Iterable[float]) -> float:
    """Return Kish's effective number of those that share the whole; 0 where there is none."""
    found = list(totals)
    squares = math.fsum(total * total for total in found)
    return math.fsum(found) ** 2 / squares if squares else 0.0


def summarise(scores: Sequence[float], sources: Sequence[str]) -> Score:
    """Return the mean of the case scores with its 95 % interval.

    Args:
        scores: One a case, 0 to 1.
        sources: The source of each case; a case without one ("") is a cluster of its own.
    """
    if not scores:
        return Score(mean=None, low=None, high=None, method="none")
    clusters = clusters_of(sources)
    low, high, method = interval(scores, clusters)
    mean = math.fsum(scores) / len(scores)
    return Score(mean=mean, low=low, high=high, method=method, warning=_warning(method, clusters))


def interval(scores: Sequence[float], clusters: Sequence[Hashable]) -> tuple[float, float, Method]:
    """Return the 95 % interval of a mean, and which it is.

    That of a proportion where every score is 0 or 1 and no two share a cluster; else Wilson's
    with the effective number of cases.

    Args:
        scores: 0 to 1.
        clusters: What each belongs to.
    """
    count = len(set(clusters))
    if count == len(scores) > 0 and all(score in (0, 1) for score in scores):
        return proportion(sum(scores), len(scores))
    if count < 2:
        return 0.0, 1.0, "none"
    mean = math.fsum(scores) / len(scores)
    if mean in (0, 1):
        return *clopper_pearson(round(mean * count), count), "sources"
    return *wilson_clustered(scores, clusters), "wilson_clustered"


def clusters_of(sources: Sequence[str]) -> list[Hashable]:
    """Return what each case is grouped by: its source, or itself where it names none."""
    return [source.strip().casefold() or index for index, source in enumerate(sources)]


def _warning(method: Method, clusters: Sequence[Hashable]) -> str:
    """Return what to bear in mind with an interval; "" where nothing."""
    count = len(set(clusters))
    if count == len(clusters):
        said = f"Only {count} case{'' if count == 1 else 's'}"
        if method == "blaker":
            wide = f"{said}: below {FEW_CASES} every interval is wider than it need be."
            return wide if count < FEW_CASES else ""
        rough = f"{said}: below {FEW_CLUSTERS} the interval is not to be relied on."
        return rough if count < FEW_CLUSTERS else ""
    return _ONE if count < 2 else few_sources(clusters)


def few_sources(clusters: Sequence[Hashable]) -> str:
    """Return what to say where related cases have few sources; "" where they have enough."""
    count, weight = len(set(clusters)), effective_clusters(clusters)
    if weight >= FEW_CLUSTERS or count == len(clusters):
        return ""
    uneven = "" if count - weight < 1 else f", so unevenly that they weigh like {weight:.1f}"
    return (
        f"The cases come from only {count} sources{uneven}: below {FEW_CLUSTERS} the interval is"
        " not to be relied on. Add cases from other sources."
    )


_ONE = "All cases come from one source: how far the score holds beyond it can't be said."
