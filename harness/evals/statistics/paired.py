"""Whether two runs over the same cases differ: paired tests, and the interval of the difference.

No input or output; numpy and scipy are imported when asked for.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from harness.evals.statistics.proportion import cautious
from harness.evals.statistics.score import by_cluster, clustered_se, clusters_of, spread_over

__all__ = [
    "Difference",
    "PairedMethod",
    "compare_scores",
    "difference_interval",
    "mcnemar",
    "sign_flip",
    "tango",
]

PairedMethod = Literal["mcnemar_midp", "sign_flip", "none"]

ENUMERATED = 14
"""Clusters that differ up to which every assignment of signs is counted."""
ASSUMED = 0.25
"""Sources that changes all alike within a source count for: half of what they do for a score, as
Tango's interval is wide by itself where few cases change (by simulation, `make soak`)."""
LEAST_SPREAD = 1e-12
"""A variance below it is rounding's."""
DRAWS = 9_999
"""Random assignments of signs, where there are more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How much a run is better than another on the same cases.

    Attributes:
        n: Cases compared.
        mean: Mean difference of case scores, -1 to 1; positive: the second run is better.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Of the test that decides, two-sided.
        p_exact: Of McNemar's exact test, where the cases are 0 or 1 and unrelated.
        method: `mcnemar_midp`, `sign_flip`, or `none` where there is nothing to test.
        significant: `p` is at most .05 and the interval leaves 0 out.
        newly_passing: Cases with a higher score in the second run.
        newly_failing: Cases with a lower one.
        clusters: Sources compared.
    """

    n: int
    mean: float
    low: float
    high: float
    p: float
    p_exact: float | None
    method: PairedMethod
    significant: bool
    newly_passing: int
    newly_failing: int
    clusters: int


def compare_scores(
    first: Sequence[float], second: Sequence[float], sources: Sequence[str]
) -> Difference:
    """Return how much better the second is than the first.

    McNemar's mid-p test and Tango's interval where every score is 0 or 1 and no two cases share
    a source; else the sign-flip permutation test by source, and Tango's interval with the
    effective number of cases.

    Args:
        first: Scores of the cases in the one run, 0 to 1.
        second: Scores of the same cases in the other, in the same order.
        sources: The source of each case; "" for none.
    """
    changes = [after - before for before, after in zip(first, second, strict=True)]
    n = len(changes)
    clusters = clusters_of(sources)
    gained, lost = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    count = len(set(clusters))
    mean = math.fsum(changes) / n if n else 0.0
    exact = None
    method: PairedMethod = "none"
    low, high, p = -1.0, 1.0, 1.0
    if n and count == n and all(score in (0, 1) for score in (*first, *second)):
        exact, p = mcnemar(gained, lost)
        low, high = tango(gained, lost, n)
        method = "mcnemar_midp"
    elif count > 1:
        p = sign_flip(changes, clusters)
        low, high = difference_interval(changes, clusters)
        method = "sign_flip"
    return Difference(
        n=n,
        mean=mean,
        low=low,
        high=high,
        p=p,
        p_exact=exact,
        method=method,
        significant=p <= 0.05 and not low <= 0 <= high,
        newly_passing=gained,
        newly_failing=lost,
        clusters=count,
    )


def mcnemar(gained: int, lost: int) -> tuple[float, float]:
    """Return the two-sided p of McNemar's exact test, and its mid-p.

    Sources: Q. McNemar, Note on the sampling error of the difference between correlated
    proportions or percentages, Psychometrika 12 (1947), pp. 153-157; M. W. Fagerland, S. Lydersen
    and P. Laake, The McNemar test for binary matched-pairs data: mid-p and asymptotic are better
    than exact conditional, BMC Medical Research Methodology 13 (2013), 91.

    Args:
        gained: Cases that only the second run has right.
        lost: Cases that only the first has right.
    """
    from scipy.special import bdtr

    total, less = gained + lost, min(gained, lost)
    if total == 0:
        return 1.0, 1.0
    tail = float(bdtr(less, total, 0.5))
    point = math.exp(
        math.lgamma(total + 1)
        - math.lgamma(less + 1)
        - math.lgamma(total - less + 1)
        - total * math.log(2)
    )
    # With as many on both sides the doubled tail counts the middle twice.
    mid = 1 - point / 2 if gained == lost else 2 * tail - point
    return min(1.0, 2 * tail), min(1.0, mid)


