"""Choosing what the tail shows for one question, under a token budget.

Every policy takes the same candidates and gives back what it kept, in order of choice, and why
it dropped the rest. An item that does not fit is skipped, never cut, and the choice goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.context.balance import Balance
from harness.context.choice import Choice

if TYPE_CHECKING:
    from harness.domain import Policy
    from harness.seams import Searchable
    from harness.values import Hits

__all__ = ["choose_tail"]

TRADE = 0.5
"""`diverse`: relevance against novelty (the lambda of Carbonell and Goldstein's MMR, 1998)."""


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
        return Balance(bank, hits, question, budget, beside).choose()
    return choice


def _fill(bank: Searchable, choice: Choice, rows: Iterable[int], budget: int) -> None:
    for row in rows:
        choice.take(int(row), bank.items[row].tokens, budget)


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
        row = int(hits.rows[at])
        if choice.take(row, bank.items[row].tokens, budget):
            near = vectors @ vectors[at]
            redundancy = near if len(choice.kept) == 1 else np.maximum(redundancy, near)
