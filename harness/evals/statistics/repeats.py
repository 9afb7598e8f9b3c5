"""Cases asked several times: that one of k tries passes, and that all of k do."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["mean_pass_at", "mean_pass_hat", "pass_at", "pass_hat"]


def pass_at(passed: int, n: int, k: int) -> float:
    """Return pass@k of one case: the chance that at least one of k tries passes.

    Source: M. Chen et al., Evaluating large language models trained on code (2021), equation 1,
    unbiased: 1 - C(n - c, k) / C(n, k).

    Args:
        passed: c, tries that passed.
        n: Tries.
        k: At most n.

    Raises:
        ValueError: More than n are asked for.
    """
    _check(passed, n, k)
    return 1.0 - math.comb(n - passed, k) / math.comb(n, k)


def pass_hat(passed: int, n: int, k: int) -> float:
    """Return pass^k of one case: the chance that all of k tries pass.

    Source: S. Yao, N. Shinn, P. Razavi and K. Narasimhan, τ-bench (2024), section 4: C(c, k) /
    C(n, k).

    Args:
        passed: c, tries that passed.
        n: Tries.
        k: At most n.

    Raises:
        ValueError: More than n are asked for.
    """
    _check(passed, n, k)
    return math.comb(passed, k) / math.comb(n, k)


def mean_pass_at(cases: Iterable[tuple[int, int]], k: int) -> float | None:
    """Return the mean of pass@k over cases given as (passed, tries); None without any."""
    found = [pass_at(passed, n, k) for passed, n in cases if n >= k]
    return math.fsum(found) / len(found) if found else None


def mean_pass_hat(cases: Iterable[tuple[int, int]], k: int) -> float | None:
    """Return the mean of pass^k over cases given as (passed, tries); None without any."""
    found = [pass_hat(passed, n, k) for passed, n in cases if n >= k]
    return math.fsum(found) / len(found) if found else None


def _check(passed: int, n: int, k: int) -> None:
    if not 0 <= passed <= n or not 1 <= k <= n:
        raise ValueError(f"{passed} of {n} tries passed, and {k} are asked for")
