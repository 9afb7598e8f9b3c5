"""Which rubric a check means: one of rubrics.yaml by name, or criteria written out in the case."""

from __future__ import annotations

from collections.abc import Mapping

from harness.domain.check_specs import RubricSpec, spec_of
from harness.values import Check, Criterion, Rubric

__all__ = ["read_rubric"]


def read_rubric(check: Check, named: Mapping[str, Rubric]) -> Rubric:
    """Return the rubric that a check means.

    Args:
        check: A check of the grader `rubric`.
        named: The domain's rubrics by name.

    Raises:
        ValueError: There is no such rubric, or what stands there is none.
    """
    written = check.spec
    if isinstance(written, str) and written in named:
        return named[written]
    if isinstance(written, str):
        if not any(mark in written for mark in " .?!"):
            raise ValueError(f"rubrics.yaml has no rubric `{written}`")
        written = (written,)
    if isinstance(written, tuple | list):
        written = {"criteria": [{"text": text} for text in written]}
    if not isinstance(written, Mapping):
        raise ValueError("`rubric` takes a rubric's name, or criteria")
    spec = spec_of(RubricSpec, written)
    criteria = tuple(
        Criterion(
            id=one.id or f"c{number}", text=one.text, points=one.points, critical=one.critical
        )
        for number, one in enumerate(spec.criteria, start=1)
    )
    return Rubric(name="", criteria=criteria, pass_at=spec.pass_at, place=check.place)
