"""When two texts count as the same, held against all pairs compared one by one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.words import TWIN_AT, TwinIndex, jaccard, same_source, words

# Few words and texts near each other, so that twins are common and 4/5 is met exactly.
WORDS = [f"w{n}" for n in range(14)]
BASES = st.lists(st.sampled_from(WORDS), max_size=14)
SIGNS = st.sampled_from(["", " ", "!", "…", "🙂", "?!", "\n"])


@st.composite
def near_texts(draw: st.DrawFn) -> list[str]:
    """Texts of which many are copies of another with a word more, less or other."""
    texts: list[list[str]] = []
    for _ in range(draw(st.integers(0, 24))):
        if texts and draw(st.booleans()):
            said = list(draw(st.sampled_from(texts)))
            if said and draw(st.booleans()):
                said.pop(draw(st.integers(0, len(said) - 1)))
            said += draw(st.lists(st.sampled_from(WORDS), max_size=2))
        else:
            said = draw(BASES)
        texts.append(said)
    return [" ".join(said) or draw(SIGNS) for said in texts]


def exact(one: frozenset[str], other: frozenset[str]) -> Fraction:
    """The definition."""
    return Fraction(len(one & other), len(one | other))


def twins_by_hand(texts: list[str], one: str) -> set[int]:
    asked = words(one)
    sets = [words(text) for text in texts]
    return {row for row, its in enumerate(sets) if exact(asked, its) >= Fraction(4, 5)}


def test_twins_begin_at_four_fifths():
    assert TWIN_AT == 0.8
    assert TwinIndex(["a b c d"]).has_twin(words("a b c d e"))  # 4/5
    assert not TwinIndex(["a b c"]).has_twin(words("a b c d"))  # 3/4


@settings(max_examples=150)
@given(near_texts(), st.data())
def test_every_twin_is_found_and_nothing_else(texts, data):
    index = TwinIndex(texts)
    for one in [*texts, data.draw(BASES.map(" ".join))]:
        found = list(index.twins(words(one)))
        assert len(found) == len(set(found))
        assert set(found) == twins_by_hand(texts, one)
        assert index.has_twin(words(one)) == bool(found)


@settings(max_examples=100)
@given(near_texts(), near_texts())
def test_texts_taken_in_later_are_found_too(first, later):
    index = TwinIndex(first)
    for text in later:  # their words are not among those that the order was made from
        index.add(words(text))
    for one in (*first, *later):
        assert set(index.twins(words(one))) == twins_by_hand([*first, *later], one)


@given(near_texts())
def test_jaccard_is_the_share_of_common_words(texts):
    for one in map(words, texts[:5]):
        for other in map(words, texts[-5:]):
            assert jaccard(one, other) == float(exact(one, other))


@given(st.text(), st.text())
def test_words_of_any_text(one, other):
    assert words(one)
    assert jaccard(words(one), words(one)) == 1.0
    assert jaccard(words(one), words(other)) == jaccard(words(other), words(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße 12", "STRASSE 12"),
        ("ﬁle №5", "file No5"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("the card, the card!", "Card the"),
        ("\uff21\uff22\u3000\uff11\uff12", "ab 12"),
        ("🙂", " 🙂 "),
        ("", "   "),
        ("…", "..."),
    ],
)
def test_texts_that_are_the_same_once_normalised(one, other):
    assert words(one) == words(other)
    assert TwinIndex([one]).has_twin(words(other))


@pytest.mark.parametrize(("one", "other"), [("", "🙂"), ("!", "?"), ("10 mg", "100 mg")])
def test_texts_that_are_not_the_same(one, other):
    assert words(one) != words(other)
    assert not TwinIndex([one]).has_twin(words(other))


def test_sources_are_the_same_but_for_case_and_blanks():
    assert same_source("Note-12", " note-12 ")
    assert not same_source("note-1", "note-12")
    assert not same_source("", "")
    assert not same_source(" ", " ")
