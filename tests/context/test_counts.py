"""Tokens are counted exactly: the sum of the pieces is the count of what is sent, never more
than the budget."""

from __future__ import annotations

import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.context.render import render_item
from harness.domain import ContextSettings, SectionSize
from harness.errors import QuestionTooLong
from harness.values import Example, Place

POLICIES = ["balanced", "nearest", "diverse", "everything", "none"]
SECTIONS = ["instructions", "rules", "core", "references", "passages", "demonstrations"]
count = TiktokenCounter().count


def tokens(text: str) -> int:
    """As tiktoken counts, with nothing of ours between but the ranks on disk."""
    count("")  # loads the ranks that ship in the package
    return len(tiktoken.get_encoding("o200k_base").encode(text, disallowed_special=()))


@settings(max_examples=40)
@given(st.data())
def test_the_sections_add_up_and_fit(make, data: st.DataObject) -> None:
    of = data.draw(make.domains())
    packer = make.packer(of)
    sizes = data.draw(
        st.dictionaries(
            st.sampled_from(SECTIONS), st.sampled_from(["0", "40", "300", "5 %", "60 %"])
        )
    )
    budget = data.draw(st.sampled_from([400, 600, 900, 2000, 8000]))
    asked = data.draw(make.texts(1).filter(str.strip))
    try:
        packed = packer.pack(
            asked,
            files=data.draw(st.lists(st.tuples(make.texts(), make.texts()), max_size=1)),
            policy=data.draw(st.sampled_from(POLICIES)),
            budget=budget,
            sections={name: SectionSize.read(size) for name, size in sizes.items()},
        )
    except QuestionTooLong:
        return
    assert sum(packed.by_section.values()) == packed.tokens
    assert packed.tokens == sum(tokens(message.text) for message in packed.messages)
    assert packed.tokens <= budget
    assert min(packed.by_section.values()) >= 0
    assert packed.core_tokens == tokens(packed.messages[0].text)
    kept = sum(item.tokens for item in packed.items if item.kept and item.kind != "rule")
    of_items = ("core", "references", "passages", "demonstrations")
    assert kept == sum(packed.by_section[name] for name in of_items)


@settings(max_examples=30)
@given(st.data())
def test_no_token_reaches_over_a_seam(make, data: st.DataObject) -> None:
    """Rendered items side by side count as they do apart, whatever they end and begin with."""
    bank = data.draw(make.examples()) + data.draw(make.examples())
    rendered = [render_item(one) for one in bank]
    assert all(one.startswith("<") and one.endswith("\n") for one in rendered)
    assert tokens("".join(rendered)) == sum(map(tokens, rendered)) == sum(map(count, rendered))


@settings(max_examples=200)
@given(
    before=st.text(max_size=6),
    after=st.text(max_size=6),
)
def test_what_a_piece_ends_with_does_not_matter(before: str, after: str) -> None:
    """Random characters of all of Unicode right at the seam."""
    place = Place(file="x")
    pieces = [
        render_item(Example(id="a", input="x", output=before, place=place)),
        render_item(Example(id="b", input=after, output="y", place=place)),
    ]
    assert tokens("".join(pieces)) == sum(map(tokens, pieces))


def test_an_item_that_does_not_fit_is_skipped_and_smaller_ones_still_come(make, example) -> None:
    bank = [
        example("long", "card lost " * 200),
        *(example(f"short{n}", f"card lost number {n}") for n in range(5)),
    ]
    of = make.domain(bank, context=ContextSettings(sections={"core": SectionSize.read("0")}))
    packed = make.packer(of).pack("card lost", budget=600)
    reports = {item.id: item for item in packed.items}
    assert not reports["long"].kept
    assert reports["long"].reason == "does not fit"
    assert reports["long"].tokens > 400
    assert sum(item.kept for item in packed.items) == 5
