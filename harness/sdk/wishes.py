"""What a caller wishes of a context, checked before any work is done for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from harness.domain import Domain, Policy, SectionSize
from harness.domain.problems import did_you_mean
from harness.errors import UsageError
from harness.values import EvalCase, Example, Passage, Section

__all__ = ["Sections", "check_known", "check_wishes", "read_ids", "read_sizes"]

Sections = Mapping[Section, int | str | SectionSize]
"""Room by section: tokens (`500`) or a share of the budget (`"25 %"`)."""


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
        raise UsageError(f"A section's size is off: {error}.", "Write 500 or 25 %.") from error


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


def read_ids(how: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the ids that a caller wants to see or not to see: `include` and `exclude`.

    Raises:
        UsageError: One of the two is no list of ids.
    """
    lists = {}
    for name in ("exclude", "include"):
        ids = how.get(name, ())
        if isinstance(ids, str):
            raise UsageError(f"`{name}` takes a list of ids, not one.", f"Write {name}=[{ids!r}].")
        lists[name] = tuple(ids)
        if wrong := [one for one in lists[name] if not isinstance(one, str)]:
            raise UsageError(f"`{name}` holds {wrong[0]!r}, which is no id.", "Ids are texts.")
    return lists


def check_known(ids: Mapping[str, tuple[str, ...]], domain: Domain) -> None:
    """Make sure that the domain has the items that a caller names.

    Raises:
        UsageError: It has not.
    """
    if not any(ids.values()):
        return
    items: list[Example | EvalCase | Passage]
    items = [*domain.examples, *domain.cases, *domain.passages]
    known = {one.id for one in items}
    for name, wanted in ids.items():
        for one in wanted:
            if one not in known:
                mean = did_you_mean(one, known).strip()
                raise UsageError(
                    f"`{name}` names {one!r}, but {domain.name} has no item of that id.",
                    mean or "`harness context --json` gives the ids of what is shown.",
                )
