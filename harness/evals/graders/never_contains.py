"""`never_contains`: none of the texts stands in the answer.

Case and white space do not count. The score is the share of the texts that are absent.

    - id: letter-2
      input: Draft a reply to the claimant.
      checks:
        - never_contains: [we guarantee, without prejudice]
"""

from __future__ import annotations

from harness.domain.formats import AnswerSettings
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase
from harness.words.blank import is_blank

__all__ = ["never_contains"]


def never_contains(check: Check, answer: str, _case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the answer by how many of the texts do not stand in it."""
    texts = (check.spec,) if isinstance(check.spec, str) else check.spec
    if not isinstance(texts, tuple | list) or not texts:
        return unread(check, "`never_contains` looks for texts, and there are none")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return unread(check, "`never_contains` looks for texts, and one of them is empty")
    if is_blank(answer):
        return Grade(met=False, score=0.0, why="the answer is empty")
    said = fold(answer).casefold()
    there = [text for text in texts if fold(text).casefold() in said]
    if not there:
        return Grade(met=True, score=1.0)
    why = f"in the answer: {', '.join(map(shown, there))}"
    return Grade(met=False, score=1 - len(there) / len(texts), why=why)
