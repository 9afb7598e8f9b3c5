r"""`matches`: a regular expression is found in the answer.

    - id: policy-no
      input: What is the number of the policy?
      checks:
        - matches: 'POL-[0-9]{6}'
        - matches: {pattern: 'POL-[0-9]{6}', whole: yes}        # the whole answer, ends stripped
        - matches: {pattern: 'not covered', ignore_case: yes}

`^` and `$` stand for the ends of a line. A pattern that takes longer than a second on an answer
is given up and the answer is unscored: some patterns would run for ever.
"""

from __future__ import annotations

from typing import Any

from harness.domain.check_specs import MatchesSpec, spec_of
from harness.domain.formats import AnswerSettings
from harness.domain.patterns import PATIENCE, compiled
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["matches", "pattern_problem"]


def matches(check: Check, answer: str, _case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the answer by whether the pattern is found."""
    try:
        spec = _spec(check.spec)
        pattern = _compiled(spec)
    except ValueError as error:
        return unread(check, str(error))
    find = pattern.fullmatch if spec.whole else pattern.search
    try:
        found = find(answer.strip() if spec.whole else answer, timeout=PATIENCE)
    except TimeoutError:
        why = f"the pattern {shown(spec.pattern)} took longer than {PATIENCE:g} s on this answer"
        return unread(check, f"{why}; write it without repeats of repeats, as (a+)+")
    if found:
        return Grade(met=True, score=1.0)
    where = "is not the whole of" if spec.whole else "is nowhere in"
    return Grade(met=False, score=0.0, why=f"{shown(spec.pattern)} {where} {shown(answer)}")


def pattern_problem(spec: Any) -> str:
    """Return what is wrong with a check's pattern, in words; "" where nothing is."""
    try:
        _compiled(_spec(spec))
    except ValueError as error:
        return str(error)
    return ""


def _spec(written: Any) -> MatchesSpec:
    if isinstance(written, str):
        return MatchesSpec(pattern=written)
    if not isinstance(written, dict):
        raise ValueError("`matches` takes a regular expression")
    return spec_of(MatchesSpec, written)


def _compiled(spec: MatchesSpec) -> Any:
    return compiled(spec.pattern, ignore_case=spec.ignore_case, lines=True)
