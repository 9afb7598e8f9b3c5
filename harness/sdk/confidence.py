"""How sure an answer is: how far the worked cases nearest to the question say the same."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.values import Answer
    from harness.values_packed import Packed

__all__ = ["confidence_in", "nearest_shown"]

NEAREST = 10
"""Worked cases, the most similar ones, whose labels are held against the answer."""


def confidence_in(domain: Domain) -> Callable[[Answer, Packed], float | None]:
    """Return what says how sure a domain's answers are, from an answer and its context.

    It gives the share of similarity that the nearest cases with the answer's label have, or None
    where the domain does not answer by label: elsewhere nothing says whether two answers agree.
    It orders answers by how sure they are; it is no probability.

    Args:
        domain: As packed.
    """
    if domain.settings.answer.kind != "label":
        return lambda _answer, _packed: None
    labels = {one.id: one.output for one in domain.examples}
    labels |= {one.id: one.expected for one in domain.cases if isinstance(one.expected, str)}

    def confidence(answer: Answer, packed: Packed) -> float | None:
        if not isinstance(answer.value, str):
            return None
        seen = (
            (similarity, labels[id_] == answer.value)
            for id_, similarity in packed.likeness()
            if similarity > 0 and id_ in labels
        )
        nearest = heapq.nlargest(NEAREST, seen)
        total = sum(similarity for similarity, _ in nearest)
        agreed = sum(similarity for similarity, same in nearest if same)
        return agreed / total if total else None

    return confidence


def nearest_shown(packed: Packed) -> float | None:
    """Return the cosine between the question and the most similar worked case that was shown.

    It says how familiar the question is, in a domain of any kind of answers; not whether the
    answer is right. None where no worked case was shown, or none was compared.
    """
    return max((similarity for _, similarity in packed.likeness()), default=None)
