"""Choosing the tail, held against each policy written out the plain, slow way."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.context.balance import COVERAGE, SPREAD
from harness.context.choice import Choice
from harness.context.select import TRADE, choose_tail
from harness.domain import ContextSettings
from harness.testing import MemoryBank
from harness.values import Hits
from harness.words import TWIN_AT, words

WORDS = [f"word{n}" for n in range(30)]


def jaccard(one: str, other: str) -> float:
    mine, its = words(one), words(other)
    return len(mine & its) / len(mine | its)


@pytest.fixture(scope="session")
def world(make, example) -> Callable[..., tuple[MemoryBank, Hits, str, list[int]]]:
    """A random bank, hits with random relevance, a question, and rows that stand there already."""

    def of(seed: int, size: int = 40, kind: str = "label"):
        draw = random.Random(seed)
        bank = []
        for n in range(size):
            text = " ".join(draw.choices(WORDS, k=draw.randint(1, 9)))
            if bank and draw.random() < 0.3:  # a near-duplicate of an earlier one
                text = draw.choice(bank).input + draw.choice(["", "!", " word1"])
            bank.append(example(f"e{n}", text, f"label{draw.randint(0, 4)}"))
        memory = MemoryBank(make.domain(bank, kind=kind))
        question = " ".join(draw.choices(WORDS, k=4))
        rows = draw.sample(range(size), k=draw.randint(1, size))
        vector = memory.embed(question)
        hits = Hits(
            rows=np.array(rows),
            relevance=np.sort(np.random.default_rng(seed).random(len(rows)))[::-1],
            similarity=(memory.vectors(np.array(rows)) @ vector).astype(np.float64),
        )
        others = [row for row in range(size) if row not in rows]
        beside = draw.sample(others, k=min(3, len(others)))
        return memory, hits, question, beside

    return of


def naive_balanced(bank, hits, question, budget, beside) -> Choice:
    """The greedy choice with no heap: at each step every open candidate's gain is worked out."""
    choice = Choice()
    asked = words(question)
    known = {word for word in asked if any(word in words(item.text) for item in bank.items)}
    weight = {
        word: math.log1p(len(bank.items) / sum(word in words(item.text) for item in bank.items))
        for word in known
    }
    total = sum(weight.values())
    covered: set[str] = set()
    labels: dict[str, int] = {}
    open_ = list(range(len(hits)))
    smallest = min(bank.items[row].tokens for row in hits.rows.tolist())

    def gain(at: int) -> float:
        item = bank.items[int(hits.rows[at])]
        own = float(hits.relevance[at])
        if item.label:
            count = labels.get(item.label, 0)
            own += SPREAD * (math.sqrt(count + 1) - math.sqrt(count)) * float(hits.relevance[at])
        new = sum(weight[word] for word in (words(item.text) & known) - covered)
        return (own + COVERAGE * (new / total if total else 0)) / math.sqrt(item.tokens)

    while open_ and budget - choice.tokens >= smallest:
        at = max(open_, key=lambda one: (round(gain(one), 12), -one))
        open_.remove(at)
        row = int(hits.rows[at])
        item = bank.items[row]
        standing = [*beside, *choice.kept]
        if any(jaccard(item.text, bank.items[other].text) >= TWIN_AT for other in standing):
            choice.dropped[row] = "near-duplicate"
        elif choice.tokens + item.tokens > budget:
            choice.dropped[row] = "does not fit"
        else:
            choice.kept.append(row)
            choice.tokens += item.tokens
            covered |= words(item.text) & known
            labels[item.label] = labels.get(item.label, 0) + 1
    choice.dropped.update((int(hits.rows[at]), "no room left") for at in open_)
    return choice


@settings(max_examples=150)
@given(
    seed=st.integers(0, 10**6),
    budget=st.integers(1, 900),
    kind=st.sampled_from(["label", "text"]),
)
def test_balanced_is_the_greedy_choice(world, seed: int, budget: int, kind: str) -> None:
    bank, hits, question, beside = world(seed, kind=kind)
    chosen = choose_tail(bank, hits, question, policy="balanced", budget=budget, beside=beside)
    naive = naive_balanced(bank, hits, question, budget, beside)
    assert chosen.kept == naive.kept
    assert chosen.tokens == naive.tokens
    assert chosen.dropped.keys() == naive.dropped.keys()
    for row, reason in chosen.dropped.items():
        assert reason.startswith(naive.dropped[row])


