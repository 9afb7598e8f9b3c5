"""`pairwise`: a judge compares the answer with another one, in both orders.

    - id: summary-3
      input: Summarise the visit for the patient's file.
      expected: Follow-up after appendectomy; wound dry, no fever; sutures out in a week.
      checks:
        - pairwise                                  # at least as good as `expected`
        - pairwise: {by: Which is safer to act on?, at_least: win}
        - pairwise: {against: "All fine.", at_least: win}

A judge that changes its mind with the order gives a tie. The score is 1 for a win, 0.5 for a
tie, 0 for a loss.
"""

from __future__ import annotations

from typing import Any

from harness.domain.check_specs import PairwiseSpec, spec_of
from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade, Grader, unread
from harness.evals.judge import Judge
from harness.values import Check, EvalCase, total_usage
from harness.words.blank import is_blank

__all__ = ["pairwise_grader"]

BY = "Which is the better piece of work for the task: more right, more complete, safer to act on?"


def pairwise_grader(judge: Judge) -> Grader:
    """Return the grader that asks a judge.

    Args:
        judge: Who decides.
    """

    async def pairwise(
        check: Check, answer: str, case: EvalCase, _settings: AnswerSettings
    ) -> Grade:
        try:
            spec = _spec(check.spec)
        except ValueError as error:
            return unread(check, str(error))
        other = spec.against if spec.against is not None else case.expected
        if not isinstance(other, str):
            return unread(check, "`pairwise` compares with a text, and there is none")
        if is_blank(answer):
            return Grade(met=False, score=0.0, why="the answer is empty")
        said = {"The task": case.text, "The criterion": spec.by or BY}
        choices = ("FIRST", "SECOND", "TIE")
        ahead = await judge.decide(
            "pairwise", choices, judged={"first": answer, "second": other}, **said
        )
        behind = await judge.decide(
            "pairwise", choices, judged={"first": other, "second": answer}, **said
        )
        common: dict[str, Any] = {
            "usage": total_usage((ahead.usage, behind.usage)),
            "unreadable": ahead.unreadable + behind.unreadable,
        }
        for verdict in (ahead, behind):
            if not verdict.choice:
                return Grade(met=None, score=0.0, why=verdict.why, **common)
        score = {("FIRST", "SECOND"): 1.0, ("SECOND", "FIRST"): 0.0}.get(
            (ahead.choice, behind.choice), 0.5
        )
        met = score == 1 or (score == 0.5 and spec.at_least == "tie")
        words = {1.0: "better", 0.5: "a tie", 0.0: "worse"}[score]
        why = "" if score == 1 else f"{words} than the other: {ahead.why}"
        return Grade(met=met, score=score, why=why.replace("a tie than", "a tie with"), **common)

    return pairwise


def _spec(written: Any) -> PairwiseSpec:
    if written is None:
        return PairwiseSpec()
    return PairwiseSpec(by=written) if isinstance(written, str) else spec_of(PairwiseSpec, written)
