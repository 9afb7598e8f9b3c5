"""The stable core: each label's medoid, then the farthest; the same on every machine."""

from __future__ import annotations

import hashlib
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.context.core import choose, fixed_order
from harness.domain import ContextSettings, SectionSize
from harness.testing import HashEmbedder, MemoryBank
from harness.words import words

WORDS = [f"word{n}" for n in range(40)]


@pytest.fixture(scope="session")
def world(make, example):
    """A random bank of labelled examples, some with a source."""

    def of(seed: int, size: int = 40) -> MemoryBank:
        draw = random.Random(seed)
        bank = [
            example(
                f"e{n}",
                " ".join(draw.choices(WORDS, k=draw.randint(1, 12))),
                f"label{draw.randint(0, 5)}",
                source=draw.choice(["", "", "", "Acme", "Smith"]),
            )
            for n in range(size)
        ]
        return MemoryBank(make.domain(bank, kind="label"))

    return of


def naive_choice(bank: MemoryBank, rows: list[int], budget: int) -> list[int]:
    """The rule of `choose`, over sets of words, in exact fractions."""
    text = {row: words(bank.items[row].text) for row in rows}

    def distance(one: int, other: int) -> Fraction:
        common = len(text[one] & text[other])
        return 1 - Fraction(common, len(text[one] | text[other]))

    ordered = sorted(
        (row for row in rows if bank.items[row].tokens <= max(budget // 3, 1)),
        key=lambda row: hashlib.sha256(f"core\0{bank.items[row].key}".encode()).digest(),
    )
    if not ordered:
        return []
    by_label: dict[str, list[int]] = {}
    for row in ordered:
        by_label.setdefault(bank.items[row].label, []).append(row)
    chosen: list[int] = []
    sources: set[str] = set()
    left = budget

    def fits(row: int) -> bool:
        source = bank.items[row].source
        return bank.items[row].tokens <= left and row not in chosen and source not in sources

    def take(row: int) -> None:
        nonlocal left
        chosen.append(row)
        left -= bank.items[row].tokens
        if bank.items[row].source:
            sources.add(bank.items[row].source)

    for _, group in sorted(by_label.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        centre = [word for row in group for word in text[row]]
        central = sorted(
            group, key=lambda row: -(sum(map(centre.count, text[row])) ** 2) / len(text[row])
        )
        for row in list(filter(fits, central))[:1]:
            take(row)
    while True:
        while open_ := list(filter(fits, ordered)):
            far = max(open_, key=lambda row: min((distance(row, one) for one in chosen), default=1))
            take(far)
        if not sources:
            return chosen
        sources.clear()


@settings(max_examples=80)
@given(seed=st.integers(0, 10**6), budget=st.integers(1, 900))
def test_the_choice_is_medoids_then_k_centre(world, seed: int, budget: int) -> None:
    bank = world(seed)
    rows = list(range(len(bank.items)))
    chosen = choose(bank, rows, budget)
    assert chosen == naive_choice(bank, rows, budget)
    assert sum(bank.items[row].tokens for row in chosen) <= budget


def test_every_label_comes_before_any_comes_twice(world) -> None:
    bank = world(3)
    chosen = choose(bank, list(range(len(bank.items))), 300)
    labels = [bank.items[row].label for row in chosen]
    of_bank = {item.label for item in bank.items}
    assert set(labels[: len(of_bank)]) == of_bank


def test_a_source_comes_again_only_when_no_other_is_left(make, example) -> None:
    """Three contracts give three examples first, and then more: a core is not left empty."""
    bank = [
        example(f"e{n}", f"clause {n} {WORDS[n]} {WORDS[n + 9]}", "x", source=f"contract {n % 3}")
        for n in range(30)
    ]
    memory = MemoryBank(make.domain(bank, kind="label"))
    sources = [memory.items[row].source for row in choose(memory, list(range(30)), 150)]
    assert len(sources) > 6
    assert sorted(sources[:3]) == ["contract 0", "contract 1", "contract 2"]


@given(seed=st.integers(0, 10**6))
def test_neither_the_order_of_rows_nor_the_embedder_matters(make, world, seed: int) -> None:
    """So the folder's files may be named anew, and every machine has the same prefix."""
    bank = world(seed)
    rows = list(range(len(bank.items)))
    shuffled = random.Random(seed).sample(rows, len(rows))
    keys = [bank.items[row].key for row in choose(bank, rows, 400)]
    assert [bank.items[row].key for row in choose(bank, shuffled, 400)] == keys
    order = sorted(rows, key=lambda row: fixed_order(bank.items[row]))
    assert sorted(shuffled, key=lambda row: fixed_order(bank.items[row])) == order


def test_the_core_does_not_depend_on_the_embedder(make, example) -> None:
    draw = random.Random(1)
    bank = [
        example(f"e{n}", " ".join(draw.choices(WORDS, k=6)), f"label{n % 7}") for n in range(300)
    ]
    of = make.domain(bank, kind="label", context=ContextSettings(budget=1500))
    from harness.adapters.counter_tiktoken import TiktokenCounter
    from harness.context import Packer

    prefixes = set()
    for embedder in (HashEmbedder(), HashEmbedder(8), HashEmbedder(1000)):
        packer = Packer(of, MemoryBank(of, embedder=embedder), TiktokenCounter())
        prefixes.add(packer.pack("word1 word2").prefix_sha256)
        assert packer.foundation.core_ids()
    assert len(prefixes) == 1


# --- core.lock -------------------------------------------------------------------------------


@pytest.fixture
def bank(example):
    draw = random.Random(2)
    return [
        example(f"e{n}", " ".join(draw.choices(WORDS, k=8)), f"label{n % 5}") for n in range(120)
    ]


TIGHT = ContextSettings(budget=1500)


def core_of(packed) -> list[str]:
    return [item.id for item in packed.items if item.kept and item.section == "core"]


def test_the_chosen_ids_when_locked_give_the_same_prefix(make, bank) -> None:
    free = make.packer(make.domain(bank, kind="label", context=TIGHT))
    ids = free.foundation.core_ids()
    locked = make.packer(make.domain(bank, kind="label", context=TIGHT, core_lock=tuple(ids)))
    packed = locked.pack("word1")
    assert core_of(packed) == ids
    assert packed.prefix_sha256 == free.pack("word1").prefix_sha256


@pytest.mark.parametrize("budget", [1500, 32_000])  # the bank fits whole into the second
def test_with_a_lock_a_new_example_comes_through_the_tail(make, example, bank, budget: int) -> None:
    context = ContextSettings(budget=budget)
    ids = tuple(make.packer(make.domain(bank, context=context)).foundation.core_ids())
    before = make.packer(make.domain(bank, context=context, core_lock=ids)).pack("word1 word2")
    grown = [*bank, example("new", "word1 word2 word3 quite new")]
    after = make.packer(make.domain(grown, context=context, core_lock=ids)).pack("word1 word2")
    assert after.prefix_sha256 == before.prefix_sha256
    report = next(item for item in after.items if item.id == "new")
    assert (report.kept, report.section) == (True, "demonstrations")
    free = make.packer(make.domain(grown, context=context)).pack("word1 word2")
    if budget == 32_000:
        assert set(ids) == {one.id for one in bank}
        assert free.prefix_sha256 != before.prefix_sha256


def test_the_order_of_the_lock_is_the_order_of_the_core(make, bank) -> None:
    ids = ("e9", "e3", "e77", "e1")
    of = make.domain(bank, context=TIGHT, core_lock=ids)
    assert core_of(make.packer(of).pack("word1")) == list(ids)


def test_pinned_examples_are_not_chosen_a_second_time(make, bank) -> None:
    context = ContextSettings(budget=1500, pinned=("e3", "e4"))
    packer = make.packer(make.domain(bank, context=context))
    ids = packer.foundation.core_ids()
    packed = packer.pack("word1")
    assert core_of(packed) == ["e3", "e4", *ids]
    locked = make.packer(make.domain(bank, context=context, core_lock=tuple(ids)))
    assert locked.pack("word1").prefix_sha256 == packed.prefix_sha256


def test_what_is_locked_and_does_not_fit_is_reported(make, bank) -> None:
    context = ContextSettings(budget=1500, sections={"core": SectionSize.read("60")})
    packed = make.packer(
        make.domain(bank, context=context, core_lock=tuple(one.id for one in bank[:9]))
    ).pack("nothing alike", sections={"demonstrations": SectionSize.read("0")})
    reports = [item for item in packed.items if item.section == "core"]
    assert len(reports) == 9
    assert 0 < sum(item.kept for item in reports) < 9
    assert {item.reason for item in reports} == {"in the core", "does not fit"}


def test_everything_fills_the_core_s_room(make, bank) -> None:
    packer = make.packer(make.domain(bank, context=TIGHT))
    full = packer.pack("word1", policy="everything")
    assert full.by_section["core"] >= packer.pack("word1").by_section["core"] > 300
