"""Where a quote stands in a text, to the character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tools.quote_marks import marked
from harness.tools.quotes import normal


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("Notice is six months.", "six months", "six months"),
        ("Notice is six\n  months.", "six months", "six\n  months"),
        ("The “late fee” is due.", '"late fee"', "“late fee”"),
        ("An ob-\nligation holds.", "obligation", "ob-\nligation"),
        ("A ﬁne of 5 \u2013 7 %", "fine of 5 - 7 %", "ﬁne of 5 \u2013 7 %"),
        ("A cafe\u0301 table", "café", "cafe\u0301"),
    ],
)
def test_a_quote_is_marked_however_it_was_typeset(text: str, quote: str, found: str) -> None:
    span = marked(text, quote)
    assert span is not None
    assert text[slice(*span)] == found


@pytest.mark.parametrize("quote", ["seven months", "", "  "])
def test_what_does_not_stand_there_is_not_marked(quote: str) -> None:
    assert marked("Notice is six months.", quote) is None


@given(st.text(), st.text(), st.text())
def test_what_is_marked_says_the_quote(before: str, quote: str, after: str) -> None:
    text = before + quote + after
    span = marked(text, quote)
    if span is not None:
        # a line's end may part a word of the quote: then it is joined, or its hyphen stays
        shown = normal(text[slice(*span)])
        assert shown.replace("-", "").replace(" ", "") == normal(quote).replace("-", "").replace(
            " ", ""
        )


@given(st.text(alphabet="abc .“-\n"), st.text(alphabet="abc", min_size=1), st.text(alphabet="a ."))
def test_every_word_of_a_text_is_found_in_it(before: str, word: str, after: str) -> None:
    assert marked(f"{before} {word} {after}", word) is not None


def test_part_of_a_word_is_not_marked() -> None:
    assert marked("They concat sat one.", "cat sat on") is None
    assert marked("They concat sat one, cat sat on.", "cat sat on") == (21, 31)
