"""`rubric`: a judge says for each criterion of a rubric whether the answer meets it.

    - id: letter-4
      input: Draft the letter that declines the claim.
      checks:
        - rubric: decline-letter               # of the domain's rubrics.yaml
        - rubric: [Names the clause that decides., Says how to appeal.]
        - rubric:
            pass_at: 60 %
            criteria:
              - {id: clause, text: Names the clause that decides., points: 3, critical: yes}
              - {id: invented, text: States something that is in no document., points: -3}

Each criterion is one question to the judge, yes or no. The score is the points of the criteria
that are met over all positive points, cut to 0 to 1. It passes at `pass_at` of them (all, where
the rubric does not say), unless a critical criterion fails: a positive one that is not met, or a
negative one that is. A criterion without a verdict leaves the check unscored, unless what is
decided can't be changed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import anyio

from harness.domain.formats import AnswerSettings
from harness.domain.rubrics import read_rubric
from harness.evals.graders.grade import Grade, Grader, Part, unread
from harness.evals.judge import Judge, Verdict
from harness.values import Check, Criterion, EvalCase, Rubric, jsonable, total_usage
from harness.words.blank import is_blank

__all__ = ["rubric_grader", "rubric_score"]


def rubric_grader(judge: Judge, rubrics: Sequence[Rubric]) -> Grader:
    """Return the grader that asks a judge.

    Args:
        judge: Who decides.
        rubrics: The domain's, which checks name.
    """
    named = {rubric.name: rubric for rubric in rubrics}

    async def rubric(check: Check, answer: str, case: EvalCase, _settings: AnswerSettings) -> Grade:
        try:
            wanted = read_rubric(check, named)
        except ValueError as error:
            return unread(check, str(error))
        if is_blank(answer):
            parts = [
                Part(name=one.id, met=False, why="the answer is empty") for one in wanted.criteria
            ]
            return Grade(met=False, score=0.0, why="the answer is empty", parts=tuple(parts))
        verdicts = await _verdicts(judge, wanted, answer, case)
        return _graded(wanted, verdicts)

    return rubric


def rubric_score(rubric: Rubric, met: Sequence[bool]) -> tuple[float, bool]:
    """Return the score, 0 to 1, and whether the rubric is passed.

    Args:
        rubric: The rubric.
        met: For each criterion, whether it is met.
    """
    most = sum((one.points for one in rubric.criteria if one.points > 0), Decimal(0))
    pairs = list(zip(rubric.criteria, met, strict=True))
    got = sum((one.points for one, is_met in pairs if is_met), Decimal(0))
    score = max(Decimal(0), min(Decimal(1), got / most if most else Decimal(0)))
    critical = any(one.critical and is_met != (one.points >= 0) for one, is_met in pairs)
    pass_at = Decimal(1) if rubric.pass_at is None else rubric.pass_at
    return float(score), score >= pass_at and not critical


async def _verdicts(judge: Judge, rubric: Rubric, answer: str, case: EvalCase) -> list[Verdict]:
    verdicts: dict[int, Verdict] = {}
    errors: list[Exception] = []
    expected = "" if case.expected is None else str(jsonable(case.expected))

    async def ask(number: int, criterion: Criterion) -> None:
        said: dict[str, Any] = {
            "The task": case.text,
            "An expert's own answer, for comparison": expected,
            "The criterion": criterion.text,
        }
        try:
            verdicts[number] = await judge.decide(
                "rubric", ("YES", "NO"), judged={"answer": answer}, **said
            )
        except Exception as error:
            errors.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for number, criterion in enumerate(rubric.criteria):
            group.start_soon(ask, number, criterion)
    if errors:
        raise errors[0]
    return [verdicts[number] for number in range(len(rubric.criteria))]


_MET = {"YES": True, "NO": False}


def _graded(rubric: Rubric, verdicts: Sequence[Verdict]) -> Grade:
    met = [_MET.get(verdict.choice) for verdict in verdicts]
    parts = tuple(
        Part(name=criterion.id, met=is_met, why=verdict.why)
        for criterion, is_met, verdict in zip(rubric.criteria, met, verdicts, strict=True)
    )
    common: dict[str, Any] = {
        "parts": parts,
        "usage": total_usage(verdict.usage for verdict in verdicts),
        "unreadable": sum(verdict.unreadable for verdict in verdicts),
    }
    open_ = [index for index, is_met in enumerate(met) if is_met is None]
    if len(open_) > 8:
        return Grade(met=None, score=0.0, why=verdicts[open_[0]].why, **common)
    outcomes = [
        rubric_score(rubric, _filled(met, open_, guess))
        for guess in product((False, True), repeat=len(open_))
    ]
    if len(set(outcomes)) > 1:
        why = f"criterion `{parts[open_[0]].name}`: {verdicts[open_[0]].why}"
        return Grade(met=None, score=0.0, why=why, **common)
    score, passed = outcomes[0]
    wrong = [
        f"`{part.name}`{'' if criterion.points >= 0 else ' (a fault)'}: {part.why}"
        for part, criterion in zip(parts, rubric.criteria, strict=True)
        if part.met != (criterion.points >= 0)
    ]
    return Grade(met=passed, score=score, why="; ".join(wrong), **common)


def _filled(met: Sequence[bool | None], open_: Sequence[int], guess: Sequence[bool]) -> list[bool]:
    filled = [bool(one) for one in met]
    for index, is_met in zip(open_, guess, strict=True):
        filled[index] = is_met
    return filled
