"""The twins of a bank, found at once: the same pairs as when every text is held against every."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.words import TWIN_AT, WordTable, jaccard, pairs, words

TEXTS = st.lists(
    st.lists(st.sampled_from("abcdefghijklmno"), max_size=14).map(" ".join), max_size=25
)


def brute_force(texts: list[str]) -> list[tuple[int, int]]:
    sets = [words(text) for text in texts]
    return [
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if jaccard(sets[one], sets[other]) >= TWIN_AT
    ]


@given(TEXTS)
def test_every_pair_is_found_and_no_other(texts: list[str]) -> None:
    assert list(map(tuple, WordTable.of(texts).pairs.tolist())) == brute_force(texts)


@given(TEXTS)
@settings(max_examples=30)
def test_chunks_hide_no_pair(texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "CHUNK", 3)
        patch.setattr(pairs, "VERIFIED", 2)
        assert list(map(tuple, WordTable.of(texts).pairs.tolist())) == brute_force(texts)


def test_twins_are_looked_up_from_both_sides() -> None:
    table = WordTable.of(["a b c d", "x", "d c b a", "", "A, B, C: D!", ""])
    assert [table.twins(row) for row in range(6)] == [(2, 4), (), (0, 4), (5,), (0, 2), (3,)]


@pytest.mark.parametrize(("shared", "twins"), [(4, True), (3, False)])
def test_four_fifths_is_the_border(shared: int, twins: bool) -> None:
    base = list("abcde")
    assert bool(WordTable.of([" ".join(base), " ".join(base[:shared])]).twins(0)) is twins
