"""No eval case, twin or sibling ever stands in its own context, and none in the core at all."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.context import Guard
from harness.context.guard import eval_relatives
from harness.domain import ContextSettings, SectionSize
from harness.testing import MemoryBank
from harness.values import Example, Passage, Place
from harness.words import TWIN_AT

WORDS = ["card", "lost", "bank", "my", "fee", "atm", "late", "euro", "pin", "top"]
SOURCES = ["", " ", "Acme.pdf", "acme.PDF ", "ACME", "smith"]
DOCUMENTS = ["Acme.pdf", "law.md", "notes/acme.pdf"]
POLICIES = ["balanced", "nearest", "diverse", "everything", "none"]

sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
dressed = st.tuples(sentences, st.sampled_from(["{}", "{}!", "  {} ", "¿{}?"])).map(
    lambda pair: pair[1].format(pair[0].upper() if len(pair[0]) % 2 else pair[0])
)


def related(one: str, other: str) -> bool:
    """Word-Jaccard written out anew."""
    mine, its = (
        {word.strip("!¿?") for word in text.lower().split()} - {""} for text in (one, other)
    )
    return len(mine & its) >= TWIN_AT * len(mine | its)


def same(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower() != ""


def same_document(document: str, source: str) -> bool:
    """A passage's source is its document, with or without folder and ending."""
    name = document.rpartition("/")[2]
    return any(same(one, source) for one in (document, name, name.rpartition(".")[0]))


