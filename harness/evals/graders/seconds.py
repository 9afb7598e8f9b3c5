"""`seconds`: the answer was there after at most so many seconds.

- id: hotline-9
  input: The caller smells gas.
  checks:
    - seconds: 5
"""

from __future__ import annotations

from decimal import Decimal

from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade
from harness.evals.graders.limit import at_most
from harness.evals.graders.work import Work
from harness.values import Check, EvalCase

__all__ = ["seconds"]


def seconds(check: Check, work: Work, _case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the work by the time that it took."""
    return at_most(check, Decimal(str(round(work.seconds, 6))), "seconds")
