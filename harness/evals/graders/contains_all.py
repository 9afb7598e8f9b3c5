"""`contains_all`: every one of the texts stands in the answer.

Case and white space do not count. The score is the share of the texts found.

    - id: clause-9
      input: When can the tenant give notice?
      checks:
        - contains_all: [three months, end of a quarter]
"""

from __future__ import annotations

from harness.domain.formats import AnswerSettings
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["contains_all"]


def contains_all(check: Check, answer: str, case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the answer by the share of the texts that stand in it."""
    spec = case.expected if check.spec is None else check.spec
    texts = (spec,) if isinstance(spec, str) else spec
    if not isinstance(texts, tuple | list) or not texts:
        return unread(check, "`contains_all` looks for texts, and there are none")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return unread(check, "`contains_all` looks for texts, and one of them is empty")
    found_in = fold(answer).casefold()
    missing = [text for text in texts if fold(text).casefold() not in found_in]
    score = 1 - len(missing) / len(texts)
    if not missing:
        return Grade(met=True, score=1.0)
    return Grade(met=False, score=score, why=f"not in the answer: {', '.join(map(shown, missing))}")