@st.composite
def worlds(draw: st.DrawFn, make, case, example):
    """A bank with twins and siblings of its eval cases, pins and locks that name them."""
    bank = [
        example(f"e{n}", draw(dressed), f"label{n % 3}", source=draw(st.sampled_from(SOURCES)))
        for n in range(draw(st.integers(1, 9)))
    ]
    cases = [
        case(
            f"c{n}",
            draw(dressed),
            split=draw(st.sampled_from(["dev", "dev", "holdout"])),
            source=draw(st.sampled_from(SOURCES)),
        )
        for n in range(draw(st.integers(1, 5)))
    ]
    place = Place(file="references/x")
    passages = [
        Passage(id=f"p{n}", document=draw(st.sampled_from(DOCUMENTS)),
                text=draw(sentences), place=place)
        for n in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    names = [*(one.id for one in (*bank, *cases)), "Acme.pdf", "references/Acme.pdf", "law.md"]
    sections = draw(st.sampled_from([{}, {"core": "0"}, {"core": "200"}, {"demonstrations": "90"}]))
    return make.domain(
        bank,
        cases=cases,
        passages=passages,
        kind=draw(st.sampled_from(["label", "text"])),
        core_lock=draw(st.none() | st.lists(st.sampled_from(names), max_size=6).map(tuple)),
        context=ContextSettings(
            pinned=tuple(draw(st.lists(st.sampled_from(names), max_size=4))),
            sections={name: SectionSize.read(size) for name, size in sections.items()},
        ),
    )


@settings(max_examples=80)
@given(st.data())
def test_no_relative_stands_beside_the_question(make, case, example, data: st.DataObject) -> None:
    of = data.draw(worlds(make, case, example))
    packer = make.packer(of)
    budget = data.draw(st.sampled_from([450, 700, 8000]))  # the bank fits whole into the last
    written = {("example", one.id): one for one in of.examples}
    written |= {("eval", one.id): one for one in of.cases}
    passages = {one.id: one for one in of.passages}
    prefixes = set()
    for asked, policy in itertools.product(of.cases, POLICIES):
        packed = packer.pack(asked.input, guard=Guard(asked), policy=policy, budget=budget)
        prefixes.add((policy, packed.messages[0].text))
        for item in packed.items:
            if not item.kept:
                continue
            if item.kind == "passage":
                assert not same_document(passages[item.id].document, asked.source)
                assert not related(passages[item.id].text, asked.text)
                continue
            one = written[item.kind, item.id]
            assert (item.kind, item.id) != ("eval", asked.id)
            assert not same(one.source, asked.source), (policy, item)
            assert not related(one.text, asked.text), (policy, item)
            assert item.kind != "eval" or one.split == "dev"  # holdout cases stand nowhere
    assert len({policy for policy, _ in prefixes}) == len(prefixes)


@settings(max_examples=80)
@given(st.data())
def test_the_core_has_no_relative_of_any_case(make, case, example, data: st.DataObject) -> None:
    """Of any split: neither chosen, nor pinned, nor locked, nor in a bank that fits whole."""
    of = data.draw(worlds(make, case, example))
    packer = make.packer(of)
    examples = {one.id: one for one in of.examples}
    chosen = set(packer.foundation.core_ids())
    for policy, budget in itertools.product(POLICIES, (450, 8000)):
        packed = packer.pack("anything else", policy=policy, budget=budget)
        for item in packed.items:
            if item.kept and item.section == "core":
                assert item.kind == "example"
                chosen.add(item.id)
    for name, one in itertools.product(chosen, of.cases):
        assert not same(examples[name].source, one.source)
        assert not related(examples[name].text, one.text)


@given(st.data())
def test_relatives_are_those_of_a_comparison_of_all_pairs(
    make, case, example, data: st.DataObject
) -> None:
    of = data.draw(worlds(make, case, example))
    bank = MemoryBank(of)
    expected = set()
    for row, item in enumerate(bank.items):
        sibling = same_document if item.kind == "passage" else same
        source = item.document if item.kind == "passage" else item.source
        if item.kind != "eval" and any(
            sibling(source, one.source) or related(item.text, one.text) for one in of.cases
        ):
            expected.add(row)
    assert eval_relatives(bank, of.cases) == expected


@given(st.data())
def test_without_the_guard_the_case_itself_is_there(
    make, case, example, data: st.DataObject
) -> None:
    """So it is the guard that keeps it out, and nothing else."""
    of = data.draw(worlds(make, case, example))
    dev = [one for one in of.cases if one.split == "dev"]
    assume(dev)
    packed = make.packer(of).pack(dev[0].input, policy="nearest", budget=8000)
    room = of.settings.context.sections.get("demonstrations")
    assert room or any(item.kind == "eval" and item.id == dev[0].id for item in packed.items)


def test_each_refusal_is_reported_with_its_reason(make, case, example) -> None:
    bank = [
        example("twin", "my card was lost abroad!", "x"),
        example("sibling", "how do fees work", "x", source="Acme.pdf"),
        example("stranger", "card lost", "y"),
    ]
    asked = case("c1", "My card was lost abroad", "x", source="acme.pdf")
    passages = [
        Passage(id="p1", document="acme.pdf", text="my card", place=Place(file="r")),
        Passage(id="p2", document="law.md", text="my card was lost abroad", place=Place(file="r")),
        Passage(id="p3", document="law.md", text="lost cards are blocked", place=Place(file="r")),
    ]
    of = make.domain(bank, cases=[asked, case("c2", "pin of my card lost", "y")], passages=passages)
    packed = make.packer(of).pack(asked.input, guard=Guard(asked), budget=8000)
    reasons = {item.id: (item.kept, item.reason) for item in packed.items}
    assert reasons == {
        "twin": (False, "guard: near-duplicate of the case"),
        "sibling": (False, "guard: same source"),
        "c1": (False, "guard: the case itself"),
        "p1": (False, "guard: same source"),
        "p2": (False, "guard: near-duplicate of the case"),
        "p3": (True, "always stands here"),
        "stranger": (True, "in the core"),
        "c2": (True, "near the question"),
    }


@pytest.mark.parametrize("files", [(), (("note.txt", "The patient is 40 years old."),)])
def test_attached_files_count_as_the_case_s_text(make, case, example, files) -> None:
    """Two cases that ask the same of different notes are no twins; of the same note they are."""
    note = (("note.txt", "The patient is 90 years old and smokes."),)
    bank = [
        example("other", "How old?", attached=note),
        example("same", "How old?", attached=files),
    ]
    asked = case("c1", "How old?", attached=files)
    of = make.domain(bank, cases=[asked])
    packed = make.packer(of).pack(asked.input, files=files, guard=Guard(asked), budget=8000)
    assert {item.id for item in packed.shown("example")} == {"other"}


def test_a_source_of_blanks_makes_nobody_siblings(make, case, example) -> None:
    of = make.domain(
        [Example(id="e", input="a b c", output="x", source="", place=Place(file="x"))],
        cases=[case("c", "d e f", source="  ")],
    )
    packed = make.packer(of).pack("d e f", guard=Guard(of.cases[0]))
    assert [item.id for item in packed.shown("example")] == ["e"]
