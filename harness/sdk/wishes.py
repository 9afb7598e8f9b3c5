"""What a caller wishes of a context, checked before any work is done for it."""

from __future__ import annotations

from typing import Any, get_args

from harness.context import Guard
from harness.domain import Policy, SectionSize
from harness.errors import UsageError
from harness.sdk.attachments import read_files
from harness.sdk.options import ContextOptions, Sections
from harness.sdk.schema_file import check_schema
from harness.values import Section

__all__ = ["check_wishes", "pack_options", "read_sizes"]


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
    """Make sure that a question can be packed as wished.

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
    for name in ("exclude", "include"):
        if isinstance(how.get(name), str):
            raise UsageError(f"`{name}` is one text, not a list of ids.", f"Write [{how[name]!r}].")
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
