"""The guard: keeps an eval case, its near-duplicates and its siblings out of its own context.

Leaving out the case by its id alone inflates nearest-neighbour accuracy by 11 to 21 points on
real banks (CUAD, MedCalc): most items have a near twin there, or a sibling from one document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from harness.values import BankItem, EvalCase
from harness.words import TWIN_AT, TwinIndex, words

if TYPE_CHECKING:
    import numpy as np

    from harness.domain.seal import Prints
    from harness.seams import Searchable

__all__ = ["Guard", "eval_relatives"]


@dataclass(frozen=True)
class Guard:
    """What may not stand in the context that answers one eval case."""

    case: EvalCase

    def refusals(self, bank: Searchable, rows: np.ndarray) -> dict[int, str]:
        """Return, of these rows, those that may not be shown, and why.

        The source of a passage is the document that it is cut from, with or without its folder
        and ending.
        """
        if not len(rows):
            return {}
        twins = bank.words.jaccard(rows, self.case.text) >= TWIN_AT
        own = bank.row_of(f"eval/{self.case.id}")
        source = _source_key(self.case.source)
        refused = {}
        for row, twin in zip(rows.tolist(), twins.tolist(), strict=True):
            if row == own:
                refused[row] = "the case itself"
            elif source is not None and source in _sources_of(bank.items[row]):
                refused[row] = "same source"
            elif twin:
                refused[row] = "near-duplicate of the case"
        return refused


def eval_relatives(
    bank: Searchable, cases: Iterable[EvalCase], sealed: Prints | None = None
) -> frozenset[int]:
    """Return the rows that are twins or siblings of any eval case of any split.

    They never stand in the stable part: so evals and daily use share one prefix.

    Args:
        bank: The bank.
        cases: Cases that can be read.
        sealed: Fingerprints of those that can't.
    """
    cases = list(cases)
    twins = TwinIndex(case.text for case in cases)
    sources = {_source_key(case.source) for case in cases} - {None}

    def related(item: BankItem) -> bool:
        if item.kind == "eval":
            return False
        if not sources.isdisjoint(_sources_of(item)) or twins.has_twin(words(item.text)):
            return True
        return sealed is not None and bool(sealed.related(item.text, _sources_of(item)))

    return frozenset(row for row, item in enumerate(bank.items) if related(item))


def _source_key(source: str) -> str | None:
    """Return a source as it is compared; None where there is none."""
    return source.strip().casefold() or None


def _sources_of(item: BankItem) -> frozenset[str | None]:
    """Return the names that an item's source goes by."""
    if item.kind != "passage":
        source = _source_key(item.source)
        return frozenset() if source is None else frozenset((source,))
    path = PurePosixPath(item.document)
    names = (item.document, path.name, path.stem)
    return frozenset(_source_key(name) for name in names) - {None}
