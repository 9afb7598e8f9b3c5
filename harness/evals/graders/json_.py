"""`json`: the answer's JSON fits a schema, equals the expected value, or has the right fields.

    - id: invoice-4
      input: Read the invoice.
      expected: {number: "0123", total: 1200.50, lines: [{item: paper, count: 3}]}
      checks:
        - json                                         # equal to `expected`
        - json: {type: object, required: [number]}     # a JSON Schema (Draft 2020-12)
        - json: {fields: {number: "0123", lines.0.count: 3}}
        - json: {fields: [number, total]}              # these fields of `expected`
        - json: {schema: {type: object}, fields: [total]}

A mapping with no keys but `schema` and `fields` is that, any other is a schema. `json` alone
also holds the answer against the domain's `answer.schema`; without `expected` the schema is all.
Texts are compared with white space folded, numbers by value (`1` is `1.0`), `true` is not `1`.
Fields are named by a path with points. The score is the share of the fields that are right.
Where a schema's patterns take longer than a second on an answer, they are given up and the answer
is unscored, as with `matches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.domain.formats import AnswerSettings
from harness.domain.json_answers import exact_numbers, read_json
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["json_"]

_MISSING = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """What the JSON has to be.

    Attributes:
        schema: To be fitted; None: any JSON will do.
        fields: Values by path; "" is the whole.
        whole: The fields are all that there may be.
    """

    schema: Mapping[str, Any] | None
    fields: Mapping[str, Any]
    whole: bool = False


def json_(check: Check, answer: str, case: EvalCase, settings: AnswerSettings) -> Grade:
    """Grade the answer by what its JSON says."""
    try:
        wanted = _wanted(check.spec, case.expected, settings)
        value, problem = read_json(answer, schema=wanted.schema)
    except ValueError as error:
        return unread(check, str(error))
    if problem:
        return Grade(met=False, score=0.0, why=f"expected JSON, but {problem}")
    wrong = [_difference(value, path, right) for path, right in wanted.fields.items()]
    wrong = [words for words in wrong if words]
    asked = len(wanted.fields)
    if wanted.whole and isinstance(value, Mapping):
        extra = [f"`{key}` is not expected" for key in value if key not in wanted.fields]
        wrong, asked = wrong + extra, asked + len(extra)
    share = 1 - len(wrong) / asked if asked else 1.0
    why = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
    return Grade(met=not wrong, score=share, why=why)


def _wanted(spec: Any, expected: Any, settings: AnswerSettings) -> _Wanted:
    """Return what the check asks for.

    Raises:
        ValueError: The check makes no sense; says why.
    """
    if spec is None:
        if expected is None and settings.schema is None:
            raise ValueError("`json` has neither a schema nor `expected` to hold against")
        said = {} if expected is None else _said(expected)
        whole = expected is not None and isinstance(said, Mapping) and bool(said)
        fields = said if whole or expected is None else {"": said}
        return _Wanted(schema=settings.schema, fields=fields, whole=whole)
    if not isinstance(spec, Mapping):
        raise ValueError("`json` takes a JSON Schema, or `schema` and `fields`")
    if not spec or spec.keys() - {"schema", "fields"}:
        return _Wanted(schema=spec, fields={})
    schema = spec.get("schema", settings.schema)
    if schema is not None and not isinstance(schema, Mapping):
        raise ValueError("`schema` has to be a JSON Schema")
    return _Wanted(schema=schema, fields=_named_fields(spec.get("fields"), expected))


def _named_fields(fields: Any, expected: Any) -> dict[str, Any]:
    if isinstance(fields, Mapping):
        return {str(path): exact_numbers(value) for path, value in fields.items()}
    if isinstance(fields, str):
        fields = (fields,)
    if fields is None:
        return {}
    if not isinstance(fields, Iterable):
        raise ValueError("`fields` names fields of `expected`, or gives each its value")
    whole = _said(expected)
    wanted = {str(path): _at(whole, str(path)) for path in fields}
    for path, value in wanted.items():
        if value is _MISSING:
            raise ValueError(f"the case's `expected` has no `{path}`")
    return wanted


def _said(expected: Any) -> Any:
    """Return the expected value; a text that holds JSON means what the JSON says."""
    if isinstance(expected, str):
        value, problem = read_json(expected)
        return expected if problem else value
    return exact_numbers(expected)


def _at(value: Any, path: str) -> Any:
    """Return what stands at the path, steps parted by points; list items count from 0."""
    if path and isinstance(value, Mapping) and path in value:
        return value[path]
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _difference(value: Any, path: str, wanted: Any) -> str:
    """Return in words how the answer differs at the path, or ""."""
    got = _at(value, path)
    if got is not _MISSING and _equal(got, wanted):
        return ""
    where = f"`{path}`: " if path else ""
    return f"{where}expected {shown(wanted)}, got " + ("nothing" if got is _MISSING else shown(got))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        return fold(one) == fold(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
