"""What no one can see is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.words.blank import is_blank

UNSEEN = (
    *("", " \n\t", "\u200b", "\ufeff", "\u2060", "\u00ad", "\ufe0f", "\u200e\u202e", "\x00\x07"),
    *("\u034f", "\u3164", "\u2800", "\U000e0041\U000e007f", "\U000e0100", "\u00a0\u3000\u2028"),
)


@pytest.mark.parametrize("text", UNSEEN)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    assert is_blank(text * 3 + "\u200d \n")
    assert not is_blank(f"{text}a{text}")


@pytest.mark.parametrize("text", ["0", ".", "—", "❤\ufe0f", "\u0301", "语", "\ue000", "\ud800"])
def test_what_shows_something_is_not(text: str) -> None:
    assert not is_blank(text)


@given(st.text())
def test_what_strips_to_nothing_is_blank(text: str) -> None:
    assert is_blank(text) or text.strip()