def tango(gained: float, lost: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of the difference of paired proportions.

    Source: T. Tango, Equivalence test and confidence interval for the difference in proportions
    for the paired-sample design, Statistics in Medicine 17 (1998), pp. 891-908, equations 20, 26
    and 27; at a difference of 0 its statistic is McNemar's without correction.

    Args:
        gained: Cases that only the second run has right.
        lost: Cases that only the first has right.
        n: All cases. None of the three need be whole.
        confidence: Coverage aimed at.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    mean = (gained - lost) / n

    def statistic(delta: float) -> float:
        a = 2 * n
        b = -gained - lost + (2 * n - gained + lost) * delta
        c = -lost * delta * (1 - delta)
        only_first = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = n * (2 * only_first + delta * (1 - delta))
        distance = gained - lost - n * delta
        if variance <= 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / math.sqrt(variance)

    return _root(statistic, z, -1.0, mean), _root(statistic, -z, mean, 1.0)


def _root(statistic: object, wanted: float, low: float, high: float) -> float:
    """Return where the falling statistic has the wanted value, by halving."""
    assert callable(statistic)  # noqa: S101 - narrows the type
    for _ in range(60):
        middle = (low + high) / 2
        if statistic(middle) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def difference_interval(
    changes: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the mean change of related cases.

    Tango's, with so many unrelated cases as would have the cluster-robust standard error; parts
    of a point count as parts of a case gained or lost. The design effect is drawn towards the one
    of sources whose cases all change alike (`cautious`), and what was seen of it weighs as many
    sources as the changes are in effect spread over. So no interval is without width; where
    nothing changed, it is as if one unrelated change had been seen, so that a run with a case
    worse does not look safer than the same run again. Mean plus and minus t times the error
    covered 86 to 91 % in our simulation where few sources changed, and had no width in up to 8 %
    of the draws with two to four sources.

    Args:
        changes: One a case, -1 to 1.
        clusters: The source of each; at least two different ones.
        confidence: Coverage aimed at.
    """
    n = len(changes)
    gained = math.fsum(change for change in changes if change > 0)
    lost = -math.fsum(change for change in changes if change < 0)
    moved, sizes = by_cluster([abs(change) for change in changes], clusters)
    alike = n / spread_over(sizes.values())
    unrelated = (gained + lost) / n - ((gained - lost) / n) ** 2
    if unrelated > LEAST_SPREAD:
        seen = clustered_se(changes, clusters) ** 2 * n / unrelated
        effect = cautious(seen, alike, spread_over(moved.values()), ASSUMED)
    else:  # no change, or all of them alike
        effect = alike if gained + lost else cautious(1.0, alike, 1.0, ASSUMED)
    return tango(gained / effect, lost / effect, n / effect, confidence)


def sign_flip(changes: Sequence[float], clusters: Sequence[Hashable], *, seed: int = 0) -> float:
    """Return the two-sided p of the sign-flip permutation test by cluster.

    Under no difference the changes of a cluster could as well be the other way round, all
    together. Every assignment of signs is counted where few clusters changed, else so many drawn
    ones, with the one observed counted in: p is never 0. Sources: R. A. Fisher, The design of
    experiments (1935), section 21; B. Phipson and G. K. Smyth, Permutation p-values should never
    be zero, Statistical Applications in Genetics and Molecular Biology 9 (2010).

    Args:
        changes: One a case.
        clusters: The source of each.
        seed: Of the draws.
    """
    import numpy as np

    sums: dict[Hashable, float] = {}
    for change, cluster in zip(changes, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + change
    moved = np.array([total for total in sums.values() if abs(total) > 1e-12])
    if len(moved) == 0:
        return 1.0
    observed = abs(float(moved.sum())) - 1e-9
    if len(moved) <= ENUMERATED:
        rows = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))
        return float(np.mean(np.abs((1 - 2 * (rows & 1)) @ moved) >= observed))
    random = np.random.default_rng(seed)
    sizes, counts = np.unique(np.round(np.abs(moved), 9), return_counts=True)
    if 8 * len(sizes) <= len(moved):
        # Of many alike only the number that is flipped matters, and that is binomial.
        kept = random.binomial(counts, 0.5, size=(DRAWS, len(sizes)))
        extreme = int(np.count_nonzero(np.abs((2 * kept - counts) @ sizes) >= observed - 1e-6))
        return (1 + extreme) / (1 + DRAWS)
    extreme, done = 0, 0
    while done < DRAWS:
        size = min(DRAWS - done, max(1, 4_000_000 // len(moved)))
        bits = random.integers(0, 256, size=(size, -(-len(moved) // 8)), dtype=np.uint8)
        signs = np.unpackbits(bits, axis=1, count=len(moved)).astype(np.float32)
        flipped = float(moved.sum()) - 2 * (signs @ moved.astype(np.float32))
        extreme += int(np.count_nonzero(np.abs(flipped) >= observed - 1e-4))
        done += size
    return (1 + extreme) / (1 + DRAWS)
