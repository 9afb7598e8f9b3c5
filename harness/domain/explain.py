"""Validation against a schema, with every error as a problem in plain words at its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.domain.entries import Entry, Loc
from harness.domain.problems import did_you_mean, listed
from harness.values import Problem

__all__ = ["fields_of", "salvaged", "validated"]

T = TypeVar("T")

MOST_ROUNDS = 4
"""Taking a wrong setting out may show another behind it."""


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    return TypeAdapter(schema)


@cache
def fields_of(schema: type) -> tuple[str, ...]:
    """Return the keys that a model or settings class takes, in order."""
    if issubclass(schema, BaseModel):
        return tuple(schema.model_fields)
    fields: Mapping[str, object] = vars(schema)["__dataclass_fields__"]
    return tuple(fields)


def validated(schema: type[T], data: Any, entry: Entry) -> tuple[T | None, list[Problem]]:
    """Check what was written against a schema.

    Args:
        schema: A model or settings class of `formats`.
        data: What was written, without the keys that were left empty.
        entry: Where it stands.

    Returns:
        The value, or None and what is wrong with it.
    """
    try:
        value: T = _adapter(cast(Any, schema)).validate_python(data)  # mypy: classes do hash
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [_problem(schema, entry, one) for one in found]
    return value, []


def salvaged(schema: type[T], data: dict[str, Any], entry: Entry) -> tuple[T | None, list[Problem]]:
    """Check settings; those that are wrong are reported, and the others still hold.

    Otherwise one slip would reset every other setting, and each of those would make errors of
    its own elsewhere.

    Args:
        schema: A settings class.
        data: What was written.
        entry: Where it stands.
    """
    value, problems = validated(schema, data, entry)
    for _ in range(MOST_ROUNDS):
        if value is not None:
            break
        try:
            _adapter(cast(Any, schema)).validate_python(data)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                data = _without(data, tuple(one["loc"]))
        value, _ = validated(schema, data, entry)
    return value, problems


def _without(data: dict[str, Any], loc: Loc) -> dict[str, Any]:
    """Return the settings without what stands at a path, or without the last key that is there."""
    step, rest = loc[0], loc[1:]
    if step not in data:
        return data
    inner = data[str(step)]
    if rest and isinstance(inner, dict) and rest[0] in inner:
        return {**data, step: _without(inner, rest)}
    return {key: value for key, value in data.items() if key != step}


def _problem(schema: type, entry: Entry, error: Any) -> Problem:
    loc: Loc = tuple(error["loc"])
    kind: str = error["type"]
    if loc and loc[-1] == "[key]":
        loc = loc[:-1]
        known = _choices(error)
        says = f"`{loc[-1]}` is not known here.{did_you_mean(str(loc[-1]), known)}"
        return entry.problem("unknown-key", f"{says} Known: {listed(known)}.", loc, key=True)
    name = next((str(step) for step in reversed(loc) if isinstance(step, str)), "")
    if kind == "missing":
        return _missing(entry, loc, name)
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        known = list(fields_of(_schema_at(schema, loc[:-1])))
        says = f"The key `{name}` is not known here.{did_you_mean(name, known)}"
        return entry.problem(
            "unknown-key", f"{says} Known: {listed(known, most=20)}.", loc, key=True
        )
    if kind == "literal_error":
        known = _choices(error)
        says = f"`{name}` can't be `{error['input']}`.{did_you_mean(str(error['input']), known)}"
        return entry.problem("bad-value", f"{says} Choose one of {listed(known)}.", loc)
    if kind in ("value_error", "greater_than_equal", "finite_number", "too_short"):
        says = str(error.get("ctx", {}).get("error") or _bound(error))
        return entry.problem("bad-value", f"{_about(name, says)}.", loc)
    wanted = _WANTED.get(kind, "text")
    says = f"`{name}` has to be {wanted}, but there is {_found(error['input'])} here."
    if wanted == "text" and isinstance(error["input"], dict | list):
        says += " Put it in quotes, or after `|` on lines of its own."
    return entry.problem("wrong-type", says, loc)


_WANTED = {
    "dict_type": "a mapping (`key: value` on indented lines)",
    "dataclass_type": "a mapping (`key: value` on indented lines)",
    "model_type": "a mapping (`key: value` on indented lines)",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a whole number",
    "decimal_type": "a number",
    "bool_type": "yes or no",
}


def _missing(entry: Entry, loc: Loc, name: str) -> Problem:
    if len(loc) == 1 and entry.wrote(name):
        return entry.problem("empty-field", f"`{name}` is there, but empty. Write it.", loc)
    return entry.problem("missing-field", f"`{name}` is missing here. Add `{name}: …`.", loc[:-1])


def _choices(error: Any) -> list[str]:
    expected: str = error["ctx"]["expected"]
    return [word.strip().strip("'") for part in expected.split(", ") for word in part.split(" or ")]


def _bound(error: Any) -> str:
    context = error.get("ctx", {})
    if error["type"] == "greater_than_equal":
        return f"`{error['input']}` is less than {context['ge']}"
    if error["type"] == "too_short":
        return "there is none; at least one is needed"
    return f"`{error['input']}` is not a number"


def _about(name: str, says: str) -> str:
    return says if f"`{name}`" in says else f"`{name}`: {says}"


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"`{value}`"


def _schema_at(schema: type, loc: Loc) -> type:
    """Return the class that the keys at a path belong to."""
    for step in loc:
        if isinstance(step, int):
            continue
        hint = get_type_hints(schema).get(step)
        inner = [part for part in _parts(hint) if isinstance(part, type) and _has_fields(part)]
        if inner:
            schema = inner[0]
    return schema


def _parts(hint: Any) -> list[Any]:
    inner = getattr(hint, "__args__", ())
    return [hint, *(deep for one in inner for deep in _parts(one))]


def _has_fields(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel)
