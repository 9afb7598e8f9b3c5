"""What `cost`, `steps` and `seconds` have in common: a figure that may be at most so much."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from harness.evals.graders.grade import Grade, unread
from harness.values import Check

__all__ = ["at_most"]


def at_most(check: Check, figure: Decimal | None, unit: str) -> Grade:
    """Grade a figure against the most that the check allows; an unknown one is unscored."""
    try:
        most = Decimal(str(check.spec))
    except InvalidOperation:
        most = Decimal("NaN")
    if not most.is_finite() or most < 0:
        return unread(check, f"`{check.grader}` takes the most that is allowed, a number")
    if figure is None:
        why = f"what the answer took in {unit} is not known"
        return Grade(met=None, score=0.0, why=why)
    if figure <= most:
        return Grade(met=True, score=1.0)
    share = float(most / figure) if figure else 0.0
    return Grade(met=False, score=share, why=f"{figure:.4g} {unit}, where {most:f} is the most")
