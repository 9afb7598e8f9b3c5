"""Every pair of near-duplicates among many texts, found at once.

A prefix filter with a positional filter (Xiao, Wang, Lin, Yu and Wang 2011, "Efficient similarity
joins for near-duplicate detection"), over arrays: the twins of a bank are found when it is
indexed, so that packing only looks them up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["twin_pairs"]

CHUNK = 1_000_000
"""Pairs that are held against each other at once: some hundred megabytes at the most."""
VERIFIED = 100_000


def twin_pairs(indptr: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return all pairs of rows with a word-Jaccard of 4/5 or more.

    Args:
        indptr: int64 of shape (rows + 1,): where each row's ids start in `indices`.
        indices: Word ids; within a row ascending, a smaller id for a rarer word.

    Returns:
        int64 of shape (pairs, 2), the smaller row first, in ascending order.
    """
    import numpy as np

    rows = len(indptr) - 1
    found = [np.empty(0, dtype=np.int64)]
    found.extend(one * rows + other for one, other in _candidates(indptr, indices))
    keys = np.unique(np.concatenate(found))
    pairs = np.stack([keys // max(rows, 1), keys % max(rows, 1)], axis=1)
    sizes = np.diff(indptr)
    common = _common(pairs, indptr, indices)
    total = sizes[pairs].sum(axis=1) - common
    result: np.ndarray = pairs[5 * common >= 4 * total]
    return result


def _candidates(indptr: np.ndarray, indices: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of rows, the smaller first, that can have enough words in common.

    Twins share a word among the first n - ceil(4/5 n) + 1 of each, and from the first shared one
    on at most the shorter rest is shared, too; 4/5 of all is 4/9 of both sizes.
    """
    import numpy as np

    sizes = np.diff(indptr)
    prefix = sizes - -(-sizes * 4 // 5) + 1
    row = np.repeat(np.arange(len(sizes)), prefix)
    place = np.arange(len(row)) - np.repeat(np.cumsum(prefix) - prefix, prefix)
    word = indices[indptr[row] + place]
    order = np.argsort(word, kind="stable")  # rows stay ascending within a word
    word, row, rest = word[order], row[order], (sizes[row] - place)[order]
    size = sizes[row]
    after = np.searchsorted(word, word, side="right") - np.arange(len(word)) - 1
    for one, other in _in_chunks(after):
        enough = 9 * np.minimum(rest[one], rest[other]) >= 4 * (size[one] + size[other])
        yield row[one[enough]], row[other[enough]]


def _in_chunks(after: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for each position, its pairs with the `after` positions that follow it."""
    import numpy as np

    running = np.cumsum(after)
    start = 0
    while start < len(after):
        done = running[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(running, done + CHUNK, side="right")))
        counts = after[start:end]
        one = np.repeat(np.arange(start, end), counts)
        step = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
        yield one, one + step + 1
        start = end


def _common(pairs: np.ndarray, indptr: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return how many words each pair of rows has in common."""
    import numpy as np

    vocabulary = int(indices.max(initial=0)) + 1
    counts = np.zeros(len(pairs), dtype=np.int64)
    for start in range(0, len(pairs), VERIFIED):
        chunk = pairs[start : start + VERIFIED]
        both = []
        for side in (0, 1):
            first, sizes = indptr[chunk[:, side]], np.diff(indptr)[chunk[:, side]]
            owner = np.repeat(np.arange(len(chunk)), sizes)
            place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            both.append(owner * vocabulary + indices[first[owner] + place])
        merged = np.sort(np.concatenate(both), kind="stable")
        twice = merged[1:][merged[1:] == merged[:-1]]
        counts[start : start + VERIFIED] = np.bincount(twice // vocabulary, minlength=len(chunk))
    return counts