def naive_diverse(bank, hits, budget) -> Choice:
    """Maximal marginal relevance as Carbonell and Goldstein write it down."""
    choice = Choice()
    open_ = list(range(len(hits)))
    vectors = bank.vectors(hits.rows)
    standing: list[int] = []
    while open_:

        def score(at: int) -> float:
            nearest = max((float(vectors[at] @ vectors[one]) for one in standing), default=0.0)
            return round(TRADE * float(hits.similarity[at]) - (1 - TRADE) * nearest, 6)

        at = max(open_, key=lambda one: (score(one), -one))
        open_.remove(at)
        row = int(hits.rows[at])
        if choice.tokens + bank.items[row].tokens > budget:
            choice.dropped[row] = "does not fit"
        else:
            choice.kept.append(row)
            choice.tokens += bank.items[row].tokens
            standing.append(at)
    return choice


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), budget=st.integers(1, 900))
def test_diverse_is_the_textbook_s_loop(world, seed: int, budget: int) -> None:
    bank, hits, question, _ = world(seed)
    # Vectors in general position: where texts are equal, rounding decides between them.
    bank._vectors = np.random.default_rng(seed).normal(size=bank._vectors.shape)
    bank._vectors /= np.linalg.norm(bank._vectors, axis=1)[:, None]
    chosen = choose_tail(bank, hits, question, policy="diverse", budget=budget)
    naive = naive_diverse(bank, hits, budget)
    assert chosen == naive


@given(seed=st.integers(0, 10**6), budget=st.integers(1, 900))
def test_nearest_is_by_similarity(world, seed: int, budget: int) -> None:
    bank, hits, question, _ = world(seed)
    chosen = choose_tail(bank, hits, question, policy="nearest", budget=budget)
    similarity = dict(zip(hits.rows.tolist(), hits.similarity.tolist(), strict=True))
    ranked = [similarity[row] for row in chosen.kept]
    assert ranked == sorted(ranked, reverse=True)
    for row in chosen.dropped:  # only what did not fit where its turn came
        before = sum(
            bank.items[one].tokens for one in chosen.kept if similarity[one] >= similarity[row]
        )
        assert before + bank.items[row].tokens > budget


@given(seed=st.integers(0, 10**6), budget=st.integers(1, 900))
def test_everything_is_in_the_order_of_relevance(world, seed: int, budget: int) -> None:
    bank, hits, question, _ = world(seed)
    chosen = choose_tail(bank, hits, question, policy="everything", budget=budget)
    rows = hits.rows.tolist()
    assert chosen.kept == [row for row in rows if row in chosen.kept]
    if sum(bank.items[row].tokens for row in rows) <= budget:
        assert chosen.kept == rows


@pytest.mark.parametrize("policy", ["balanced", "nearest", "diverse", "everything"])
@pytest.mark.parametrize("budget", [1, 12, 100, 10_000])
def test_each_candidate_is_kept_or_dropped_once_and_all_fits(
    world, policy: str, budget: int
) -> None:
    for seed in range(20):
        bank, hits, question, beside = world(seed)
        chosen = choose_tail(bank, hits, question, policy=policy, budget=budget, beside=beside)
        assert sorted([*chosen.kept, *chosen.dropped]) == sorted(hits.rows.tolist())
        assert chosen.tokens == sum(bank.items[row].tokens for row in chosen.kept) <= budget
        assert len(set(chosen.kept)) == len(chosen.kept)


def test_no_candidates(world) -> None:
    bank, _, question, _ = world(1)
    none = Hits(rows=np.array([], dtype=np.int64), relevance=np.array([]), similarity=np.array([]))
    for policy in ("balanced", "nearest", "diverse", "everything"):
        assert choose_tail(bank, none, question, policy=policy, budget=100) == Choice()


