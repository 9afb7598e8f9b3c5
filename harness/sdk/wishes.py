"""What a caller wishes of a context, checked before any work is done for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from harness.domain import Policy, SectionSize
from harness.errors import UsageError
from harness.values import Section

__all__ = ["Sections", "check_wishes", "read_sizes"]

Sections = Mapping[Section, int | float | str | SectionSize]
"""Room by section: tokens (`500`) or a share of the budget (`"25 %"`, `0.25`)."""


def read_sizes(sections: Sections | None) -> dict[Section, SectionSize]:
    """Return the sizes of sections.

    Raises:
        UsageError: There is no such section, or a size is none.
    """
    known = get_args(Section)
    for name in sections or {}:
        if name not in known:
            raise UsageError(f"There is no section {name!r}.", f"Known are {', '.join(known)}.")
    try:
        return {name: SectionSize.read(size) for name, size in (sections or {}).items()}
    except ValueError as error:
        raise UsageError(
            f"A section's size is off: {error}.", "Write 500, 25 % or 0.25."
        ) from error


def check_wishes(text: str, policy: str | None, budget: int | None) -> None:
    """Make sure that a question can be packed as wished.

    Raises:
        UsageError: The question is empty, there is no such policy, or the budget is nothing.
    """
    if not text.strip():
        raise UsageError("The question is empty.", "Say what you want to know.")
    if policy is not None and policy not in get_args(Policy):
        raise UsageError(
            f"There is no policy {policy!r}.", f"Known are {', '.join(get_args(Policy))}."
        )
    if budget is not None and budget < 1:
        raise UsageError(f"A budget of {budget} tokens holds nothing.", "Give more.")
