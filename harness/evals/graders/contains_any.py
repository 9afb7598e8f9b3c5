"""`contains_any`: at least one of the texts stands in the answer.

Case and white space do not count.

    - id: claim-7
      input: Does the policy pay for the broken pipe?
      checks:
        - contains_any: [gradual leak, wear and tear]
"""

from __future__ import annotations

from harness.domain.formats import AnswerSettings
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["contains_any"]


def contains_any(check: Check, answer: str, case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the answer by whether one of the texts stands in it."""
    spec = case.expected if check.spec is None else check.spec
    texts = (spec,) if isinstance(spec, str) else spec
    if not isinstance(texts, tuple | list) or not texts:
        return unread(check, "`contains_any` looks for texts, and there are none")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return unread(check, "`contains_any` looks for texts, and one of them is empty")
    found_in = fold(answer).casefold()
    if any(fold(text).casefold() in found_in for text in texts):
        return Grade(met=True, score=1.0)
    return Grade(met=False, score=0.0, why=f"none of {', '.join(map(shown, texts))} is there")
