"""Checks held against what their cases expect: a check that rejects `expected` is a mistake.

Checks that need a model, an embedder or a record of the work are not run; whether they can be
understood is looked at all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.domain.faults import faults
from harness.domain.problems import did_you_mean, one_line
from harness.domain.rubrics import read_rubric
from harness.evals.graders import Grade, graders
from harness.evals.graders.matches import pattern_problem
from harness.values import Check, EvalCase, Problem, Rubric, jsonable

if TYPE_CHECKING:
    from harness.domain import Domain

__all__ = ["check_problems"]

OF_VALUES = ("exact", "label", "number", "json", "set")
"""Checks of the value itself, run whatever the domain's answers are."""
OF_TEXTS = ("contains_all", "contains_any", "never_contains", "matches")
"""Checks of a whole answer, run on `expected` where that is one: in a domain of texts."""


def check_problems(domain: Domain, cases: Iterable[EvalCase] | None = None) -> list[Problem]:
    """Return what is wrong with the checks of a domain's cases.

    Args:
        domain: As read.
        cases: Only these; by default all that the domain has open, and what of them can be read.
    """
    settings = replace(domain.settings.answer, labels=domain.labels)
    known = graders(domain.settings.language or "en")
    rubrics = {rubric.name: rubric for rubric in domain.rubrics}
    said = set(domain.problems)
    found: list[Problem] = []
    for case in domain.all_cases if cases is None else cases:
        for check in case.checks:
            if useless := [one for one in faults(domain, case, check) if one.severity == "error"]:
                found += useless  # as lint says it: the same thing is not said twice
            elif check.grader == "rubric":
                found += _rubric(check, rubrics)
            elif check.grader == "matches" and (wrong := pattern_problem(check.spec)):
                says = f"This is no regular expression: {wrong}. Mend it."
                found.append(Problem(place=check.place, code="bad-checks", message=says))
            elif _runs(check, domain) and case.expected is not None:
                verdict = known[check.grader](check, _written(case), case, settings)
                found += _verdict(check, case, verdict)
    return [one for one in map(one_line, found) if one not in said]


def _runs(check: Check, domain: Domain) -> bool:
    whole = domain.settings.answer.kind == "text" and check.grader in OF_TEXTS
    return whole or check.grader in OF_VALUES


def _written(case: EvalCase) -> str:
    """Return what the case expects as an answer would say it."""
    if isinstance(case.expected, str):
        return case.expected
    return json.dumps(jsonable(case.expected), ensure_ascii=False)


def _verdict(check: Check, case: EvalCase, verdict: object) -> Iterator[Problem]:
    assert isinstance(verdict, Grade)  # noqa: S101 - none of these graders waits
    if verdict.met:
        return
    if verdict.met is None:
        says = verdict.why.removeprefix(f"{check.place}: ")
        yield Problem(place=check.place, code="bad-checks", message=f"{says}. Mend it.")
        return
    says = (
        f"`{check.grader}` rejects what the case itself expects: {verdict.why}."
        f" Mend `expected` or the check{f' of `{case.id[:80]}`' if case.id else ''}."
    )
    yield Problem(place=check.place, code="expected-fails", message=says)


def _rubric(check: Check, named: dict[str, Rubric]) -> Iterator[Problem]:
    try:
        read_rubric(check, named)
    except ValueError as error:
        mean = did_you_mean(str(check.spec), named) if isinstance(check.spec, str) else ""
        says = f"{error}.{mean} Write it into rubrics.yaml, or criteria here."
        yield Problem(place=check.place, code="unknown-rubric", message=says)
