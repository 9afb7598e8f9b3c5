"""Words are found as whole words, where the script has any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.words.whole import find_whole


@pytest.mark.parametrize(
    ("words", "text", "at"),
    [
        ("cat sat on", "concat sat one", -1),
        ("cat sat on", "the cat sat on", 4),
        ("cat", "concat cat", 7),
        ("ähre", "fähre", -1),
        ("e", "e\u0331", -1),
        ("本契約", "第一条本契約は", 3),
        ("ส่วน", "เป็นส่วนหนึ่ง", 4),
        ("계약", "이계약은", 1),
        ("5", "15", -1),
        ("5", "a5b", 1),
        ("5", "5,000", -1),
        ("000", "5,000", -1),
        ("5", "5,00", 0),
        ("2000", ",2000", 1),
        (".", "a.b", 1),
        ("snake", "snake_case", 0),
    ],
)
def test_where_words_stand(words: str, text: str, at: int) -> None:
    assert find_whole(words, text) == at


def test_a_hyphen_that_was_taken_out_is_an_edge() -> None:
    assert find_whole("known", "wellknown", edges={4}) == 4
    assert find_whole("known", "wellknown") == -1
    assert find_whole("known", "known known", 1) == 6


@given(st.text(min_size=1), st.text(), st.text())
def test_what_stands_alone_is_always_found(words: str, before: str, after: str) -> None:
    text = f"{before} {words} {after}"
    found = find_whole(words, text)
    assert 0 <= found <= len(before) + 1
    assert text[found : found + len(words)] == words
