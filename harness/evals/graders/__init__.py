"""Graders by name: each in a file of its own, whose docstring shows it in YAML."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.domain.formats import AnswerSettings
from harness.evals.graders.cites import cites_grader
from harness.evals.graders.contains_all import contains_all
from harness.evals.graders.contains_any import contains_any
from harness.evals.graders.cost import cost
from harness.evals.graders.exact import exact
from harness.evals.graders.grade import Grade, Grader, Part, unread
from harness.evals.graders.json_ import json_
from harness.evals.graders.label import label
from harness.evals.graders.matches import matches
from harness.evals.graders.never_contains import never_contains
from harness.evals.graders.number import number_grader
from harness.evals.graders.pairwise import pairwise_grader
from harness.evals.graders.rubric import rubric_grader
from harness.evals.graders.seconds import seconds
from harness.evals.graders.set_ import set_
from harness.evals.graders.similar import similar_grader
from harness.evals.graders.steps import steps
from harness.evals.graders.trajectory import trajectory
from harness.evals.graders.work import ToolUse, Work, WorkGrader, work_of
from harness.values import Check, EvalCase, Rubric

if TYPE_CHECKING:
    import numpy as np

    from harness.evals.judge import Judge

__all__ = [
    "JUDGED",
    "WORK_GRADERS",
    "Grade",
    "Grader",
    "Part",
    "ToolUse",
    "Work",
    "WorkGrader",
    "grade",
    "graders",
    "work_of",
]

WORK_GRADERS: Mapping[str, WorkGrader] = MappingProxyType(
    {"trajectory": trajectory, "cost": cost, "steps": steps, "seconds": seconds}
)
"""Graders that look at the work behind an answer."""

JUDGED = ("rubric", "pairwise")
"""Graders that ask a judge: each costs calls of a model."""


def graders(
    locale: str = "en",
    *,
    documents: Mapping[str, str] | None = None,
    judge: Judge | None = None,
    rubrics: Sequence[Rubric] = (),
    embed: Callable[[Sequence[str]], np.ndarray] | None = None,
) -> dict[str, Grader]:
    """Return the graders of answers that come with Harness, by the name that a check has.

    A caller adds its own to the dict: one that takes time closes over what it needs and returns
    an awaitable.

    Args:
        locale: Language tag of the domain, for reading numbers.
        documents: Text of each of the domain's references, for `cites`.
        judge: For `rubric` and `pairwise`, which are not there without.
        rubrics: The domain's.
        embed: Texts to rows of length 1, for `similar`, which is not there without.
    """
    known: dict[str, Grader] = {
        "exact": exact,
        "label": label,
        "number": number_grader(locale),
        "json": json_,
        "contains_all": contains_all,
        "contains_any": contains_any,
        "never_contains": never_contains,
        "matches": matches,
        "set": set_,
        "cites": cites_grader(documents or {}),
    }
    if judge is not None:
        known |= {"rubric": rubric_grader(judge, rubrics), "pairwise": pairwise_grader(judge)}
    if embed is not None:
        known["similar"] = similar_grader(embed)
    return known


async def grade(
    check: Check,
    answer: str | Work,
    case: EvalCase,
    settings: AnswerSettings,
    known: Mapping[str, Grader],
    *,
    of_work: Mapping[str, WorkGrader] = WORK_GRADERS,
) -> Grade:
    """Return the verdict of the check's grader, waiting for one that takes time.

    Args:
        check: What to check.
        answer: The answer's text, or the work with what went into it.
        case: The case that was asked.
        settings: What the domain says about answers.
        known: Graders of answers, by name.
        of_work: Graders of the work behind them.
    """
    if check.grader in of_work:
        if isinstance(answer, str):
            return Grade(met=None, score=0.0, why=f"`{check.grader}` needs a record of the work")
        verdict = of_work[check.grader](check, answer, case, settings)
    elif (grader := known.get(check.grader)) is None:
        why = f"there is no grader called `{check.grader}`"
        if check.grader in JUDGED:
            why = f"`{check.grader}` asks a judge, and there is none: set `judge_model`"
        return unread(check, why)
    else:
        text = answer if isinstance(answer, str) else answer.text
        verdict = grader(check, text, case, settings)
    return await verdict if inspect.isawaitable(verdict) else verdict
