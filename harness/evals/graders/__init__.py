"""Graders by name: each in a file of its own, whose docstring shows it in YAML."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from harness.domain.formats import AnswerSettings
from harness.evals.graders.contains_all import contains_all
from harness.evals.graders.exact import exact
from harness.evals.graders.grade import Grade, Grader, unread
from harness.evals.graders.json_ import json_
from harness.evals.graders.label import label
from harness.evals.graders.number import number_grader
from harness.values import Check, EvalCase

__all__ = ["Grade", "Grader", "grade", "graders"]


def graders(locale: str = "en") -> dict[str, Grader]:
    """Return the graders that come with Harness, by the name that a check has.

    A caller adds its own to the dict: one that asks a judge or an embedder closes over it and
    returns an awaitable.

    Args:
        locale: Language tag of the domain, for reading numbers.
    """
    return {
        "exact": exact,
        "label": label,
        "number": number_grader(locale),
        "json": json_,
        "contains_all": contains_all,
    }


async def grade(
    check: Check,
    answer: str,
    case: EvalCase,
    settings: AnswerSettings,
    known: Mapping[str, Grader],
) -> Grade:
    """Return the verdict of the check's grader, waiting for one that takes time."""
    grader = known.get(check.grader)
    if grader is None:
        return unread(check, f"there is no grader called `{check.grader}`")
    verdict = grader(check, answer, case, settings)
    return await verdict if inspect.isawaitable(verdict) else verdict
