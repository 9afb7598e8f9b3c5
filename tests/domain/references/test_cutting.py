"""Cutting: no row and no sentence is cut where that can be avoided, and no word is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.references.markdown import sections
from harness.domain.references.passages import MAX_WORDS, Piece, pieces, words
from harness.domain.references.structure import tidied

Put = Callable[[str, str | bytes], Path]
MakePdf = Callable[..., Path]


def facts(topic: str, count: int) -> str:
    return " ".join(f"Fact {number} about the {topic} stands here." for number in range(count))


def cut(text: str) -> tuple[Piece, ...]:
    return pieces(sections(tidied(text)))


def test_a_short_section_is_one_passage_and_a_long_one_even() -> None:
    assert len(cut("# A\n\n" + facts("x", 43))) == 1
    sizes = [words(piece.text) for piece in cut("# A\n\n" + facts("x", 80))]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) < 30


def test_no_sentence_is_cut() -> None:
    text = "Dr. Novak, e.g. in Art. 5 No. 3, said so. " * 60
    for piece in cut(text):
        assert piece.text.startswith("Dr. Novak")
        assert piece.text.endswith("said so.")


def test_list_items_stay_whole_and_together() -> None:
    items = "\n".join(f"- Item {n}: first half; second half of it" for n in range(80))
    found = cut("Intro:\n" + items)
    assert "\n".join(piece.text for piece in found) == "Intro:\n" + items
    assert all(piece.text.startswith(("Intro:\n- Item 0", "- Item")) for piece in found)


def test_a_table_without_outer_bars_repeats_its_header_too() -> None:
    rows = [f"row {n} | {n} | some more words in it" for n in range(80)]
    found = cut("See:\na | b | c\n--- | --- | ---\n" + "\n".join(rows) + "\n\nAfter.")
    assert len(found) > 1
    assert all("a | b | c\n--- | --- | ---\nrow" in piece.text for piece in found)
    assert found[-1].text.endswith("\n\nAfter.")


def test_a_row_longer_than_a_passage_is_cut_as_a_last_resort() -> None:
    row = "| " + "; ".join(f"clause {n} of the row" for n in range(150)) + " |"
    found = cut("| h |\n|---|\n| x |\n" + row)
    assert all(words(piece.text) <= MAX_WORDS for piece in found)
    assert found[-1].text.endswith("clause 149 of the row |")


def test_code_is_cut_between_lines() -> None:
    code = "\n".join(f"    step({n}, 'do it now')" for n in range(150))
    for piece in cut(f"```\n{code}\n```")[1:]:
        assert piece.text.startswith("    step(")


@pytest.mark.parametrize(
    "text",
    ["保険契約者は通知しなければならない。" * 200, "x" * 20_000, "保" * 3000, "word " * 5000],
)
def test_text_without_sentences_or_blanks_is_cut_all_the_same(text: str) -> None:
    found = cut(text)
    assert len(found) > 2
    assert all(words(piece.text) <= MAX_WORDS for piece in found)
    assert "".join(piece.text for piece in found).replace(" ", "") == text.replace(" ", "")


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["", "# H", "## Sub", "```", "---", "===", "- item", "| a | b |", "|---|---|"]
        ),
        st.text(max_size=30),
        st.integers(1, 120).map(lambda n: facts("risk", n)),
        st.integers(300, 500).map(lambda n: "word " * n),
    ),
    max_size=30,
)


@given(LINES)
@settings(max_examples=150, deadline=None)
def test_every_word_lands_in_exactly_one_passage_in_order(lines: list[str]) -> None:
    text = tidied("\n".join(lines))
    found = cut(text)
    # Headers of tables are repeated: all else has to be there once.
    expected = [word for word in text.split() if set(word) - set("|-ab")]
    assert [w for p in found for w in p.text.split() if set(w) - set("|-ab")] == expected
    for piece in found:
        assert words(piece.text) <= MAX_WORDS + 60
        assert piece.text.strip()
        first = piece.text.split("\n")[0].strip()
        assert first[:20] in text.split("\n")[piece.line - 1] or first.startswith("|")
