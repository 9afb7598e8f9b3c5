"""`label`: the answer gives the expected one of the domain's labels.

Read as `harness.domain.answers` reads it: case, punctuation and Markdown aside, alone on the
first or last line or after `Label:`; an answer that names two labels gives none.

    - id: msg-17
      input: My card still has not arrived.
      expected: card_arrival
      checks: [label]            # or  label: card_arrival

A case may expect the domain's `answer.abstain`: then abstaining is right.
"""

from __future__ import annotations

from harness.domain.answers import match_label, read_answer, same_wording
from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["label"]


def label(check: Check, answer: str, case: EvalCase, settings: AnswerSettings) -> Grade:
    """Grade the answer by the label that it gives."""
    expected = case.expected if check.spec is None else check.spec
    if not isinstance(expected, str) or not expected.strip():
        return unread(check, "`label` compares with a label, and there is none")
    abstain = settings.abstain
    known = match_label(expected, settings.labels)
    labels = settings.labels if known else (*settings.labels, expected)
    read = read_answer(answer, kind="label", labels=labels, abstain=abstain)
    if abstain is not None and same_wording(expected, abstain):
        right = read.abstained
    else:
        right = read.value == (known[0] if known else expected)
    if right:
        return Grade(met=True, score=1.0)
    got = "an abstention" if read.abstained else read.problem or shown(read.value)
    return Grade(met=False, score=0.0, why=f"expected {shown(expected)}, got {got}")
