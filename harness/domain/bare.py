"""Whether a domain has anything to learn from; it works without, but nobody should be surprised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.values import Place, Problem

if TYPE_CHECKING:
    from harness.domain.folder import Domain

__all__ = ["nothing_to_show"]


def nothing_to_show(domain: Domain) -> Iterator[Problem]:
    """Yield a warning where no demonstration can ever stand in the context."""
    approved = any(one.status == "approved" for one in domain.examples)
    if approved or any(case.split == "dev" for case in domain.cases):
        return
    if domain.errors or any(problem.code == "misnamed" for problem in domain.problems):
        return  # what is wrong may be why; it is said already
    drafts = len(domain.examples)
    if drafts:
        says = f"No example is approved, and drafts are not shown to the model ({drafts:,} in all)."
    else:
        says = "There are no examples for the model to learn from."
    says += " Put worked cases into examples/, or set their `status: approved`."
    place = Place(file="examples")
    yield Problem(place=place, code="no-examples", message=says, severity="warning")
