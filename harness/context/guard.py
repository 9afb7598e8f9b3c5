"""The guard: keeps an eval case, its near-duplicates and its siblings out of its own context.

Leaving out the case by its id alone inflates nearest-neighbour accuracy by 11 to 21 points on
real banks (CUAD, MedCalc): most items have a near twin there, or a sibling from one document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.values import BankItem, EvalCase
from harness.words import TWIN_AT, TwinIndex, same_source, words

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Searchable

__all__ = ["Guard", "eval_relatives"]


@dataclass(frozen=True)
class Guard:
    """What may not stand in the context that answers one eval case."""

    case: EvalCase

    def refusals(self, bank: Searchable, rows: np.ndarray) -> dict[int, str]:
        """Return, of these rows, those that may not be shown, and why.

        A passage is a reference that any question of the field may need: it is left out only
        where it comes from the case's own source, which its document's name then says.
        """
        twins = bank.words.jaccard(rows, self.case.text) >= TWIN_AT
        refused = {}
        for row, twin in zip(rows.tolist(), twins.tolist(), strict=True):
            reason = self._objection(bank.items[row], twin)
            if reason:
                refused[row] = reason
        return refused

    def _objection(self, item: BankItem, twin: bool) -> str:
        if item.kind == "passage":
            return "its own source" if same_source(item.document, self.case.source) else ""
        if item.kind == "eval" and item.id == self.case.id:
            return "the case itself"
        if same_source(item.source, self.case.source):
            return "same source"
        return "near-duplicate of the case" if twin else ""


def eval_relatives(bank: Searchable, cases: Iterable[EvalCase]) -> frozenset[int]:
    """Return the rows that are twins or siblings of any eval case of any split.

    They never stand in the stable part: so evals and daily use share one prefix. Of passages it
    is those of a document that is the source of a case, as for the guard.
    """
    cases = list(cases)
    twins = TwinIndex(case.text for case in cases)
    sources = {case.source.strip().casefold() for case in cases} - {""}

    def related(item: BankItem) -> bool:
        if item.kind == "passage":
            return item.document.strip().casefold() in sources
        return item.kind == "example" and (
            item.source.strip().casefold() in sources or twins.has_twin(words(item.text))
        )

    return frozenset(row for row, item in enumerate(bank.items) if related(item))
