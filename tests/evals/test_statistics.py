"""Intervals agree with statsmodels and scipy, and behave at the edges."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from harness.evals.statistics import (
    FEW_CASES,
    blaker,
    clopper_pearson,
    clustered_se,
    difference_interval,
    effective_clusters,
    mid_p,
    proportion,
    summarise,
    wilson,
)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_statsmodels(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = wilson(successes, n)
    oracle = proportion_confint(successes, n, method="wilson")
    assert (low, high) == pytest.approx(oracle, abs=1e-12)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high


@given(st.integers(0, 500), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_symmetric_and_narrows(successes: int, confidence: float) -> None:
    low, high = wilson(successes, 500, confidence)
    mirrored = wilson(500 - successes, 500, confidence)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)
    narrower = wilson(successes * 10, 5000, confidence)
    assert narrower[1] - narrower[0] < high - low


def test_wilson_with_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


clustered = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12)), min_size=3, max_size=80
).filter(lambda rows: len({cluster for _, cluster in rows}) > 1)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=20))
def test_with_clusters_of_one_size_the_error_is_that_of_statsmodels(
    rows: list[list[float]],
) -> None:
    scores = np.array(rows).ravel()
    groups = np.arange(len(scores)) // 3
    model = sm.OLS(scores, np.ones(len(scores)))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True})
    ours = clustered_se(scores.tolist(), groups.tolist())
    assert ours == pytest.approx(float(fitted.bse[0]), abs=1e-9)


@given(clustered)
def test_the_error_is_the_sandwich_without_bias(rows: list[tuple[float, int]]) -> None:
    """Bell and McCaffrey's, in their matrices: residuals times (I - H)^(-1/2) of their cluster."""
    scores = np.array([score for score, _ in rows])
    groups = np.array([cluster for _, cluster in rows])
    design = np.ones((len(scores), 1))
    bread = np.linalg.inv(design.T @ design)
    residuals = scores - design @ bread @ design.T @ scores
    meat = np.zeros((1, 1))
    for group in set(groups.tolist()):
        own = design[groups == group]
        values, vectors = np.linalg.eigh(np.eye(len(own)) - own @ bread @ own.T)
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        side = own.T @ root @ residuals[groups == group]
        meat += np.outer(side, side)
    oracle = math.sqrt((bread @ meat @ bread).item())
    assert clustered_se(scores.tolist(), groups.tolist()) == pytest.approx(oracle, abs=1e-9)


def test_a_source_with_most_of_the_cases_leaves_few() -> None:
    even = [index // 5 for index in range(60)]
    assert effective_clusters(even) == pytest.approx(12)
    uneven = ["all"] * 49 + list(range(11))
    assert effective_clusters(uneven) == pytest.approx(60**2 / (49**2 + 11))
    scores = [float(index % 3 == 0) for index in range(60)]
    assert summarise(scores, [f"s{one}" for one in even]).warning == ""
    found = summarise(scores, [f"s{one}" for one in uneven])
    assert "only 12 sources, so unevenly that they weigh like 1.5: below 10" in found.warning
    changes = [float(index % 5 == 0) for index in range(60)]
    wide, narrow = (difference_interval(changes, one) for one in (uneven, even))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_unclustered_it_is_the_usual_standard_error(scores: list[float]) -> None:
    ours = clustered_se(scores, range(len(scores)))
    assert ours == pytest.approx(float(np.std(scores, ddof=1)) / math.sqrt(len(scores)), abs=1e-9)


def test_one_cluster_has_no_standard_error() -> None:
    with pytest.raises(ValueError, match="two clusters"):
        clustered_se([0.5, 1.0], ["a", "a"])
    with pytest.raises(ValueError, match="argument"):
        clustered_se([0.5, 1.0], ["a"])


def test_with_many_cases_the_interval_of_a_difference_is_scipy_s() -> None:
    changes = np.random.default_rng(2).choice(
        [-1, -0.5, 0, 0.5, 1], 3000, p=[0.1, 0.1, 0.5, 0.1, 0.2]
    )
    oracle = stats.t.interval(0.95, 2999, loc=np.mean(changes), scale=stats.sem(changes))
    low, high = difference_interval(changes.tolist(), range(3000))
    assert (low, high) == (pytest.approx(oracle[0], abs=1e-3), pytest.approx(oracle[1], abs=1e-3))


changed = st.lists(
    st.tuples(st.sampled_from([-1.0, -1 / 3, 0.0, 1 / 3, 1.0]), st.integers(0, 5)),
    min_size=2,
    max_size=40,
).filter(lambda rows: len({cluster for _, cluster in rows}) > 1)


@given(changed)
def test_a_difference_is_never_certain(rows: list[tuple[float, int]]) -> None:
    changes, clusters = [change for change, _ in rows], [cluster for _, cluster in rows]
    low, high = difference_interval(changes, clusters)
    mean = sum(changes) / len(changes)
    assert -1 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    assert high - low > 0.01
    mirrored = difference_interval([-change for change in changes], clusters)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)


