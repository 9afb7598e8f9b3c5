"""A budget in dollars for an eval: whose price has to be known, and what judging will take."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from harness.domain.rubrics import read_rubric
from harness.evals.purse import Estimate, Judging, unknown_price
from harness.values import jsonable

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.evals.graders import Work
    from harness.sdk.models import Models
    from harness.seams import Model
    from harness.values import EvalCase

__all__ = ["judging_in", "refuse_unpriced"]

ORDERS = 2
"""Calls of a judge that compares two answers: each of them first, once."""
PROMPT = 400
"""Tokens of what a judge is told beside the case, the criterion and the answer."""
CHARACTERS = 3
"""Of a token, few rather than many: an answer of a megabyte is not counted to the token."""
VERDICT = 250
"""Tokens that a judge is thought to write; after its first call, what that cost counts."""


def refuse_unpriced(models: Models, domain: Domain) -> None:
    """Make sure that a budget can be kept with the models that answer for a domain.

    Raises:
        EvalError: The price of one is not known.
    """
    for model in (models.main(domain.settings), models.fallback(domain.settings)):
        if model is not None and model.cost(1, 1) is None:
            raise unknown_price(model.name)


def judging_in(domain: Domain, judge: Model) -> Estimate:
    """Return what estimates how often a judge is asked about an answer, and at what price.

    Args:
        domain: Whose rubrics checks name.
        judge: The judge.

    Raises:
        EvalError: Its price is not known.
    """
    if judge.cost(1, 1) is None:
        raise unknown_price(judge.name)
    named = {rubric.name: rubric for rubric in domain.rubrics}

    def calls(case: EvalCase) -> int:
        count = sum(check.grader == "pairwise" for check in case.checks) * ORDERS
        rubrics = (read_rubric(one, named) for one in case.checks if one.grader == "rubric")
        return count + sum(len(rubric.criteria) for rubric in rubrics)

    def estimate(case: EvalCase, work: Work | None) -> Judging:
        asked = calls(case)
        if work is not None and not work.text.strip():
            return Judging()  # nobody is asked about nothing
        if not asked:
            return Judging()
        expected = "" if case.expected is None else str(jsonable(case.expected))
        answer = expected if work is None else work.text
        tokens = PROMPT + sum(map(len, (case.text, expected, answer))) // CHARACTERS
        return Judging(calls=asked, price=judge.cost(tokens, VERDICT) or Decimal(0))

    return estimate
