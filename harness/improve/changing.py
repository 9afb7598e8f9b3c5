"""What a file of examples will say after a change, proved before anything is written.

Whatever the format, the new text is read back: the changed example has to say what was wanted,
and every other one what it said before. Else nothing is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from harness.domain.formats import AnswerSettings
from harness.domain.itemfiles import read_example_file
from harness.errors import DomainInvalid, UsageError
from harness.improve.row_edit import change_json_line, change_page, change_row
from harness.improve.scalars_out import Field, Fields
from harness.improve.yaml_edit import add_item, change_item
from harness.values import Example, Place

__all__ = ["Edit", "append_example", "change_example"]

MARK = b"\xef\xbb\xbf"
NOWHERE = Place(file="")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A file of examples as it will be.

    Attributes:
        name: Of the file, from the domain folder.
        data: Its bytes to be.
        examples: What it then says.
        example: The one that was added or changed.
    """

    name: str
    data: bytes
    examples: tuple[Example, ...]
    example: Example


def append_example(name: str, data: bytes, fields: Fields, answer: AnswerSettings) -> Edit | None:
    """Return a YAML file with one more example; None where that file can't take it.

    Args:
        name: Of the file, from the domain folder.
        data: Its bytes as they are; empty where it is new.
        fields: What the example says.
        answer: The domain's.

    Raises:
        DomainInvalid: The example itself is wrong: a field is empty, or holds what no text may.
    """
    mark, text = _text(data)
    before, wrong = read_example_file(name, data, answer) if text.strip() else ([], [])
    if any(one.severity == "error" for one in wrong):
        return None  # an expert is at work on it: leave it alone
    changed = None
    with contextlib.suppress(Exception):  # whatever ruamel has against the text as it is
        changed = add_item(text, fields)
    if changed is None:
        return None
    return _proved(name, mark + changed.encode("utf-8"), before, fields, answer, changed=None)


def change_example(data: bytes, example: Example, fields: Fields, answer: AnswerSettings) -> Edit:
    """Return an example's file with some of its fields changed.

    Args:
        data: The file's bytes as they are.
        example: As read from these bytes.
        fields: What to set.
        answer: The domain's.

    Raises:
        DomainInvalid: The example would be wrong.
        UsageError: The file's format or layout does not allow it.
    """
    name, place = example.place.file, example.place
    mark, text = _text(data) if not name.endswith(".xlsx") else (b"", "")
    changed = None
    ending = PurePosixPath(name).suffix.lower()
    with contextlib.suppress(LookupError, ValueError, TypeError):
        if ending in (".yaml", ".yml"):
            changed = change_item(text, example.id, fields)
        elif ending == ".csv":
            changed = change_row(text, place.line, fields)
        elif ending == ".jsonl":
            changed = change_json_line(text, place.line, fields)
        elif ending == ".md":
            changed = change_page(name, text, fields)
    if changed is None:
        raise _by_hand(example, fields)
    before, _ = read_example_file(name, data, answer)
    try:
        edit = _proved(
            name, mark + changed.encode("utf-8"), before, fields, answer, changed=example.id
        )
    except UnicodeEncodeError:
        edit = None
    if edit is None:
        raise _by_hand(example, fields)
    return edit


def _by_hand(example: Example, fields: Fields) -> UsageError:
    wanted = ", ".join(f"`{key}`" for key in fields)
    return UsageError(
        f"`{example.id}` stands in {example.place}, where it can't be changed from here.",
        f"Open that file and set {wanted} there.",
    )


def _text(data: bytes) -> tuple[bytes, str]:
    mark = MARK if data.startswith(MARK) else b""
    return mark, data[len(mark) :].decode("utf-8")


def _proved(
    name: str,
    data: bytes,
    before: Sequence[Example],
    fields: Fields,
    answer: AnswerSettings,
    *,
    changed: str | None,
) -> Edit | None:
    """Return the edit if it says what was wanted and leaves all else; None if it does not.

    Raises:
        DomainInvalid: What was wanted is itself wrong.
    """
    after, problems = read_example_file(name, data, answer)
    wanted = fields.get("id", changed)
    ours = [one for one in after if one.id == wanted]
    others = [_placeless(one) for one in after if one.id != wanted]
    kept = [_placeless(one) for one in before if changed is None or one.id != changed]
    if wrong := [one for one in problems if one.severity == "error"]:
        raise DomainInvalid("The example can't be saved as it is:", wrong)
    if len(ours) != 1 or others != kept or not _says(ours[0], fields):
        return None
    return Edit(name=name, data=data, examples=tuple(after), example=ours[0])


def _placeless(example: Example) -> Example:
    return replace(example, place=NOWHERE)


def _says(example: Example, fields: Fields) -> bool:
    return all(_same(getattr(example, key), value) for key, value in fields.items())


def _same(found: Field, wanted: Field) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return found.strip() == wanted.replace("\r\n", "\n").strip()
    return tuple(found) == tuple(wanted)
