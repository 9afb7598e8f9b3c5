"""What a caller wishes of a context, checked before any work is done for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast, get_args

from harness.context import Guard
from harness.domain import Domain, Policy, SectionSize
from harness.domain.problems import did_you_mean
from harness.errors import UsageError
from harness.sdk.attachments import read_files
from harness.sdk.options import ContextOptions, Sections
from harness.sdk.schema_file import check_schema
from harness.values import Section

__all__ = ["check_known", "check_wishes", "pack_options", "read_sizes"]


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


def check_wishes(text: str, how: ContextOptions) -> None:
    """Make sure that a question can be packed as wished; ids are read once, into tuples.

    Raises:
        UsageError: The question is empty, or an option can't be met.
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError("The question is empty.", "Say what you want to know.")
    policy, budget, schema = how.get("policy"), how.get("budget"), how.get("schema")
    if policy is not None and policy not in get_args(Policy):
        raise UsageError(
            f"There is no policy {policy!r}.", f"Known are {', '.join(get_args(Policy))}."
        )
    if budget is not None and budget < 1:
        raise UsageError(f"A budget of {budget} tokens holds nothing.", "Give more.")
    how["exclude"] = _ids("exclude", how.get("exclude", ()))
    how["include"] = _ids("include", how.get("include", ()))
    if schema is not None:
        check_schema(schema, "The schema")
    read_sizes(how.get("sections"))


def pack_options(how: ContextOptions) -> dict[str, Any]:
    """Return options as a packer takes them; files are read.

    Raises:
        UsageError: A file is missing or can't be read as text.
    """
    options: dict[str, Any] = {**how, "files": read_files(how.get("files", ()))}
    options["sections"] = read_sizes(options.pop("sections", None))
    case = options.pop("guard_case", None)
    return {**options, "guard": Guard(case) if case else None}


def _ids(name: str, given: Iterable[object]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise UsageError(f"`{name}` takes a list of ids, not one.", f"Write {name}=[{given!r}].")
    ids = tuple(given)
    if wrong := [one for one in ids if not isinstance(one, str)]:
        raise UsageError(f"`{name}` holds {wrong[0]!r}, which is no id.", "Ids are texts.")
    return cast("tuple[str, ...]", ids)


def check_known(how: ContextOptions, domain: Domain) -> None:
    """Make sure that the domain has the items that a caller names.

    Raises:
        UsageError: It has not.
    """
    wanted = {"exclude": tuple(how.get("exclude", ())), "include": tuple(how.get("include", ()))}
    if not any(wanted.values()):
        return
    known = {one.id for one in domain.examples} | {one.id for one in domain.passages}
    known |= {one.id for one in domain.cases}
    unknown = [(name, one) for name, ids in wanted.items() for one in ids if one not in known]
    for name, one in unknown:
        meant = did_you_mean(one, known).strip()
        raise UsageError(
            f"`{name}` names {one!r}, but {domain.name} has no item of that id.",
            meant or "`harness context --json` gives the ids of what is shown.",
        )
