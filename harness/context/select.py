"""Choosing what the tail shows for one question, under a token budget.

Every policy takes the same candidates and gives back what it kept, in order of choice, and why
it dropped the rest. An item that does not fit is skipped, never cut, and the choice goes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.words import TWIN_AT

if TYPE_CHECKING:
    import numpy as np

    from harness.domain import Policy
    from harness.seams import Searchable
    from harness.values import Hits

__all__ = ["Choice", "choose_tail"]

SPREAD = 0.5
"""w_l: how much a label's first demonstrations count for more than its later ones."""
COVERAGE = 0.1
"""w_c: how much covering the question's words counts, against a relevance of 1 at the best."""
TRADE = 0.5
"""`diverse`: relevance against novelty (the lambda of Carbonell and Goldstein's MMR, 1998)."""


@dataclass(kw_only=True)
class Choice:
    """What a policy chose.

    Attributes:
        kept: Rows, in order of choice.
        dropped: Why each other candidate is not there.
        tokens: Of what was kept.
    """

    kept: list[int] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)
    tokens: int = 0


def choose_tail(
    bank: Searchable,
    hits: Hits,
    question: str,
    *,
    policy: Policy,
    budget: int,
    beside: Iterable[int] = (),
) -> Choice:
    """Choose among the hits.

    Args:
        bank: The bank.
        hits: Candidates, best first, free of what the guard objects to.
        question: The question's text.
        policy: `balanced` and `diverse` weigh in what was chosen before; `nearest` takes by
            similarity and `everything` by relevance, as many as fit.
        budget: Tokens.
        beside: Rows that stand in the context already: their twins are dropped, too.
    """
    choice = Choice()
    if not len(hits):
        return choice
    if policy == "nearest":
        _fill(bank, choice, hits.rows[(-hits.similarity).argsort(kind="stable")], budget)
    elif policy == "everything":
        _fill(bank, choice, hits.rows, budget)
    elif policy == "diverse":
        _diverse(bank, choice, hits, budget)
    else:
        _balanced(bank, choice, hits, question, budget, beside)
    return choice


def _fill(bank: Searchable, choice: Choice, rows: Iterable[int], budget: int) -> None:
    for row in rows:
        _take(bank, choice, int(row), budget)


def _take(bank: Searchable, choice: Choice, row: int, budget: int) -> bool:
    """Keep a row if it fits; say whether it did."""
    tokens = bank.items[row].tokens
    if choice.tokens + tokens > budget:
        choice.dropped[row] = "does not fit"
        return False
    choice.kept.append(row)
    choice.tokens += tokens
    return True


def _balanced(
    bank: Searchable,
    choice: Choice,
    hits: Hits,
    question: str,
    budget: int,
    beside: Iterable[int],
) -> None:
    """Greedy by gain over the square root of tokens, lazily (Minoux 1978).

    gain = relevance + w_l (sqrt(n_label + 1) - sqrt(n_label)) relevance + w_c new coverage: it
    only falls as more is chosen, so a gain that was computed earlier is an upper bound, and the
    best of the heap, once brought up to date and still the best, is the best of all.
    """
    import numpy as np

    rows = hits.rows.tolist()
    relevance = hits.relevance.tolist()
    tokens = [bank.items[row].tokens for row in rows]
    root = np.sqrt(np.maximum(tokens, 1)).tolist()
    cover = _Coverage(bank, hits.rows, question)
    labels: dict[str, int] = {}
    twins = _Twins(bank, beside)
    smallest = min(tokens)

    def gain(at: int) -> float:
        label = bank.items[rows[at]].label
        count = labels.get(label, 0)
        spread = SPREAD * (SQUARE_ROOTS(count + 1) - SQUARE_ROOTS(count)) if label else 0.0
        return (relevance[at] * (1 + spread) + COVERAGE * cover.new(at)) / root[at]

    heap = [(-gain(at), at, 0) for at in range(len(rows))]
    heapq.heapify(heap)
    while heap and budget - choice.tokens >= smallest:
        _, at, stamp = heapq.heappop(heap)
        if stamp < len(choice.kept):
            heapq.heappush(heap, (-gain(at), at, len(choice.kept)))
            continue
        row = rows[at]
        if (twin := twins.of(row)) is not None:
            choice.dropped[row] = f"near-duplicate of {bank.items[twin].id}"
        elif _take(bank, choice, row, budget):
            twins.add(row)
            cover.take(at)
            label = bank.items[row].label
            labels[label] = labels.get(label, 0) + 1
    choice.dropped.update((rows[at], "no room left") for _, at, _ in heap)


def SQUARE_ROOTS(count: int) -> float:  # noqa: N802
    return count**0.5


def _diverse(bank: Searchable, choice: Choice, hits: Hits, budget: int) -> None:
    """Maximal marginal relevance over the embeddings, until the budget is full."""
    import numpy as np

    vectors = bank.vectors(hits.rows)
    redundancy = np.zeros(len(hits))
    open_ = np.ones(len(hits), dtype=bool)
    while open_.any():
        score = TRADE * hits.similarity - (1 - TRADE) * redundancy
        at = int(np.argmax(np.where(open_, score, -np.inf)))
        open_[at] = False
        if _take(bank, choice, int(hits.rows[at]), budget):
            np.maximum(redundancy, vectors @ vectors[at], out=redundancy)


class _Coverage:
    """Which of the question's words the candidates would newly cover, weighted by rarity."""

    def __init__(self, bank: Searchable, rows: np.ndarray, question: str) -> None:
        import numpy as np

        known, _ = bank.words.ids(question)
        weight = np.log1p(len(bank.items) / bank.words.frequency[known]) if known else np.empty(0)
        total = float(weight.sum())
        self._weight = (weight / total).tolist() if total else []
        place = {word: at for at, word in enumerate(known)}
        self._has = [
            [place[word] for word in bank.words.row(row).tolist() if word in place]
            for row in rows.tolist()
        ]
        self._open = [True] * len(known)

    def new(self, at: int) -> float:
        """Return the share of the question's words, by weight, that a candidate would add."""
        return sum(self._weight[word] for word in self._has[at] if self._open[word])

    def take(self, at: int) -> None:
        """Count a candidate's words as covered."""
        for word in self._has[at]:
            self._open[word] = False


class _Twins:
    """Near-duplicates among rows, by prefix filter over word ids; see `harness.words.twins`."""

    def __init__(self, bank: Searchable, rows: Iterable[int]) -> None:
        self._words = bank.words
        self._sets: dict[int, frozenset[int]] = {}
        self._by_word: dict[int, list[int]] = {}
        for row in rows:
            self.add(row)

    def add(self, row: int) -> None:
        """Count a row as standing in the context."""
        for word in self._prefix(row):
            self._by_word.setdefault(word, []).append(row)

    def of(self, row: int) -> int | None:
        """Return a row that stands in the context and is a twin of this one."""
        for word in self._prefix(row):
            for other in self._by_word.get(word, ()):
                one, two = self._set(row), self._set(other)
                common = len(one & two)
                if common >= TWIN_AT * (len(one) + len(two) - common):
                    return other
        return None

    def _prefix(self, row: int) -> list[int]:
        ids = self._words.row(row)
        share = len(ids) - -(-len(ids) * 4 // 5) + 1
        prefix: list[int] = ids[:share].tolist()
        return prefix

    def _set(self, row: int) -> frozenset[int]:
        if row not in self._sets:
            self._sets[row] = frozenset(self._words.row(row).tolist())
        return self._sets[row]
