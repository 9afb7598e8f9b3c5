"""`steps`: the model was called at most so many times.

- id: reconcile-3
  input: Reconcile the two ledgers.
  checks:
    - steps: 12
"""

from __future__ import annotations

from decimal import Decimal

from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade
from harness.evals.graders.limit import at_most
from harness.evals.graders.work import Work
from harness.values import Check, EvalCase

__all__ = ["steps"]


def steps(check: Check, work: Work, _case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the work by its calls of the model."""
    return at_most(check, Decimal(work.steps), "steps")
