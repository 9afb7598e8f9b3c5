"""Tests, intervals and corrections agree with statsmodels, scikit-learn, scipy and ppi-python."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as sm_mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import test_proportions_2indep as two_proportions

from harness.evals.statistics import (
    agreement,
    benjamini_hochberg,
    compare_scores,
    corrected_score,
    detectable,
    detectable_from,
    differ,
    holm,
    luck_of_the_best,
    mcnemar,
    mean_pass_at,
    mean_pass_hat,
    pass_at,
    pass_hat,
    sign_flip,
    tango,
    wilson,
    wilson_clustered,
)

counts = st.integers(0, 60)


@given(counts, counts)
def test_mcnemar_is_that_of_statsmodels(gained: int, lost: int) -> None:
    exact, mid = mcnemar(gained, lost)
    assert exact == pytest.approx(sm_mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)
    point = stats.binom.pmf(min(gained, lost), gained + lost, 0.5)
    if gained != lost:
        assert mid == pytest.approx(exact - point)
    assert 0 < mid <= exact <= 1
    assert mcnemar(lost, gained) == (exact, mid)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 200))
def test_tango_s_bounds_are_where_its_statistic_is_the_quantile(
    gained: int, lost: int, same: int
) -> None:
    n = gained + lost + same
    low, high = tango(gained, lost, n)
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    assert tango(lost, gained, n) == (pytest.approx(-high), pytest.approx(-low))
    # at no difference its statistic is McNemar's without correction
    leaves_out = not low <= 0 <= high
    chi = (gained - lost) ** 2 / (gained + lost) if gained + lost else 0.0
    if abs(chi - stats.chi2.ppf(0.95, 1)) > 1e-6:
        assert leaves_out == (chi > stats.chi2.ppf(0.95, 1))


def test_tango_s_published_example() -> None:
    """Airway reactivity, 12 against 2 of 50: R. G. Newcombe, Statistics in Medicine 17 (1998)."""
    assert tango(12, 2, 50) == (pytest.approx(0.0611, abs=1e-4), pytest.approx(0.3447, abs=1e-4))


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=9))
def test_sign_flips_are_those_of_scipy(changes: list[float]) -> None:
    ours = sign_flip(changes, range(len(changes)))
    flips = [
        abs(sum(sign * change for sign, change in zip(signs, changes, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(changes))
    ]
    by_hand = np.mean([one >= abs(sum(changes)) - 1e-9 for one in flips])
    assert ours == pytest.approx(float(by_hand))


def test_sign_flips_of_scipy_where_it_has_them() -> None:
    changes = np.array([0.5, 1.0, -0.25, 0.75, 0.1, -0.3, 0.9, 0.2])
    oracle = stats.permutation_test(
        (changes,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip(changes.tolist(), range(8)) == pytest.approx(oracle.pvalue)
    many = np.random.default_rng(1).normal(0.1, 1, 300)
    drawn = sign_flip(many.tolist(), range(300))
    assert drawn == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)
    assert sign_flip(many.tolist(), range(300)) == drawn  # the same each time
    assert sign_flip([0.0, 0.0], [1, 2]) == 1.0


def test_a_cluster_is_flipped_as_a_whole() -> None:
    changes = [1.0] * 12
    assert sign_flip(changes, range(12)) == pytest.approx(2 / 2**12)
    assert sign_flip(changes, ["a"] * 6 + ["b"] * 6) == pytest.approx(0.5)


ps = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@settings(max_examples=30)
@given(ps)
def test_adjusted_p_values_are_those_of_statsmodels(values: list[float]) -> None:
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])
    assert benjamini_hochberg(values) == pytest.approx(stats.false_discovery_control(values))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=120))
def test_kappa_is_that_of_statsmodels_and_scikit_learn(pairs: list[tuple[bool, bool]]) -> None:
    from sklearn.metrics import cohen_kappa_score, recall_score

    expert, judge = [e for e, _ in pairs], [j for _, j in pairs]
    ours = agreement(expert, judge)
    if any(expert):
        assert ours.tpr == pytest.approx(recall_score(expert, judge))
    if not all(expert):
        flipped = recall_score([not e for e in expert], [not j for j in judge])
        assert ours.tnr == pytest.approx(flipped)
    if ours.kappa is None:
        assert len({*expert, *judge}) == 1
        return
    if len(set(expert)) == 1 or len(set(judge)) == 1:
        assert ours.kappa == 0  # one of them always says the same: the oracles warn
        return
    assert ours.kappa == pytest.approx(cohen_kappa_score(expert, judge))
    table = [[sum(p == (a, b) for p in pairs) for b in (True, False)] for a in (True, False)]
    assert ours.kappa == pytest.approx(cohens_kappa(np.array(table)).kappa)
    one_more = cohens_kappa(np.array(table) + 1)
    low, high = ours.kappa_interval
    assert low == pytest.approx(max(-1.0, min(ours.kappa, one_more.kappa_low)), abs=1e-6)
    assert high == pytest.approx(min(1.0, max(ours.kappa, one_more.kappa_upp)), abs=1e-6)


PPI_PYTHON = [
    (0, 0.611748, 0.536269, 0.687227),
    (1, 0.693939, 0.615535, 0.772343),
    (2, 0.740052, 0.678405, 0.801698),
    (3, 0.729824, 0.662495, 0.797153),
    (4, 0.68929, 0.613029, 0.765552),
    (5, 0.686363, 0.617864, 0.754863),
]
"""(seed, point, low, high) as ppi-python 0.2.3 gives them, `ppi_mean_pointestimate` and
`ppi_mean_ci` with alpha 0.05. The package itself installs a package called `tests`, which hides
these tests, so that its values stand here instead."""


@pytest.mark.parametrize(("seed", "point", "low", "high"), PPI_PYTHON)
def test_the_corrected_score_is_that_of_ppi_python(
    seed: int, point: float, low: float, high: float
) -> None:
    rng = np.random.default_rng(seed)
    truth = (rng.random(700) < 0.7).astype(float)
    judge = np.where(rng.random(700) < 0.85, truth, 1 - truth)
    expert, judged, rest = truth[:100], judge[:100], judge[100:]
    ours = corrected_score(expert.tolist(), judged.tolist(), rest.tolist())
    assert ours.mean == pytest.approx(point, abs=2e-3)
    # ours is Wilson's: drawn towards the middle, by less as the labels are more
    assert (ours.low, ours.high) == (pytest.approx(low, abs=0.015), pytest.approx(high, abs=0.015))
    assert low > ours.low
    assert high > ours.high
    alone = wilson(expert.sum(), 100)
    assert ours.high - ours.low < alone[1] - alone[0]  # the judge's verdicts help


def test_two_groups_are_told_apart_as_statsmodels_does() -> None:
    first, second = [1.0] * 40 + [0.0] * 20, [1.0] * 90 + [0.0] * 90
    oracle = two_proportions(40, 60, 90, 180, compare="diff", method="wald").pvalue
    assert differ(first, second, range(240)) == pytest.approx(float(oracle))
    # ten of each case are alike: a case is one
    related = differ(first, second, [index // 10 for index in range(240)])
    assert related > 5 * float(oracle)
    assert differ([1.0, 1.0], [1.0], range(3)) == 1.0
    assert differ([1.0, 1.0], [0.0], range(3)) == 0.0


def test_a_judge_that_knows_nothing_is_given_no_weight() -> None:
    rng = np.random.default_rng(0)
    expert, judged, rest = (rng.random(size) < 0.5 for size in (60, 60, 500))
    found = corrected_score(*(one.astype(float).tolist() for one in (expert, judged, rest)))
    assert found.weight < 0.3
    with pytest.raises(ValueError, match="needs labels"):
        corrected_score([1.0], [1.0], [1.0])


# --- repeats, power, luck ---------------------------------------------------------------------


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_pass_at_and_pass_hat_are_what_drawing_gives(pair: tuple[int, int]) -> None:
    n, passed = pair
    tries = [index < passed for index in range(n)]
    for k in range(1, n + 1):
        drawn = list(itertools.combinations(tries, k))
        assert pass_at(passed, n, k) == pytest.approx(np.mean([any(one) for one in drawn]))
        assert pass_hat(passed, n, k) == pytest.approx(np.mean([all(one) for one in drawn]))


def test_means_over_cases_and_what_makes_no_sense() -> None:
    assert mean_pass_at([(1, 2), (0, 2), (1, 1)], 2) == 0.5
    assert mean_pass_hat([(1, 2), (2, 2)], 2) == 0.5
    assert mean_pass_at([], 1) is None
    with pytest.raises(ValueError, match="asked for"):
        pass_at(1, 2, 3)


def test_the_detectable_difference_is_found_four_times_out_of_five() -> None:
    rng = np.random.default_rng(5)
    for n, discordant in ((155, 0.2), (400, 0.1)):
        delta = detectable(n, discordant)
        gain, loss = (discordant + delta) / 2, (discordant - delta) / 2
        drawn = rng.multinomial(n, [gain, loss, 1 - discordant], 1500)
        found = np.mean([mcnemar(a, b)[1] <= 0.05 for a, b, _ in drawn])
        assert 0.76 <= found <= 0.86
    assert detectable(5) > 0.5
    assert detectable(0) == 1.0
    assert detectable(155) == pytest.approx(0.1, abs=0.005)


def test_the_detectable_difference_of_a_comparison() -> None:
    changes = [1.0] * 10 + [-1.0] * 10 + [0.0] * 180
    assert detectable_from(changes, range(200)) == pytest.approx(detectable(200, 0.1), rel=0.05)
    assert detectable_from(changes, [index // 10 for index in range(200)]) > 0.1
    assert 0 < detectable_from([0.0] * 50, range(50)) < 0.15
    assert detectable_from([1.0, 1.0], [1, 1]) == 1.0


def test_luck_is_the_expected_largest_of_so_many() -> None:
    rng = np.random.default_rng(0)
    for k in (2, 3, 10, 50):
        largest = rng.normal(size=(40_000, k)).max(axis=1).mean()
        assert luck_of_the_best(k, 1.0) == pytest.approx(largest, abs=0.02)
    assert luck_of_the_best(2, 2.0) == pytest.approx(2 / math.sqrt(math.pi), abs=1e-4)
    assert luck_of_the_best(1, 1.0) == 0.0


def test_a_mean_of_related_cases_is_wilson_s_with_fewer() -> None:
    scores = [1.0, 0.0, 1.0, 1.0] * 50
    alone = wilson_clustered(scores, range(200))
    assert alone == (pytest.approx(wilson(150, 200)[0], abs=0.005), alone[1])
    related = wilson_clustered(scores, [index // 4 for index in range(200)])
    assert related[1] - related[0] > 0


def test_comparing_nothing_and_one_source() -> None:
    assert compare_scores([], [], []).method == "none"
    one = compare_scores([0.0, 1.0], [1.0, 1.0], ["a", "a"])
    assert (one.method, one.significant, one.low, one.high) == ("none", False, -1.0, 1.0)
