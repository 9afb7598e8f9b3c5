"""Choosing the stable core: every label's most central example, then what is farthest from all.

Words decide, not embeddings: sets of words compare in whole numbers, so the choice is the same
on every machine, whatever its processor rounds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Searchable
    from harness.values import BankItem
    from harness.words import WordTable

__all__ = ["choose", "fixed_order"]


def fixed_order(item: BankItem) -> bytes:
    """Sort key that mixes labels and files, the same on every machine."""
    return hashlib.sha256(f"core\0{item.key}".encode("utf-8", "surrogatepass")).digest()


def choose(bank: Searchable, rows: Sequence[int], budget: int) -> list[int]:
    """Return rows for the core within a budget, in the order of choice.

    First the medoid of each label, taken as the example nearest the centre of its label's words
    (largest labels first, at most one of a source); then k-centre, greedily the example that is
    farthest in word-Jaccard from all chosen (Gonzalez 1985; Sener and Savarese 2018 for choosing
    training examples). An example over a third of the budget is passed over.

    Args:
        bank: The bank.
        rows: Rows that may be chosen.
        budget: Tokens.
    """
    chosen: list[int] = []
    sources: set[str] = set()
    left = budget
    largest = max(budget // 3, 1)
    fitting = [row for row in rows if bank.items[row].tokens <= largest]
    if not fitting:
        return []
    spread = _Spread(bank, fitting)
    for row in _either(_medoids(bank, fitting), spread):
        item = bank.items[row]
        if item.tokens > left or (item.source and item.source in sources):
            spread.pass_over(row)
            continue
        chosen.append(row)
        spread.take(row)
        sources.add(item.source)
        left -= item.tokens
        if left < spread.smallest:
            break
    return chosen


def _either(first: Iterable[int], then: Iterable[int]) -> Iterator[int]:
    seen = set()
    for row in first:
        seen.add(row)
        yield row
    for row in then:
        if row not in seen:
            yield row


def _medoids(bank: Searchable, rows: Sequence[int]) -> Iterator[int]:
    """Yield the most central example of each label, largest labels first."""
    import numpy as np

    items, words = bank.items, bank.words
    by_label = sorted(rows, key=lambda row: (items[row].label, fixed_order(items[row])))
    groups = [list(group) for _, group in groupby(by_label, key=lambda row: items[row].label)]
    groups.sort(key=lambda group: (-len(group), items[group[0]].label))
    for group in groups:
        frequency = np.zeros(len(words.frequency), dtype=np.int64)
        np.add.at(frequency, np.concatenate([words.row(row) for row in group]), 1)
        # Cosine with the label's centre, squared and scaled: whole numbers until the last step.
        centrality = [int(frequency[w].sum()) ** 2 / len(w) for w in map(words.row, group)]
        yield group[int(np.argmax(centrality))]


class _Spread:
    """The k-centre order of rows: always the one farthest from all that were taken."""

    def __init__(self, bank: Searchable, rows: Sequence[int]) -> None:
        import numpy as np

        ordered = sorted(rows, key=lambda row: fixed_order(bank.items[row]))
        self._rows = np.array(ordered, dtype=np.int64)
        self._place = {row: place for place, row in enumerate(ordered)}
        self._words = bank.words
        self._sizes = np.diff(bank.words.indptr)[self._rows]
        self._postings = _postings(bank.words, ordered)
        self._nearest = np.zeros(len(ordered))  # word-Jaccard with the nearest one taken
        self._open = np.ones(len(ordered), dtype=bool)
        self.smallest = min(bank.items[row].tokens for row in rows)

    def take(self, row: int) -> None:
        """Count a row as chosen."""
        import numpy as np

        common = np.zeros(len(self._rows), dtype=np.int64)
        own = self._words.row(row)
        for word in own:
            common[self._postings[word]] += 1
        np.maximum(self._nearest, common / (self._sizes + len(own) - common), out=self._nearest)
        self.pass_over(row)

    def pass_over(self, row: int) -> None:
        """Leave a row out of what comes."""
        self._open[self._place[row]] = False

    def __iter__(self) -> Iterator[int]:
        """Yield the farthest open row, until none is open."""
        import numpy as np

        while self._open.any():
            farthest = int(np.argmin(np.where(self._open, self._nearest, 2.0)))
            yield int(self._rows[farthest])
            self._open[farthest] = False


def _postings(words: WordTable, rows: Sequence[int]) -> dict[int, np.ndarray]:
    """Return, for each word id, the places (in `rows`) of the rows that have it."""
    import numpy as np

    sizes = np.diff(words.indptr)[list(rows)]
    flat = np.concatenate([words.row(row) for row in rows])
    places = np.repeat(np.arange(len(rows)), sizes)
    order = np.argsort(flat, kind="stable")
    ids, starts = np.unique(flat[order], return_index=True)
    return dict(zip(ids.tolist(), np.split(places[order], starts[1:]), strict=True))
