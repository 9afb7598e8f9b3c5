"""When two texts count as the same: equal once normalised, or most of their words in common.

One definition for the guard, for the core, for the choice of demonstrations and for lint.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

__all__ = ["TWIN_AT", "TwinIndex", "jaccard", "same_source", "terms", "words"]

TWIN_AT = 0.8
"""Word-Jaccard from which on two texts are near-duplicates (measured on CUAD and MedCalc)."""

WORD = re.compile(r"\w+")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
"""Thai, Lao, Burmese, Khmer, kana and Han are written without blanks between words."""
UNSEEN = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def terms(text: str) -> list[str]:
    """Return the words of a text in its order, compatibility-normalised and case-folded.

    Invisible characters part no words. A run of a script that is written without blanks gives
    its pairs of neighbouring characters, as is usual in searching such text.
    """
    if text.isascii():
        return WORD.findall(text.casefold())
    folded = UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
    found: list[str] = WORD.findall(folded)
    if UNSPACED.search(folded) is None:
        return found
    return [term for word in found for term in _parted(word)]


def _parted(word: str) -> Iterator[str]:
    """Yield a word's stretches: pairs of characters of unspaced scripts, the rest as it is."""
    end = 0
    for run in UNSPACED.finditer(word):
        if run.start() > end:
            yield word[end : run.start()]
        pairs = [run[0][at : at + 2] for at in range(len(run[0]) - 1)]
        yield from pairs or [run[0]]
        end = run.end()
    if end < len(word):
        yield word[end:]


def words(text: str) -> frozenset[str]:
    """Return the distinct words of a text.

    A text without a single word (signs, emoji) stands for itself as one word, so that equal
    texts stay equal.
    """
    return frozenset(terms(text)) or frozenset((unicodedata.normalize("NFKC", text).strip(),))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the words in common over all words, 0 to 1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def same_source(one: str, other: str) -> bool:
    """Say whether two items come from one document, patient or contract."""
    return bool(one.strip()) and one.strip().casefold() == other.strip().casefold()


class TwinIndex:
    """Texts that others are held against: finds near-duplicates without comparing all pairs.

    Prefix filter (Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins"):
    with the words of each text in one global order, two texts of Jaccard t or more share a word
    among the first n - ceil(t n) + 1 of each. Positional filter (Xiao, Wang, Lin, Yu and Wang
    2011): from the first shared word on, they share at most the shorter rest.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._sets: list[frozenset[str]] = []
        self._by_word: dict[str, list[tuple[int, int, int]]] = {}  # row, size, words from here on
        sets = [words(text) for text in texts]
        self._frequency = Counter(word for one in sets for word in one)
        for one in sets:
            self.add(one)

    def add(self, one: frozenset[str]) -> None:
        """Take in one more text, given by its words."""
        row, size = len(self._sets), len(one)
        self._sets.append(one)
        for at, word in enumerate(self._prefix(one)):
            self._by_word.setdefault(word, []).append((row, size, size - at))

    def twins(self, one: frozenset[str]) -> Iterator[int]:
        """Yield the numbers, in order of adding, of the texts that are twins of this one."""
        seen: set[int] = set()
        size = len(one)
        for at, word in enumerate(self._prefix(one)):
            rest = size - at
            for row, its_size, its_rest in self._by_word.get(word, ()):
                # 4/5 of all words is 4/9 of both sizes: in whole numbers, to be exact.
                if 9 * (rest if rest < its_rest else its_rest) < 4 * (size + its_size):
                    continue
                if row not in seen:
                    seen.add(row)
                    if jaccard(one, self._sets[row]) >= TWIN_AT:
                        yield row

    def has_twin(self, one: frozenset[str]) -> bool:
        """Say whether any text taken in is a twin of this one."""
        return next(self.twins(one), None) is not None

    def _prefix(self, one: frozenset[str]) -> list[str]:
        """Rarest words first: few texts share them, so few pairs are compared."""
        share = len(one) - -(-len(one) * 4 // 5) + 1  # ceil(0.8 n) in whole numbers
        frequency = self._frequency
        return sorted(one, key=lambda word: (frequency.get(word, 0), word))[:share]