def test_a_second_label_comes_before_more_of_the_first(make, example) -> None:
    """What `balanced` is for: the runner-up label is shown, too."""
    bank = MemoryBank(
        make.domain(
            [
                *(example(f"a{n}", f"card thing {n} {'xyzuvw'[n]}", "first") for n in range(6)),
                *(example(f"b{n}", f"card other {n} {'ghijkl'[n]}", "second") for n in range(6)),
            ],
            kind="label",
        )
    )
    hits = Hits(
        rows=np.arange(12),
        relevance=np.array([1.0, 0.9, 0.89, 0.88, 0.87, 0.86, 0.85, 0.84, 0.83, 0.82, 0.81, 0.8]),
        similarity=np.ones(12),
    )

    def labels(policy: str) -> list[str]:
        rows = choose_tail(bank, hits, "card", policy=policy, budget=60).kept
        return [bank.items[row].label for row in rows]

    assert set(labels("everything")) == {"first"}
    assert set(labels("balanced")) == {"first", "second"}


# --- in a context ----------------------------------------------------------------------------


def tail_of(packed) -> list:
    return [item for item in packed.items if item.kept and item.section == "demonstrations"]


@pytest.fixture(scope="session")
def packer(make, example):
    draw = random.Random(5)
    bank = [
        example(f"e{n}", " ".join(draw.choices(WORDS, k=6)), f"label{n % 4}") for n in range(150)
    ]
    return make.packer(make.domain(bank, kind="label", context=ContextSettings(budget=1200)))


@pytest.mark.parametrize("policy", ["balanced", "nearest", "diverse", "everything"])
def test_the_least_similar_stand_first_and_the_nearest_last(packer, policy: str) -> None:
    packed = packer.pack("word1 word2 word3 word4", policy=policy)
    similarity = [item.similarity for item in tail_of(packed)]
    assert len(similarity) > 5
    assert similarity == sorted(similarity)
    text = packed.messages[1].text
    places = [text.index(packer._bank.items[packer._bank.row_of(f"example/{one.id}")].rendered)
              for one in tail_of(packed)]  # fmt: skip
    assert places == sorted(places)
    assert text.rstrip().endswith("</question>")


@pytest.mark.parametrize("policy", ["balanced", "nearest", "diverse", "everything"])
def test_every_item_considered_is_reported_once(packer, policy: str) -> None:
    packed = packer.pack("word1 word2 word3 word4", policy=policy, exclude=["e3", "e4"])
    ids = [item.id for item in packed.items]
    assert len(ids) == len(set(ids)) == 150  # fewer than 200, so all of them are looked at
    for item in packed.items:
        assert item.reason
        assert item.tokens > 0
        assert item.similarity is not None
        assert -1.0001 <= item.similarity <= 1.0001
        assert item.kept == (item.reason in ("in the core", "near the question"))
    assert packed.items is packed.items
    assert {item.id for item in packed.items if item.reason == "excluded"} <= {"e3", "e4"}
    assert not {"e3", "e4"} & {item.id for item in tail_of(packed)}


def test_what_was_to_stand_in_the_core_and_came_by_the_tail_is_reported_once(
    make, case, example
) -> None:
    bank = [example(f"e{n}", f"question {n} {WORDS[n % 30]}") for n in range(80)]
    pins = ContextSettings(pinned=("e5", "e6"), budget=900)
    of = make.domain(
        bank,
        cases=[case("c1", "question 5 word5")],
        core_lock=("e7", "e5", "gone"),
        context=pins,
    )
    packed = make.packer(of).pack("question 5 word5")
    reports = {item.id: item for item in packed.items}
    assert len(reports) == len(packed.items)
    assert reports["e5"].section == "demonstrations"  # a twin of c1, so not in the core
    assert (reports["e6"].section, reports["e7"].section) == ("core", "core")
    gone = reports["gone"]
    assert (gone.kept, gone.tokens, gone.similarity) == (False, 0, None)
    assert "core.lock" in gone.reason


def test_near_duplicates_of_the_core_do_not_come_again(make, example) -> None:
    bank = [
        example("e1", "my card was lost in paris"),
        example("e2", "My card was lost, in Paris!"),
        *(example(f"x{n}", f"other {n} {WORDS[n % 30]} {WORDS[n % 7]}") for n in range(60)),
    ]
    of = make.domain(bank, core_lock=("e1",), context=ContextSettings(budget=800))
    packed = make.packer(of).pack("card lost in paris")
    reports = {item.id: item for item in packed.items}
    assert reports["e1"].reason == "in the core"
    assert (reports["e2"].kept, reports["e2"].reason) == (False, "near-duplicate of e1")
