"""How far a judge can be trusted: held against experts' labels, and its score corrected by them.

Nothing here reads a file.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from harness.evals.statistics.proportion import cautious, clopper_pearson, wilson
from harness.evals.statistics.score import (
    by_cluster,
    clustered_se,
    effective_clusters,
    interval,
    spread_over,
)

__all__ = [
    "FEWEST_LABELS",
    "Agreement",
    "Corrected",
    "agreement",
    "corrected_score",
    "differ",
]

FEWEST_LABELS = 50
"""Labels of randomly chosen answers from which on a score is corrected."""

Interval = tuple[float, float]
Counts = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """A judge held against experts, on the same verdicts.

    Attributes:
        n: Verdicts that both gave.
        tpr: Share of what experts call met that the judge does, too; None without any.
        tpr_interval: Its 95 % interval.
        tnr: Share of what experts call not met that the judge does, too.
        tnr_interval: Its 95 % interval.
        kappa: Cohen's; None where all is one verdict.
        kappa_interval: Its 95 % interval.
    """

    n: int
    tpr: float | None
    tpr_interval: Interval
    tnr: float | None
    tnr_interval: Interval
    kappa: float | None
    kappa_interval: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A judge's mean verdict, corrected by experts' labels.

    Attributes:
        mean: The corrected share that is met.
        low: Lower end of its 95 % interval.
        high: Upper end.
        weight: λ, how much the judge counts: 0 is labels alone.
        labels: n.
        judged: N, verdicts without a label.
    """

    mean: float
    low: float
    high: float
    weight: float
    labels: int
    judged: int


def agreement(
    expert: Sequence[bool], judge: Sequence[bool], clusters: Sequence[Hashable] | None = None
) -> Agreement:
    """Return how well a judge agrees with experts.

    TPR and TNR with the interval of a proportion; Cohen's kappa with the large-sample standard
    error of J. L. Fleiss, J. Cohen and B. S. Everitt, Large sample standard errors of kappa and
    weighted kappa, Psychological Bulletin 72 (1969), pp. 323-327, its interval from the counts
    with one more of each: without, 30 to 100 labels covered as little as 33 to 74 % in our
    simulation. The idea is that of A. Agresti and B. Caffo, Simple and effective confidence
    intervals for proportions and differences of proportions result from adding two successes
    and two failures, The American Statistician 54 (2000). Related verdicts widen it by the root
    of their design effect.

    Args:
        expert: Their verdicts.
        judge: The judge's on the same, in the same order.
        clusters: What each verdict belongs to, as its case; None where they are unrelated.
    """
    clusters = range(len(expert)) if clusters is None else clusters
    pairs = list(zip(expert, judge, strict=True))
    n = len(pairs)
    both = sum(e and j for e, j in pairs)
    neither = sum(not e and not j for e, j in pairs)
    met = sum(e for e, _ in pairs)
    counts = (both, met - both, sum(j for _, j in pairs) - both, neither)
    kappa, around = _kappa(counts, _kappa_effect(pairs, clusters))
    return Agreement(
        n=n,
        tpr=both / met if met else None,
        tpr_interval=_right(pairs, clusters, True),
        tnr=neither / (n - met) if n > met else None,
        tnr_interval=_right(pairs, clusters, False),
        kappa=kappa,
        kappa_interval=around,
    )


def _right(
    pairs: Sequence[tuple[bool, bool]], clusters: Sequence[Hashable], said: bool
) -> Interval:
    """Return the interval of how often the judge agrees where experts say this."""
    some = [
        (float(judge == said), cluster)
        for (expert, judge), cluster in zip(pairs, clusters, strict=True)
        if expert == said
    ]
    return interval([right for right, _ in some], [cluster for _, cluster in some])[:2]


def _kappa(counts: Counts, effect: float) -> tuple[float | None, Interval]:
    """Return kappa with its interval, `effect` times the variance of unrelated verdicts."""
    kappa, _ = _kappa_and_error(*counts)
    if kappa is None:
        return None, (-1.0, 1.0)
    centre, error = _kappa_and_error(*(count + 1 for count in counts))
    assert centre is not None  # noqa: S101 - no count is 0
    half = NormalDist().inv_cdf(0.975) * error * math.sqrt(effect)
    return kappa, (max(-1.0, min(kappa, centre - half)), min(1.0, max(kappa, centre + half)))


def _kappa_effect(pairs: Sequence[tuple[bool, bool]], clusters: Sequence[Hashable]) -> float:
    """Return how much wider kappa's variance is for verdicts of one cluster being related.

    The variance of kappa is that of each verdict's influence on it; the design effect is the
    variance of their sums by cluster over it, drawn towards verdicts that are all alike. What
    was seen weighs as many clusters as the disagreements are in effect spread over.
    """
    n, count = len(pairs), len(set(clusters))
    if count == n:
        return 1.0
    alike = n / effective_clusters(clusters)
    if count < 2:
        return alike
    row, column = (sum(pair[side] for pair in pairs) / n for side in (0, 1))
    by_chance = row * column + (1 - row) * (1 - column)
    agreed = sum(e == j for e, j in pairs) / n
    if by_chance >= 1 or agreed == 1:
        return alike
    over = (1 - agreed) / (1 - by_chance)

    def influence(expert: bool, judge: bool) -> float:
        margins = (column if expert else 1 - column) + (row if judge else 1 - row)
        return (expert == judge) - agreed - over * (margins - 2 * by_chance)

    influences = [influence(*pair) for pair in pairs]
    unrelated = math.fsum(one * one for one in influences) / (n * (n - 1))
    if unrelated <= 0:
        return alike
    wrong, _ = by_cluster([float(e != j) for e, j in pairs], clusters)
    seen = clustered_se(influences, clusters) ** 2 / unrelated
    return cautious(seen, alike, spread_over(wrong.values()))