def test_one_case_worse_never_looks_safer_than_none() -> None:
    """Eight cases of each of five sources: the gate must not open by a case getting worse."""
    clusters = [index // 8 for index in range(40)]
    low, _ = difference_interval([0.0] * 40, clusters)
    for worse in range(1, 5):
        lower, _ = difference_interval([-1.0] * worse + [0.0] * (40 - worse), clusters)
        assert lower < low + 0.02
        low = lower


# --- the choice -------------------------------------------------------------------------------


def test_right_or_wrong_without_sources_is_a_proportion() -> None:
    score = summarise([1, 0, 1, 1], ["", "", "", ""])
    assert (score.mean, score.method) == (0.75, "blaker")
    assert "Only 4 cases" in score.warning
    assert (score.low, score.high) == blaker(3, 4, 0.9225)
    some = summarise([1.0, 0.0] * 15, [""] * 30)
    assert (some.method, some.warning) == ("mid_p", "")
    many = summarise([1.0, 0.0] * 30, [""] * 60)
    assert (many.method, many.warning) == ("wilson", "")
    assert (many.low, many.high) == pytest.approx(proportion_confint(30, 60, method="wilson"))
    assert summarise([1, 0, 1, 1], ["a", "b", "", "c"]).method == "blaker"


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_mid_p_leaves_half_of_what_was_seen_in_each_tail(counts: tuple[int, int]) -> None:
    seen, n = counts
    low, high = mid_p(seen, n)
    exact = clopper_pearson(seen, n)
    assert exact[0] <= low <= seen / n <= high <= exact[1]
    if seen:
        tail = stats.binom.sf(seen, n, low) + stats.binom.pmf(seen, n, low) / 2
        assert tail == pytest.approx(0.025, abs=1e-9)
    assert mid_p(n - seen, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_blaker_s_interval_is_his_rule_turned_round(counts: tuple[int, int]) -> None:
    """A share outside of it makes what was seen too unlikely; one just inside does not."""
    seen, n = counts
    low, high = blaker(seen, n)
    exact = clopper_pearson(seen, n)
    assert exact[0] - 0.001 <= low <= seen / n <= high <= exact[1] + 0.001
    assert blaker(n - seen, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert blaker(seen, n, 0.9) >= (low, 0.0)
    assert blaker(seen, n, 0.9)[1] <= high

    def likely(share: float) -> float:
        """By the definition: how likely is one whose smaller tail is no larger than ours?"""
        of = [
            min(stats.binom.cdf(k, n, share), stats.binom.sf(k - 1, n, share)) for k in range(n + 1)
        ]
        return sum(
            float(stats.binom.pmf(k, n, share))
            for k in range(n + 1)
            if of[k] <= of[seen] * (1 + 1e-9)
        )

    step = 1 / 2000
    if low > 0:
        assert likely(low) <= 0.05 + 1e-9 < likely(low + step)
    if high < 1:
        assert likely(high) <= 0.05 + 1e-9 < likely(high - step)


@pytest.mark.parametrize(
    ("seen", "n", "low", "high"),
    [(3, 10, 0.08726443, 0.61941066), (6, 13, 0.2158050, 0.7395922)],
)
def test_blaker_s_interval_is_that_of_the_r_package(
    seen: int, n: int, low: float, high: float
) -> None:
    """As the documentation of BlakerCI 1.0-6 has `binom.blaker.limits`; ours is cut outwards."""
    ours = blaker(seen, n)
    assert low - 1 / 1000 <= ours[0] <= low
    assert high <= ours[1] <= high + 1 / 1000


SHARES = np.linspace(0.02, 0.98, 961)


def covered(n: int) -> np.ndarray:
    """How often the interval of n cases holds each share: summed over the binomial, exactly."""
    low, high, _ = zip(*(proportion(seen, n) for seen in range(n + 1)), strict=True)
    inside = (np.array(low)[:, None] <= SHARES) & (np.array(high)[:, None] >= SHARES)
    chance: np.ndarray = stats.binom.pmf(np.arange(n + 1)[:, None], n, SHARES)
    return (chance * inside).sum(axis=0)


@pytest.mark.parametrize("n", [*range(1, 71), 80, 100, 155, 200, 300])
def test_a_proportion_is_covered_nowhere_too_seldom(n: int) -> None:
    found = covered(n)
    assert found.min() >= 0.92
    assert found.mean() >= 0.94
    if n >= FEW_CASES:
        assert found.mean() <= 0.96
    else:  # with so few every rule is wide somewhere, and the report says so
        assert found.mean() <= no_rule_covers_less(n) + 0.01


def no_rule_covers_less(n: int) -> float:
    """The mean over shares of the least coverage of 92 % or more that any run of counts has."""
    chance = stats.binom.pmf(np.arange(n + 1)[:, None], n, SHARES)
    runs = [chance[a : b + 1].sum(axis=0) for a in range(n + 1) for b in range(a, n + 1)]
    return float(np.mean([min(c for c in some if c >= 0.92 - 1e-9) for some in np.array(runs).T]))


def test_a_shared_source_widens_the_interval() -> None:
    rng = random.Random(7)
    sources = [f"note-{index // 5}" for index in range(200)]
    scores = [float(rng.random() < (0.95 if hash_ % 2 else 0.4)) for hash_ in range(200)]
    scores = [scores[index // 5 * 5] for index in range(200)]  # all of one source alike
    alone = summarise(scores, [""] * 200)
    related = summarise(scores, sources)
    assert related.method == "wilson_clustered"
    assert related.mean == alone.mean
    assert related.warning == ""
    assert None not in (alone.low, alone.high, related.low, related.high)
    assert related.high - related.low > 1.8 * (alone.high - alone.low)  # type: ignore[operator]


def test_sources_are_compared_as_the_guard_compares_them() -> None:
    assert summarise([1, 0, 1], ["Note 1", " note 1", ""]).method == "wilson_clustered"


def test_parts_of_a_point_are_wilson_with_fewer_cases() -> None:
    scores = [0.5, 1.0, 0.0, 0.75, 1.0, 0.25, 1.0, 0.5, 1.0, 0.0, 1.0]
    score = summarise(scores, [""] * len(scores))
    mean, lost = float(np.mean(scores)), 1 - np.array(scores)
    effect = float(stats.sem(scores)) ** 2 * len(scores) / (mean * (1 - mean))
    weight = float(lost.sum() ** 2 / (lost**2).sum())  # wrong is the rarer here
    effective = len(scores) * (0.5 + weight) / (0.5 + weight * effect)
    assert score.method == "wilson_clustered"
    assert (score.low, score.high) == pytest.approx(wilson(mean * effective, effective))
    # with many cases it is the textbook's mean plus and minus t times the error
    many = scores * 400
    wide = summarise(many, [""] * len(many))
    oracle = stats.t.interval(0.95, len(many) - 1, loc=np.mean(many), scale=stats.sem(many))
    assert (wide.low, wide.high) == pytest.approx(oracle, abs=2e-4)


@pytest.mark.parametrize("clusters", [2, 9, 10, 11])
def test_few_sources_are_warned_of(clusters: int) -> None:
    sources = [f"s{index % clusters}" for index in range(60)]
    scores = [float(index % 7 == 0) for index in range(60)]
    warning = summarise(scores, sources).warning
    assert bool(warning) == (clusters < 10)
    if warning:
        assert f"only {clusters} sources" in warning


def test_few_cases_with_parts_of_a_point_are_warned_of() -> None:
    assert summarise([0.5, 1.0, 0.0], ["", "a", "b"]).warning.startswith("Only 3 cases:")
    assert summarise([0.5, 1.0] * 5, [""] * 10).warning == ""


def test_nothing_scored_has_no_score() -> None:
    score = summarise([], [])
    assert (score.mean, score.low, score.high, score.method) == (None, None, None, "none")


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_one_case(right: float) -> None:
    score = summarise([right], ["a"])
    assert score.method == "blaker"
    assert score.high - score.low > 0.7  # type: ignore[operator]
    half = summarise([0.5], ["a"])
    assert (half.mean, half.low, half.high, half.method) == (0.5, 0.0, 1.0, "none")
    assert "Only 1 case:" in half.warning
    related = summarise([0.5, 0.5], ["a", "a"])
    assert (related.low, related.high, related.method) == (0.0, 1.0, "none")
    assert "one source" in related.warning


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_all_alike_is_never_certain(right: float) -> None:
    alone = summarise([right] * 100, [""] * 100)
    assert alone.method == "wilson"
    assert (alone.low, alone.high)[int(right)] == right
    related = summarise([right] * 100, [f"s{index // 5}" for index in range(100)])
    assert related.method == "sources"
    assert (related.low, related.high) == pytest.approx(clopper_pearson(int(20 * right), 20))
    one = summarise([right] * 100, ["s"] * 100)
    assert (one.low, one.high, one.method) == (0.0, 1.0, "none")


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abcdef ")), min_size=1, max_size=60))
def test_an_interval_always_holds_its_mean(rows: list[tuple[float, str]]) -> None:
    score = summarise([score for score, _ in rows], [source for _, source in rows])
    assert score.mean is not None
    assert score.low is not None
    assert score.high is not None
    assert 0 <= score.low <= score.mean + 1e-12
    assert score.mean - 1e-12 <= score.high <= 1


def test_scipy_is_not_loaded_by_import() -> None:
    code = "import sys, harness.evals.runner, harness.evals.report; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
