"""`cost`: the answer cost at most so many US dollars, all its steps together.

    - id: memo-1
      input: Write the memo.
      checks:
        - cost: 0.05

An unknown price leaves the answer unscored; it is never taken as nothing.
"""

from __future__ import annotations

from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade
from harness.evals.graders.limit import at_most
from harness.evals.graders.work import Work
from harness.values import Check, EvalCase

__all__ = ["cost"]


def cost(check: Check, work: Work, _case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the work by what it cost."""
    return at_most(check, work.cost_usd, "US dollars")
