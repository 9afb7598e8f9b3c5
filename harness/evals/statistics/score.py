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
    "clustered_se",
    "clusters_of",
    "effective_clusters",
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
            every score is the same, and the sources are counted instead of the cases: the exact
            one of Clopper and Pearson, of parts of a point Wilson's; `none`, where there is
            nothing to go by and the interval says so.
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
    sums, sizes = _by_cluster([score - mean for score in scores], clusters)
    if len(sums) < 2:
        raise ValueError("a cluster-robust standard error needs two clusters")
    squares = math.fsum(sums[cluster] ** 2 / (1 - sizes[cluster] / n) for cluster in sums)
    return math.sqrt(squares) / n


def effective_clusters(clusters: Sequence[Hashable]) -> float:
    """Return how many clusters of one size weigh as much: n squared over the sum of squared sizes.

    Source: L. Kish, Survey sampling (1965). A cluster with most of the cases leaves
    little more than one, however many others there are.
    """
    return _spread_over(Counter(clusters).values())


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
        scores: One a case, 0 to 1, not all the same.
        clusters: The source of each case; at least two.
        confidence: Coverage aimed at.
    """
    n, mean = len(scores), math.fsum(scores) / len(scores)
    right, sizes = _by_cluster(scores, clusters)
    seen = clustered_se(scores, clusters) ** 2 * n / (mean * (1 - mean))
    wrong = (sizes[cluster] - total for cluster, total in right.items())
    weight = min(_spread_over(right.values()), _spread_over(wrong))
    alike = n / _spread_over(sizes.values())
    effect = cautious(seen, alike, weight)
    return wilson(mean * n / effect, n / effect, confidence)


def _by_cluster(
    values: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[dict[Hashable, float], Counter[Hashable]]:
    """Return the sum of the values of each cluster, and its size."""
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value
    return sums, Counter(clusters)


def _spread_over(totals: Iterable[float]) -> float:
    """Return Kish's effective number of those that share the whole; 0 where there is none."""
    found = list(totals)
    squares = math.fsum(total * total for total in found)
    return math.fsum(found) ** 2 / squares if squares else 0.0


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
    warning = _few_sources(clusters)
    if min(scores) == max(scores):
        low, high = (
            clopper_pearson(round(mean * count), count)
            if mean in (0, 1)
            else wilson(mean * count, count)
        )
        return Score(mean=mean, low=low, high=high, method="sources", warning=warning)
    low, high = wilson_clustered(scores, clusters)
    return Score(mean=mean, low=low, high=high, method="wilson_clustered", warning=warning)


def clusters_of(sources: Sequence[str]) -> list[Hashable]:
    """Return what each case is grouped by: its source, or itself where it names none."""
    return [source.strip().casefold() or index for index, source in enumerate(sources)]


def _few_sources(clusters: Sequence[Hashable]) -> str:
    """Return what to bear in mind where the cases have few sources; "" where they have enough."""
    count, weight = len(set(clusters)), effective_clusters(clusters)
    if weight >= FEW_CLUSTERS:
        return ""
    if count == len(clusters):
        return f"Only {count} cases: below {FEW_CLUSTERS} the interval is not to be relied on."
    uneven = f", and weigh like {weight:.1f} of one size," if count - weight >= 1 else ""
    return (
        f"The cases come from only {count} sources{uneven} (below {FEW_CLUSTERS} the interval is"
        " not to be relied on): add cases from other sources."
    )


_WIDE = f"Only {{count}} case{{s}}: below {FEW_CASES} every interval is wider than it need be."
_ONE = "All cases come from one source: how far the score holds beyond it can't be said."
