"""The table of words, held against sets of words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.words import WordTable, jaccard, words

WORDS = [f"w{n}" for n in range(14)]
TEXTS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join),
        st.sampled_from(["", " ", "🙂", "…", "Straße", "ÅNGSTRÖM", "\x00", "a\ud800b"]),
        st.text(max_size=12),
    ),
    max_size=20,
)
QUESTIONS = st.one_of(
    st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=12).map(" ".join), st.text(max_size=12)
)


@st.composite
def rows_of(draw: st.DrawFn) -> tuple[list[str], np.ndarray]:
    """Texts, and some of their rows: in any order, some twice, or none."""
    texts = draw(TEXTS)
    chosen = st.lists(st.integers(0, len(texts) - 1), max_size=12) if texts else st.just([])
    return texts, np.array(draw(chosen), dtype=np.int64)


@settings(max_examples=150)
@given(rows_of(), QUESTIONS)
def test_jaccard_is_the_share_of_common_words(texts_and_rows, question):
    texts, rows = texts_and_rows
    found = WordTable.of(texts).jaccard(rows, question)
    assert found.tolist() == [jaccard(words(texts[row]), words(question)) for row in rows]


@settings(max_examples=150)
@given(rows_of(), QUESTIONS)
def test_shared_words_are_those_of_both(texts_and_rows, question):
    texts, rows = texts_and_rows
    table = WordTable.of(texts)
    known, size = table.ids(question)
    assert size == len(words(question))
    assert {table.vocabulary[word] for word in known} == words(question) & set(table.vocabulary)
    shared, starts = table.shared(rows, known)
    parted = [shared[start:end] for start, end in pairwise(starts)]
    said = [{table.vocabulary[word] for word in row} for row in parted]
    assert said == [words(texts[row]) & words(question) for row in rows]


@given(TEXTS)
def test_rows_hold_the_words_of_their_text_rarest_first(texts):
    table = WordTable.of(texts)
    assert len(table) == len(texts)
    for number, text in enumerate(texts):
        row = table.row(number)
        assert {table.vocabulary[word] for word in row} == words(text)
        assert (np.diff(row) > 0).all()
        assert (np.diff(table.frequency[row]) >= 0).all()
    counts = [sum(word in words(text) for text in texts) for word in table.vocabulary]
    assert table.frequency.tolist() == counts


@settings(max_examples=200)
@given(TEXTS, st.data())
def test_twins_of_a_row_are_all_rows_that_are_near_it(texts, data):
    for _ in range(data.draw(st.integers(0, 6)) if texts else 0):
        texts.append(f"{data.draw(st.sampled_from(texts))} {data.draw(st.sampled_from(WORDS))}")
    table = WordTable.of(texts)
    sets = [words(text) for text in texts]
    for number, one in enumerate(sets):
        near = [
            row
            for row, other in enumerate(sets)
            if row != number and 5 * len(one & other) >= 4 * len(one | other)
        ]
        assert list(table.twins(number)) == near


def test_many_twins_of_many_rows_are_found():
    """More candidates than are held against each other at once."""
    texts = [f"same words in every text but {n % 7}" for n in range(1500)]
    table = WordTable.of(texts)
    assert len(table.twins(0)) == sum(n % 7 == 0 for n in range(1, 1500))
    assert len(table.pairs) == sum(len(table.twins(n)) for n in range(1500)) // 2


@given(TEXTS, QUESTIONS)
def test_a_table_survives_its_folder(tmp_path_factory, texts, question):
    folder = tmp_path_factory.mktemp("table")
    table = WordTable.of(texts)
    table.save(folder)
    again = WordTable.load(folder)
    rows = np.arange(len(texts))
    assert len(again) == len(table)
    assert list(again.vocabulary) == list(table.vocabulary)
    assert again.ids(question) == table.ids(question)
    assert again.jaccard(rows, question).tolist() == table.jaccard(rows, question).tolist()
    assert [again.twins(row) for row in rows] == [table.twins(row) for row in rows]