def _kappa_and_error(
    both: int, expert: int, judge: int, neither: int
) -> tuple[float | None, float]:
    """Return kappa and its large-sample standard error; None where all is one verdict."""
    n = both + expert + judge + neither
    if n == 0:
        return None, 0.0
    cells = [[both / n, expert / n], [judge / n, neither / n]]
    rows = [sum(row) for row in cells]
    columns = [cells[0][side] + cells[1][side] for side in (0, 1)]
    observed = cells[0][0] + cells[1][1]
    by_chance = sum(row * column for row, column in zip(rows, columns, strict=True))
    if by_chance >= 1:
        return None, 0.0
    kappa = (observed - by_chance) / (1 - by_chance)
    on = sum(cells[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in (0, 1))
    off = sum(cells[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in (0, 1))
    rest = (kappa - by_chance * (1 - kappa)) ** 2
    variance = (on + (1 - kappa) ** 2 * off - rest) / (n * (1 - by_chance) ** 2)
    return kappa, math.sqrt(max(0.0, variance))


def differ(first: Sequence[float], second: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Return the two-sided p of the z test that two groups of related values have one mean.

    With the cluster-robust variance of the difference of the means, as `clustered_se` has it.

    Args:
        first: Not empty.
        second: Not empty.
        clusters: What each value belongs to: of the first, then of the second.
    """
    gap, (here, there) = _mean(first) - _mean(second), (_mean(first), _mean(second))
    influences = [(one - here) / len(first) for one in first]
    influences += [(there - one) / len(second) for one in second]
    sums, _ = by_cluster(influences, clusters)
    error = math.sqrt(math.fsum(one * one for one in sums.values()))
    if error == 0:
        return 1.0 if gap == 0 else 0.0
    return 2 * NormalDist().cdf(-abs(gap) / error)


def corrected_score(
    expert: Sequence[float],
    judge: Sequence[float],
    unlabelled: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
) -> Corrected:
    """Return the mean that experts would give, from few labels and many verdicts of a judge.

    λ·mean(unlabelled) + mean(expert - λ·judge), with the λ that makes its variance least.
    Source: A. N. Angelopoulos, J. C. Duchi and T. Zrnic, PPI++: Efficient prediction-powered
    inference (2023), example 6.1 and section 6. The labels have to be of randomly chosen answers.

    The interval is Wilson's, with as many unrelated labels as would alone have this variance,
    the verdicts of one cluster counted as related: mean plus and minus the error covered as
    little as 61 % at shares near 0 or 1 in our simulation, and as little as 55 % where a case
    has ten criteria. How much of the variance is left is told by the labels of the rarer verdict,
    and is drawn towards that of labels alone, all alike in their cluster (`cautious`).

    Args:
        expert: Labels, 0 to 1.
        judge: The judge's verdicts on the same.
        unlabelled: The judge's verdicts on all others.
        clusters: What each verdict belongs to, as its case: of the labelled, then of the others;
            None where they are unrelated.

    Raises:
        ValueError: Fewer than two of either.
    """
    n, rest = len(expert), len(unlabelled)
    if n < 2 or rest < 2 or len(judge) != n:
        raise ValueError("the corrected score needs labels, and verdicts without them")
    clusters = range(n + rest) if clusters is None else clusters
    mean_e, mean_j, mean_u = _mean(expert), _mean(judge), _mean(unlabelled)
    spread = _variance([*judge, *unlabelled])
    shared = math.fsum((e - mean_e) * (j - mean_j) for e, j in zip(expert, judge, strict=True)) / n
    weight = 0.0 if spread == 0 else shared / ((1 + n / rest) * spread)
    weight = min(1.0, max(0.0, weight))
    gaps = [e - weight * j for e, j in zip(expert, judge, strict=True)]
    gap = _mean(gaps)
    influences = [(one - gap) / n for one in gaps]
    influences += [weight * (one - mean_u) / rest for one in unlabelled]
    mean = min(1.0, max(0.0, weight * mean_u + gap))
    low, high = _around(mean, expert, influences, clusters)
    return Corrected(mean=mean, low=low, high=high, weight=weight, labels=n, judged=rest)


def _around(
    mean: float,
    expert: Sequence[float],
    influences: Sequence[float],
    clusters: Sequence[Hashable],
) -> Interval:
    """Return the interval of a corrected mean from each verdict's influence on it."""
    n, own = len(expert), clusters[: len(expert)]
    share = _mean(expert)
    count, effective = len(set(own)), effective_clusters(own)
    if count < 2:
        return 0.0, 1.0
    if share in (0, 1):
        return clopper_pearson(round(share * count), count)
    sums, _ = by_cluster(influences, clusters)
    variance = math.fsum(one * one for one in sums.values()) * effective / (effective - 1)
    met, sizes = by_cluster(expert, own)
    not_met = (sizes[cluster] - total for cluster, total in met.items())
    seen_in = min(spread_over(met.values()), spread_over(not_met))
    effect = cautious(variance * n / (share * (1 - share)), n / effective, seen_in)
    return wilson(mean * n / effect, n / effect)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    """Return the variance with n below, as the method's own code has it."""
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / len(values)
