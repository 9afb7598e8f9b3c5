"""Values held against a JSON Schema, in bounded time whatever the schema and the value are.

The patterns of a schema are an expert's and the texts a model's: `^(a+)+$` on forty letters
would run for ever. So every keyword that looks for a pattern (`pattern`, `patternProperties`,
`additionalProperties`, `unevaluatedProperties`) does so until the time is spent, `uniqueItems`
takes time in proportion to the items, and the whole is given up after a while, as a schema that
refers to itself can look at the same part twice as often with each level.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from harness.domain.patterns import Patience, compiled

__all__ = ["LONGEST", "schema_fault", "validator_of"]

LONGEST = 10.0
"""Seconds that holding one answer against a schema may take in all."""


def schema_fault(schema: Any) -> str:
    """Return what is wrong with a JSON Schema, its patterns included; "" where it is sound."""
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import SchemaError

    formats = FormatChecker(formats=())
    formats.checks("regex", raises=ValueError)(_is_pattern)
    try:
        Draft202012Validator.check_schema(schema, format_checker=formats)
    except SchemaError as error:
        why = f": {error.cause}" if error.cause else ""
        where = ".".join(str(step) for step in error.absolute_path)
        return (f"{where}: " if where else "") + f"{error.message}{why}"
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _is_pattern(written: object) -> bool:
    return not isinstance(written, str) or bool(compiled(written))


def validator_of(schema: Any) -> Any:
    """Return the validator of a sound schema, for one answer.

    It raises TimeoutError where the time for all that it checks is spent. References out of the
    schema are never fetched.

    Args:
        schema: Draft 2020-12, numbers exact.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    keywords = _Keywords(Patience())
    bounded = extend(
        Draft202012Validator,
        _until(time.thread_time() + LONGEST, Draft202012Validator.VALIDATORS)
        | {
            "pattern": keywords.pattern,
            "patternProperties": keywords.pattern_properties,
            "additionalProperties": keywords.additional_properties,
            "unevaluatedProperties": keywords.unevaluated_properties,
            "uniqueItems": _unique_items,
        },
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
    )
    return bounded(_of_one_draft(schema), registry=Registry())


def _until(end: float, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords such that none is looked at after the end, in time of this thread."""

    def bounded(keyword: Callable[..., Any]) -> Callable[..., Any]:
        def in_time(*said: Any) -> Any:
            if time.thread_time() > end:
                raise TimeoutError(f"the schema took longer than {LONGEST:g} s on this answer")
            return keyword(*said)

        return in_time

    return {name: bounded(keyword) for name, keyword in keywords.items()}


def _is_integer(_checker: object, value: object) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


_DATA = ("const", "enum", "default", "examples")
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


def _of_one_draft(schema: Any, named: bool = False) -> Any:
    """Return the schema without `$schema`: a part that has it would get an unbounded validator."""
    if isinstance(schema, list):
        return [_of_one_draft(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if named:
        return {name: _of_one_draft(part) for name, part in schema.items()}
    return {
        key: part if key in _DATA else _of_one_draft(part, key in _BY_NAME)
        for key, part in schema.items()
        if key != "$schema"
    }


class _Keywords:
    """Keywords of JSON Schema that look for patterns, as jsonschema calls them."""

    def __init__(self, patience: Patience) -> None:
        self._found = patience.found

    def pattern(self, validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError

        if validator.is_type(value, "string") and not self._found(pattern, value):
            yield ValidationError(f"{value!r} does not match {pattern!r}")

    def pattern_properties(
        self, validator: Any, parts: Mapping[str, Any], value: Any, _schema: Any
    ) -> Iterator[Any]:
        if not validator.is_type(value, "object"):
            return
        for pattern, part in parts.items():
            for key, inner in value.items():
                if self._found(pattern, key):
                    yield from validator.descend(inner, part, path=key, schema_path=pattern)

    def additional_properties(
        self, validator: Any, part: Any, value: Any, schema: Mapping[str, Any]
    ) -> Iterator[Any]:
        from jsonschema import ValidationError

        if not validator.is_type(value, "object"):
            return
        known = self._matched(schema, value)
        more = [key for key in value if key not in known]
        if isinstance(part, Mapping):
            for key in more:
                yield from validator.descend(value[key], part, path=key)
        elif part is False and more:
            yield ValidationError(
                f"Additional properties are not allowed ({_listed(more)} unexpected)"
            )

    def unevaluated_properties(
        self, validator: Any, part: Any, value: Any, schema: Mapping[str, Any]
    ) -> Iterator[Any]:
        from jsonschema import ValidationError

        if not validator.is_type(value, "object"):
            return
        known = self._evaluated(validator, value, schema, own=False)
        wrong = [
            key
            for key, inner in value.items()
            if key not in known and any(True for _ in validator.descend(inner, part, path=key))
        ]
        if wrong:
            yield ValidationError(
                f"Unevaluated properties are not allowed ({_listed(wrong)} unexpected)"
            )

    def _matched(self, schema: Mapping[str, Any], value: Mapping[str, Any]) -> set[str]:
        """Return the keys that `properties` and `patternProperties` of a schema speak of."""
        named = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        return {
            key for key in value if key in named or any(self._found(one, key) for one in patterns)
        }

    def _evaluated(
        self, validator: Any, value: Mapping[str, Any], schema: Any, own: bool = True
    ) -> set[str]:
        """Return the keys that a schema has looked at (JSON Schema 2020-12, section 11.3).

        Args:
            validator: At the schema.
            value: That fits the schema.
            schema: Or True or False.
            own: The schema's own `unevaluatedProperties` counts, too.
        """
        if not isinstance(schema, Mapping):
            return set()
        if "additionalProperties" in schema or (own and "unevaluatedProperties" in schema):
            return set(value)
        known = self._matched(schema, value)
        for beside, part in _parts_that_apply(validator, value, schema):
            known |= self._evaluated(beside, value, part)
        return known


def _parts_that_apply(
    validator: Any, value: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """Yield the parts of a schema that speak of the same value and that it fits.

    With each the validator that is at it. jsonschema says where a reference leads only through
    `_resolver`, as its own keywords ask.
    """
    for key in ("$ref", "$dynamicRef"):
        if key in schema:
            there = validator._resolver.lookup(schema[key])
            beside = validator.evolve(schema=there.contents, _resolver=there.resolver)
            if beside.is_valid(value):
                yield beside, there.contents
    parts = [part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, ())]
    parts += [part for key, part in schema.get("dependentSchemas", {}).items() if key in value]
    if "if" in schema:
        fits = validator.evolve(schema=schema["if"]).is_valid(value)
        parts += [schema["if"], schema.get("then", True)] if fits else [schema.get("else", True)]
    for part in parts:
        beside = validator.evolve(schema=part)
        if beside.is_valid(value):
            yield beside, part


def _listed(keys: list[str]) -> str:
    return ", ".join(map(repr, keys)) + (" was" if len(keys) == 1 else " were")


def _unique_items(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not wanted or not validator.is_type(value, "array"):
        return
    if len({_comparable(item) for item in value}) < len(value):
        yield ValidationError(f"{value!r} has non-unique elements")


def _comparable(value: Any) -> Any:
    """Return what is equal for JSON values that are, and can be looked up."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, Mapping):
        return "object", frozenset((key, _comparable(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_comparable, value))
    return value
