"""The `balanced` policy: greedy by gain over the square root of tokens.

gain = relevance + w_l (sqrt(n_label + 1) - sqrt(n_label)) relevance + w_c new coverage. It only
falls as more is chosen. As long as words of the question are to be covered, the choice is lazy
(Minoux 1978): a gain that was worked out earlier is an upper bound, and the best of the heap, once
brought up to date and still the best, is the best of all. When all words are covered, the gains
of one label's items fall together and keep their order: then only each label's best are compared.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from harness.context.choice import Choice

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Searchable
    from harness.values import Hits

__all__ = ["COVERAGE", "SPREAD", "Balance"]

SPREAD = 0.5
"""w_l: how much a label's first demonstrations count for more than its later ones."""
COVERAGE = 0.1
"""w_c: how much covering the question's words counts, against a relevance of 1 at the best."""


class Balance:
    """Chooses among candidates, each named by its place among the hits.

    Args:
        bank: The bank.
        hits: Candidates, best first.
        question: The question's text.
        budget: Tokens.
        beside: Rows that stand in the context already: their twins are dropped, too.
    """

    def __init__(
        self,
        bank: Searchable,
        hits: Hits,
        question: str,
        budget: int,
        beside: Iterable[int],
    ) -> None:
        import numpy as np

        items = bank.items
        self._bank = bank
        self._choice, self._budget = Choice(), budget
        self._standing = set(beside)
        self._rows: list[int] = hits.rows.tolist()
        self._tokens = [items[row].tokens for row in self._rows]
        self._labels = [items[row].label for row in self._rows]
        self._smallest: int = min(self._tokens)
        root = np.sqrt(np.maximum(1, self._tokens))
        self._base = hits.relevance / root
        self._inverse = COVERAGE / root
        self._weight = _LabelWeights(self._labels)
        self._cover = _Coverage(bank, hits.rows, question)

    def choose(self) -> Choice:
        """Choose until nothing more fits."""
        open_ = self._while_words_are_open()
        if self._room:
            open_ = self._label_by_label(open_)
        rows = self._rows
        self._choice.dropped.update((rows[at], "no room left") for at in sorted(open_))
        return self._choice

    @property
    def _room(self) -> bool:
        return self._budget - self._choice.tokens >= self._smallest

    def _while_words_are_open(self) -> list[int]:
        """Choose until all words are covered; return the candidates that are left."""
        cover, labels, weight = self._cover, self._labels, self._weight
        if not cover.left:
            return list(range(len(self._rows)))
        base, inverse = self._base.tolist(), self._inverse.tolist()
        heap = list(zip(self._first_losses(), range(len(base)), strict=True))
        heapq.heapify(heap)
        while heap and cover.left and self._room:
            bound, at = heap[0]
            now = -(base[at] * weight[labels[at]] + inverse[at] * cover.new(at))
            if now > bound:
                heapq.heapreplace(heap, (now, at))
                continue
            heapq.heappop(heap)
            if self._take(at):
                cover.take(at)
        return [at for _, at in heap]

    def _first_losses(self) -> list[float]:
        """Return the negative gain of every candidate while none is chosen."""
        import numpy as np

        weight = np.array([self._weight[label] for label in self._labels])
        losses: list[float] = (-(self._base * weight + self._inverse * self._cover.first)).tolist()
        return losses

    def _label_by_label(self, open_: list[int]) -> list[int]:
        """Choose among these, all words covered, until nothing fits; return what is left."""
        import numpy as np

        base, labels, weight = self._base.tolist(), self._labels, self._weight
        places = np.array(open_, dtype=np.int64)
        worst_first = np.lexsort((-places, self._base[places]))
        queues: dict[str, list[int]] = {}
        for at in places[worst_first].tolist():
            queues.setdefault(labels[at], []).append(at)
        heap = [(-(base[queue[-1]] * weight[name]), queue[-1]) for name, queue in queues.items()]
        heapq.heapify(heap)
        while heap and self._room:
            at = heap[0][1]
            name = labels[at]
            queue = queues[name]
            queue.pop()
            self._take(at)
            if queue:
                best = queue[-1]
                heapq.heapreplace(heap, (-(base[best] * weight[name]), best))
            else:
                heapq.heappop(heap)
        return [at for queue in queues.values() for at in queue]

    def _take(self, at: int) -> bool:
        """Keep a candidate, if it fits and has no twin in the context; say whether it is kept."""
        row = self._rows[at]
        twins = self._bank.words.twins(row)
        if twins and (there := self._standing.intersection(twins)):
            self._choice.dropped[row] = f"near-duplicate of {self._bank.items[min(there)].id}"
            return False
        if not self._choice.take(row, self._tokens[at], self._budget):
            return False
        self._standing.add(row)
        self._weight.take(self._labels[at])
        return True


class _LabelWeights(dict[str, float]):
    """How much a label's next demonstration counts: less with each that was taken.

    Items without a label all count the same.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        super().__init__((label, _weight(0) if label else 1.0) for label in labels)
        self._taken = dict.fromkeys(self, 0)

    def take(self, label: str) -> None:
        """Count a demonstration of the label as taken."""
        if label:
            self._taken[label] += 1
            self[label] = _weight(self._taken[label])


@cache
def _weight(taken: int) -> float:
    return 1 + SPREAD * (math.sqrt(taken + 1) - math.sqrt(taken))


class _Coverage:
    """Which of the question's words the candidates would newly cover, weighted by rarity.

    Attributes:
        first: What `new` says of each candidate while none is taken, float64.
        left: The share of each word that is to be covered, by its id.
    """

    def __init__(self, bank: Searchable, rows: np.ndarray, question: str) -> None:
        import numpy as np

        known, _ = bank.words.ids(question)
        weight = np.log1p(len(bank.items) / bank.words.frequency[known])
        share = weight / weight.sum()
        has, starts = bank.words.shared(rows, known)
        place = np.searchsorted(np.array(known, dtype=np.int64), has)
        # Added up in the order of the words, as `new` does it: the same to the last bit.
        owner = np.repeat(np.arange(len(rows)), np.diff(starts))
        self.first: np.ndarray = np.bincount(owner, weights=share[place], minlength=len(rows))
        self._has: list[int] = has.tolist()
        self._starts: list[int] = starts.tolist()
        coverable = set(self._has)
        shares = zip(known, share.tolist(), strict=True)
        self.left = {word: part for word, part in shares if word in coverable}

    def new(self, at: int) -> float:
        """Return the share of the question's words, by weight, that a candidate would add."""
        added = 0.0
        for word in self._words(at):
            added += self.left.get(word, 0.0)
        return added

    def take(self, at: int) -> None:
        """Count a candidate's words as covered."""
        for word in self._words(at):
            self.left.pop(word, None)

    def _words(self, at: int) -> list[int]:
        return self._has[self._starts[at] : self._starts[at + 1]]
