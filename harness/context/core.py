"""Choosing the stable core: every label's most central example, then what is farthest from all.

Words decide, not embeddings: sets of words compare in whole numbers, so the choice is the same
on every machine, whatever its processor rounds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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
    (largest labels first); then k-centre, greedily the example that is farthest in word-Jaccard
    from all chosen (Gonzalez 1985; Sener and Savarese 2018 for choosing training examples). A
    source gives a second example only when there is no other left. An example over a third of
    the budget is passed over.

    Args:
        bank: The bank.
        rows: Rows that may be chosen.
        budget: Tokens.
    """
    largest = max(budget // 3, 1)
    fitting = [row for row in rows if bank.items[row].tokens <= largest]
    if not fitting:
        return []
    chosen = _Chosen(bank, fitting, budget)
    for group in _by_centrality(bank, fitting):
        chosen.take_first(group)
    while chosen.take_farthest() or chosen.forget_sources():
        pass
    return chosen.rows


class _Chosen:
    """The rows chosen so far, which others may still come, and how far those are.

    Args:
        bank: The bank.
        rows: Rows that may be chosen; at least one.
        budget: Tokens.
    """

    def __init__(self, bank: Searchable, rows: Sequence[int], budget: int) -> None:
        import numpy as np

        ordered = sorted(rows, key=lambda row: fixed_order(bank.items[row]))
        items = [bank.items[row] for row in ordered]
        codes = {"": 0}
        self.rows: list[int] = []
        self._ordered = ordered
        self._place = {row: place for place, row in enumerate(ordered)}
        self._left = budget
        self._tokens = np.array([item.tokens for item in items])
        self._source = np.array(
            [codes.setdefault(item.source.strip().casefold(), len(codes)) for item in items]
        )
        self._open = np.ones(len(ordered), dtype=bool)
        self._seen = np.zeros(len(codes), dtype=bool)
        self._words = bank.words
        self._sizes = np.diff(bank.words.indptr)[ordered]
        self._postings = _postings(bank.words, ordered)
        self._nearest = np.zeros(len(ordered))  # word-Jaccard with the nearest one taken

    def take_first(self, rows: Sequence[int]) -> None:
        """Choose the first of these rows that fits and whose source is new."""
        may = self._may_come()
        place = next((self._place[row] for row in rows if may[self._place[row]]), None)
        if place is not None:
            self._take(place)

    def take_farthest(self) -> bool:
        """Choose the row farthest from all chosen that fits and whose source is new, if any."""
        import numpy as np

        may = self._may_come()
        if not may.any():
            return False
        self._take(int(np.argmin(np.where(may, self._nearest, 2.0))))
        return True

    def forget_sources(self) -> bool:
        """Let every source give another example; say whether that changes anything."""
        any_seen = bool(self._seen.any())
        self._seen[:] = False
        return any_seen and bool(self._may_come().any())

    def _may_come(self) -> np.ndarray:
        may: np.ndarray = self._open & (self._tokens <= self._left) & ~self._seen[self._source]
        return may

    def _take(self, place: int) -> None:
        import numpy as np

        self.rows.append(self._ordered[place])
        self._open[place] = False
        self._left -= int(self._tokens[place])
        self._seen[self._source[place]] = self._source[place] > 0
        own = self._words.row(self._ordered[place])
        common = np.zeros(len(self._ordered), dtype=np.int64)
        for word in own:
            common[self._postings[word]] += 1
        np.maximum(self._nearest, common / (self._sizes + len(own) - common), out=self._nearest)


def _by_centrality(bank: Searchable, rows: Sequence[int]) -> Iterator[list[int]]:
    """Yield the examples of each label, the most central first; largest labels first."""
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
        yield [group[at] for at in np.argsort(np.negative(centrality), kind="stable")]


def _postings(words: WordTable, rows: Sequence[int]) -> dict[int, np.ndarray]:
    """Return, for each word id, the places (in `rows`) of the rows that have it."""
    import numpy as np

    sizes = np.diff(words.indptr)[list(rows)]
    flat = np.concatenate([words.row(row) for row in rows])
    places = np.repeat(np.arange(len(rows)), sizes)
    order = np.argsort(flat, kind="stable")
    ids, starts = np.unique(flat[order], return_index=True)
    return dict(zip(ids.tolist(), np.split(places[order], starts[1:]), strict=True))
