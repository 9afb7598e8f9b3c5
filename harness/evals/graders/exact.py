"""`exact`: the answer is the expected text.

Unicode NFC, white space folded; case and punctuation count.

    - id: greeting
      input: Translate “good morning” into French.
      expected: Bonjour
      checks: [exact]            # or  exact: Bonjour
"""

from __future__ import annotations

from harness.domain.formats import AnswerSettings
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["exact"]


def exact(check: Check, answer: str, case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the answer by equality with the check's text, or with what the case expects."""
    expected = case.expected if check.spec is None else check.spec
    if not isinstance(expected, str):
        return unread(check, "`exact` compares with a text, and there is none")
    if fold(answer) == fold(expected):
        return Grade(met=True, score=1.0)
    return Grade(met=False, score=0.0, why=f"expected {shown(expected)}, got {shown(answer)}")
