"""Choosing what the tail shows for one question, under a token budget.

Every policy takes the same candidates and gives back what it kept, in order of choice, and why
it dropped the rest. An item that does not fit is skipped, never cut, and the choice goes on.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

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
        _balanced(bank, choice, hits, question=question, budget=budget, beside=beside)
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
    *,
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
    items = [bank.items[row] for row in rows]
    root = np.sqrt([max(1, item.tokens) for item in items])
    base = (hits.relevance / root).tolist()
    inverse = (COVERAGE / root).tolist()
    label = [item.label for item in items]
    weight = _LabelWeight(label)
    cover = _Coverage(bank, hits.rows, question)
    standing = set(beside)
    smallest = min(item.tokens for item in items)

    def loss(at: int) -> float:
        gain: float = base[at] * weight[label[at]]
        return -(gain + inverse[at] * cover.new(at)) if cover.left else -gain

    heap = [(loss(at), at) for at in range(len(rows))]
    heapq.heapify(heap)
    while heap and budget - choice.tokens >= smallest:
        bound, at = heap[0]
        now = loss(at)
        if now > bound:
            heapq.heapreplace(heap, (now, at))
            continue
        heapq.heappop(heap)
        row = rows[at]
        if twin := standing.intersection(bank.words.twins(row)):
            choice.dropped[row] = f"near-duplicate of {bank.items[min(twin)].id}"
        elif _take(bank, choice, row, budget):
            standing.add(row)
            cover.take(at)
            weight.take(label[at])
    choice.dropped.update((rows[at], "no room left") for _, at in heap)


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
            near = vectors @ vectors[at]
            redundancy = near if len(choice.kept) == 1 else np.maximum(redundancy, near)


class _LabelWeight(dict[str, float]):
    """How much a label's next demonstration counts: less with each that was taken.

    Items without a label all count the same.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        super().__init__((label, 1 + SPREAD if label else 1.0) for label in labels)
        self._taken: Counter[str] = Counter()

    def take(self, label: str) -> None:
        """Count a demonstration of the label as taken."""
        if label:
            self._taken[label] += 1
            taken = self._taken[label]
            self[label] = 1 + SPREAD * (math.sqrt(taken + 1) - math.sqrt(taken))


class _Coverage:
    """Which of the question's words the candidates would newly cover, weighted by rarity."""

    def __init__(self, bank: Searchable, rows: np.ndarray, question: str) -> None:
        import numpy as np

        known, _ = bank.words.ids(question)
        weight = np.log1p(len(bank.items) / bank.words.frequency[known])
        shares = zip(known, (weight / weight.sum()).tolist(), strict=True)
        self._has = bank.words.shared(rows, known)
        coverable = set(chain.from_iterable(self._has))
        self.left = {word: share for word, share in shares if word in coverable}

    def new(self, at: int) -> float:
        """Return the share of the question's words, by weight, that a candidate would add."""
        added = 0.0
        for word in self._has[at]:
            added += self.left.get(word, 0.0)
        return added

    def take(self, at: int) -> None:
        """Count a candidate's words as covered."""
        for word in self._has[at]:
            self.left.pop(word, None)
