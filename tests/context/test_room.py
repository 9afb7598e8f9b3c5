"""How the budget is divided: what a share leaves flows down, absolute sizes stand apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.context.room import Room
from harness.domain import ContextSettings, SectionSize
from harness.errors import QuestionTooLong
from harness.values import Passage, Place

NAMES = ("core", "references", "passages", "demonstrations")


def sizes(**said: str) -> dict[str, SectionSize]:
    return {name: SectionSize.read(size) for name, size in said.items()}


def test_the_starting_shares() -> None:
    room = Room(1000, {}).after("instructions", 100)
    used = []
    for name in NAMES:
        used.append(room.most(name))
        room = room.after(name, used[-1])
    assert used == [250, 150, 200, 250]


def test_what_a_share_leaves_flows_down() -> None:
    room = Room(1000, {}).after("instructions", 40)
    assert room.most("core") == 310  # 60 more, as the instructions are short
    room = room.after("core", 10)
    assert room.most("references") == 450
    room = room.after("references", 0)
    assert room.most("passages") == 650
    room = room.after("passages", 0)
    assert room.most("demonstrations") == 900


def test_instructions_over_their_share_take_from_those_below() -> None:
    room = Room(1000, {}).after("instructions", 300)
    assert room.most("core") == 50
    room = room.after("core", 50)
    assert room.most("references") == 150
    room = Room(1000, {}).after("instructions", 600)
    assert room.most("core") == 0
    room = room.after("core", 0)
    assert room.most("references") == 0  # 10 + 25 + 15 % are less than the 600
    room = room.after("references", 0)
    assert room.most("passages") == 100


def test_an_absolute_section_neither_gives_nor_receives() -> None:
    room = Room(1000, sizes(core="500")).after("instructions", 0)
    assert room.most("core") == 500  # not the 100 that the instructions left
    room = room.after("core", 20)
    assert room.most("references") == 250  # those 100, but nothing of the core's 480
    room = Room(1000, sizes(demonstrations="70")).after("instructions", 100)
    assert room.after("core", 0).after("references", 0).most("demonstrations") == 70


def test_a_core_of_nothing_leaves_the_instructions_alone() -> None:
    room = Room(1000, sizes(core="0")).after("instructions", 100)
    assert room.most("core") == 0
    assert room.after("core", 0).most("references") == 150


def test_shares_of_one_s_own() -> None:
    room = Room(1000, sizes(core="50 %", passages="0")).after("instructions", 100)
    assert room.most("core") == 500
    room = room.after("core", 100).after("references", 0)
    assert room.most("passages") == 0
    assert room.after("passages", 0).most("demonstrations") == 250 + 400 + 150


def room_after(head: int, ruled: int, **given: str) -> Room:
    """The room after instructions and rules of so many tokens."""
    return Room(1000, sizes(**given)).after("instructions", head).after("rules", ruled)


def test_a_share_of_instructions_replaces_their_starting_share() -> None:
    assert room_after(0, 0, instructions="5 %").most("core") == 300
    assert room_after(30, 0, instructions="5 %").most("core") == 270
    assert room_after(0, 30, instructions="5 %").most("core") == 270
    assert room_after(10, 20, instructions="5 %", rules="3 %").most("core") == 300


@pytest.mark.parametrize("size", ["0", "20", "300"])
def test_instructions_and_rules_in_tokens_neither_give_nor_receive(size: str) -> None:
    assert room_after(40, 0, instructions=size).most("core") == 250
    assert room_after(40, 0, rules=size).most("core") == room_after(40, 0).most("core") == 310
    assert room_after(40, 25, rules=size).most("core") == 310
    assert room_after(140, 25, instructions=size, rules=size).most("core") == 250


def test_the_size_of_rules_leaves_the_core_as_it_is(make, bank) -> None:
    packer = make.packer(make.domain(bank))
    usual = packer.pack("question 7", budget=1500, policy="nearest", sections=sizes(core="25 %"))
    for size in ("0", "90"):
        given = sizes(core="25 %", rules=size)
        packed = packer.pack("question 7", budget=1500, policy="nearest", sections=given)
        assert packed.by_section == usual.by_section


def test_a_long_question_takes_from_passages_first_then_demonstrations() -> None:
    room = Room(1000, {}).after("instructions", 100).after("core", 250).after("references", 150)
    short = room.after_question(30)
    assert (short.most("passages"), short.after("passages", 200).most("demonstrations")) == (
        200,
        250,
    )
    long = room.after_question(150)  # 100 over the slack of 50
    assert (long.most("passages"), long.after("passages", 100).most("demonstrations")) == (100, 250)
    longer = room.after_question(300)
    assert longer.most("passages") == 0
    assert longer.after("passages", 0).most("demonstrations") == 200


def test_whole_is_what_leaves_a_quarter_free() -> None:
    assert Room(1000, {}).after("instructions", 100).holds_whole(650)
    assert not Room(1000, {}).after("instructions", 100).holds_whole(651)
    assert not Room(1000, sizes(core="10 %")).after("instructions", 0).holds_whole(1)


@given(
    budget=st.integers(1, 5000),
    said=st.dictionaries(
        st.sampled_from(["instructions", "rules", *NAMES]),
        st.one_of(
            st.integers(0, 6000).map(str), st.integers(0, 100).map(lambda share: f"{share} %")
        ),
    ),
    fixed=st.integers(0, 6000),
    question=st.integers(0, 6000),
    eager=st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_nothing_is_negative_and_nothing_over_the_budget(
    budget: int, said: dict[str, str], fixed: int, question: int, eager: list[float]
) -> None:
    room = Room(budget, sizes(**said)).after("instructions", fixed)
    for name, part in zip(NAMES, eager, strict=True):
        if name == "passages":
            room = room.after_question(question)
        before = room.used
        most = room.most(name)
        assert 0 <= most <= max(0, budget - room.used)
        room = room.after(name, int(most * part))
        assert room.used <= max(budget, before)
    assert room.left == max(0, budget - room.used)


# --- as a context shows it -------------------------------------------------------------------


@pytest.fixture
def bank(example):
    return [example(f"e{n}", f"question {n} about {n * 31}", f"label{n % 5}") for n in range(60)]


def passages(count: int, document: str = "law.md") -> list[Passage]:
    return [
        Passage(id=f"p{n}", document=document, text=f"law {n}", place=Place(file="r"))
        for n in range(count)
    ]


def test_a_whole_bank_stands_there_once_each_and_its_prefix_stands_still(
    make, case, example, bank
) -> None:
    """Also what may not stand in the core: dev cases, and the examples that are their twins."""
    cases = [
        case("c1", "question 3 about 93", "label3"),
        *(case(f"d{n}", f"dev {n} other {n * 17}") for n in range(200)),
    ]
    of = make.domain(bank, cases=cases, passages=passages(20), kind="label")
    packer = make.packer(of)
    prefixes = set()
    for asked in ("question 7", "law 3", "nothing alike", "x " * 2000):
        packed = packer.pack(asked)
        prefixes.add(packed.prefix_sha256)
        kept = [(item.kind, item.id) for item in packed.items if item.kept]
        assert len(kept) == len(set(kept)) == len(packer._bank.items)
        assert all(item.kept for item in packed.items)
        tail = [item.id for item in packed.items if item.section == "demonstrations"]
        assert sorted(tail) == sorted(["e3", *(one.id for one in cases)])
    assert len(prefixes) == 1


def test_a_question_too_long_to_stand_after_the_whole_bank_stands_after_the_usual_shares(
    make, case, bank
) -> None:
    budget = 1700
    packer = make.packer(make.domain(bank, cases=[case("c1", "another one")], kind="label"))
    short = packer.pack("question 7", budget=budget)
    assert all(item.kept for item in short.items)
    asked = "question 7 " + "x " * (budget - short.core_tokens)
    long = packer.pack(asked, budget=budget)
    assert long.messages[-1].text.count("x ") >= budget - short.core_tokens
    assert 0 < long.core_tokens < short.core_tokens
    assert long.tokens <= budget
    with pytest.raises(QuestionTooLong):
        packer.pack("x " * budget, budget=budget)


def test_a_bank_that_does_not_fit_whole_gets_its_core_s_share(make, bank) -> None:
    packer = make.packer(make.domain(bank, passages=passages(20)))
    packed = packer.pack("question 7", budget=900)
    assert 0 < packed.by_section["core"] <= 225 + 90
    assert packed.by_section["references"] == 0  # nothing is pinned


@pytest.mark.parametrize("name", ["law.md", "references/law.md"])
def test_pinned_documents_always_stand_there(make, bank, name: str) -> None:
    pins = ContextSettings(pinned=(name, "e7", "e7"))
    of = make.domain(bank, passages=[*passages(4), *passages(2, "other.md")], context=pins)
    packed = make.packer(of).pack("nothing alike", budget=900)
    assert [item.id for item in packed.items if item.section == "references"] == [
        f"p{n}" for n in range(4)
    ]
    assert next(item.id for item in packed.items if item.section == "core") == "e7"
    ids = [item.id for item in packed.items if item.kept]
    assert len(ids) == len(set(ids))


def test_oversize_instructions_are_never_cut(make, bank) -> None:
    page = "Do as I say, always and everywhere. " * 80
    packer = make.packer(make.domain(bank, instructions=page))
    packed = packer.pack("question 7", budget=1000)
    assert page.strip() in packed.messages[0].text
    assert packed.by_section["instructions"] > 700
    assert packed.by_section["core"] == 0
    assert packed.tokens <= 1000


def test_a_question_over_the_budget_says_by_how_much(make, bank) -> None:
    packer = make.packer(make.domain(bank))
    with pytest.raises(QuestionTooLong) as raised:
        packer.pack("word " * 2000, budget=1000)
    assert "2,007 tokens" in str(raised.value)
    assert "budget of 1,000" in str(raised.value)
    assert "context.budget" in raised.value.mend
    with pytest.raises(QuestionTooLong):
        packer.pack("short", budget=20)


def test_a_policy_of_none_shows_nothing_of_the_bank(make, bank) -> None:
    pins = ContextSettings(pinned=("law.md", "e7"))
    of = make.domain(bank, passages=passages(4), core_lock=("e1",), context=pins)
    for budget in (900, 32_000):
        packed = make.packer(of).pack("question 7", policy="none", budget=budget)
        assert packed.items == ()
        assert packed.tokens == packed.by_section["instructions"] + packed.by_section["question"]
