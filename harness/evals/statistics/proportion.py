"""Intervals of a proportion: the closest one to 95 % that nowhere covers less than 92 %.

Wilson's covers too little at some shares where cases are few: below 52 cases down to 91.6 %,
below 28 down to 79 %, for shares from 0.02 to 0.98. Mid-p covers 92 % everywhere and 95 to 96 %
on average from 22 cases on. With fewer, no interval known to us does both; then the exact one of
Clopper and Pearson is given, which covers 95 % everywhere, and on average 98 to 99 %: it errs on
the wide side. All figures are exact sums over the binomial distribution, which a test repeats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Literal

__all__ = ["FEW_CASES", "Proportion", "clopper_pearson", "mid_p", "proportion", "wilson"]

FEW_CASES = 22
"""Cases from which on an interval can be both close to 95 % and nowhere below 92 %."""

ENOUGH_FOR_WILSON = 52
"""Cases from which on Wilson's interval covers 92 % everywhere (shares from 0.02 to 0.98)."""

Proportion = Literal["exact", "mid_p", "wilson"]


def proportion(successes: float, n: float) -> tuple[float, float, Proportion]:
    """Return the 95 % interval of a share of right ones, and which it is.

    Args:
        successes: At most n; where it is not whole, the interval is Wilson's.
        n: Trials.
    """
    whole = successes == int(successes) and n == int(n)
    if n >= ENOUGH_FOR_WILSON or n <= 0 or not whole:
        return *wilson(successes, n), "wilson"
    if n >= FEW_CASES:
        return *mid_p(int(successes), int(n)), "mid_p"
    return *clopper_pearson(int(successes), int(n)), "exact"


def wilson(
    successes: float, n: float, confidence: float = 0.95, *, quantile: float | None = None
) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927), pp. 209-212.

    Args:
        successes: At most n; need not be whole.
        n: Trials; with none the interval is 0 to 1.
        confidence: Coverage aimed at.
        quantile: Instead of the normal's.
    """
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2) if quantile is None else quantile
    share = successes / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(max(0.0, share * (1 - share) / n + z * z / (4 * n * n)))
    # Rounding must not push a bound over the mean where every trial went one way.
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval: it covers at least what is aimed at, whatever the share.

    Source: C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits illustrated
    in the case of the binomial, Biometrika 26 (1934), pp. 404-413.

    Args:
        successes: At most n.
        n: Trials, at least one.
        confidence: Coverage aimed at.
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return low, high


def mid_p(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval with half the probability of what was seen in each tail.

    Sources: H. O. Lancaster, Significance tests in discrete distributions, Journal of the
    American Statistical Association 56 (1961), pp. 223-234; G. Berry and P. Armitage, Mid-P
    confidence intervals: a brief review, The Statistician 44 (1995), pp. 417-423.

    Args:
        successes: At most n.
        n: Trials, at least one.
        confidence: Coverage aimed at.
    """
    from scipy.special import betainc

    tail = (1 - confidence) / 2

    def at_least(share: float) -> float:
        """Probability of as many or more, what was seen counted half."""
        more = betainc(successes + 1, n - successes, share) if successes < n else 0.0
        same_or_more = betainc(successes, n - successes + 1, share) if successes else 1.0
        return float(more + same_or_more) / 2

    low = _where(at_least, tail) if successes else 0.0
    high = _where(at_least, 1 - tail) if successes < n else 1.0
    return low, high


def _where(rising: Callable[[float], float], wanted: float) -> float:
    """Return where the rising function has the wanted value, by halving."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2
