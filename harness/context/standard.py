"""The standard of a case without an answer: what its checks ask for, in words for the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from harness.domain.check_specs import (
    CitesSpec,
    MatchesSpec,
    PairwiseSpec,
    SetSpec,
    TrajectorySpec,
    spec_of,
)
from harness.domain.rubrics import read_rubric
from harness.values import Check, Criterion, Rubric, jsonable

__all__ = ["said", "standard"]

UNSAID = "an answer that passes this field's own checks"
"""Where no check can be put into words: `python`, `cost`, `seconds`, `steps`."""


def standard(checks: Iterable[Check], rubrics: Mapping[str, Rubric]) -> str:
    """Return what the checks ask for.

    Args:
        checks: Of a case.
        rubrics: The domain's, by name: checks name them.
    """
    words = (_in_words(check, rubrics) for check in checks)
    return "; ".join(dict.fromkeys(one for one in words if one)) or UNSAID


def said(expected: Any) -> str:
    """Return an expectation as an answer would say it."""
    if isinstance(expected, str):
        return expected
    return json.dumps(jsonable(expected), ensure_ascii=False)


def _in_words(check: Check, rubrics: Mapping[str, Rubric]) -> str:
    if check.grader == "rubric":
        return _rubric(check, rubrics)
    words = _WORDS.get(check.grader)
    return words(check.spec) if words else ""


def _rubric(check: Check, rubrics: Mapping[str, Rubric]) -> str:
    try:
        criteria = read_rubric(check, rubrics).criteria
    except ValueError:  # lint says so
        return ""
    weighted = len({abs(one.points) for one in criteria}) > 1
    return "an expert grades by: " + "; ".join(_criterion(one, weighted) for one in criteria)


def _criterion(one: Criterion, weighted: bool) -> str:
    marks = ["must"] if one.critical else []
    if weighted:
        points = f"{one.points.normalize():f}"
        marks.append("1 point" if one.points == Decimal(1) else f"{points} points")
    text = one.text.strip().rstrip(".")
    fault = "a fault: " if one.points < 0 else ""
    return f"{fault}{text} ({', '.join(marks)})" if marks else f"{fault}{text}"


# --- graders, each in the order of its own docstring -------------------------------------------


def _number(spec: Any) -> str:
    if not isinstance(spec, Mapping):
        return f"the number {said(spec)}" if spec is not None else "a number"
    unit = f" {spec['unit']}" if spec.get("unit") else ""
    if spec.get("value"):
        within = f", give or take {spec['within']}" if spec.get("within") else ""
        return f"the number {spec['value']}{unit}{within}"
    low, high = spec.get("low"), spec.get("high")
    if low and high:
        return f"a number from {low} to {high}{unit}"
    return f"a number of at least {low}{unit}" if low else f"a number of at most {high}{unit}"


def _json(spec: Any) -> str:
    if not isinstance(spec, Mapping):
        return "JSON of the form that is asked for"
    schema, fields = spec, None
    if spec and spec.keys() <= {"schema", "fields"}:
        schema, fields = spec.get("schema", {}), spec.get("fields")
    words = []
    if schema:
        words.append(f"follows {said(schema)}")
    if isinstance(fields, Mapping):
        words.append("has " + ", ".join(f"{name} {said(value)}" for name, value in fields.items()))
    elif fields:
        words.append("has " + ", ".join(map(str, fields)))
    return "JSON that " + " and ".join(words) if words else "JSON"


def _matches(spec: Any) -> str:
    wanted = spec_of(MatchesSpec, spec if isinstance(spec, Mapping) else {"pattern": spec})
    form = "an answer of the form" if wanted.whole else "an answer that has a text of the form"
    return f"{form} `{wanted.pattern}` (a regular expression)"


def _set(spec: Any) -> str:
    items = spec_of(SetSpec, spec).items if isinstance(spec, Mapping) else _texts(spec)
    return f"a list of {_quoted(items)}" if items else ""


def _cites(spec: Any) -> str:
    written = spec if isinstance(spec, Mapping) else {"source": spec} if spec else {}
    wanted = spec_of(CitesSpec, written)
    what = f"quotes {_quoted(wanted.quotes)}" if wanted.quotes else "quotes its sources"
    many = f", at least {wanted.at_least} times" if wanted.at_least > 1 else ""
    origin = f" from {wanted.source}" if wanted.source else ""
    return f"an answer that {what} word for word{many}{origin}"


def _similar(spec: Any) -> str:
    text = spec.get("to") if isinstance(spec, Mapping) else spec
    return f"an answer that says about the same as “{text}”" if text else ""


def _pairwise(spec: Any) -> str:
    written = spec if isinstance(spec, Mapping) else {"against": spec} if spec else {}
    wanted = spec_of(PairwiseSpec, written)
    if wanted.against is None:
        return wanted.by
    than = "better than" if wanted.at_least == "win" else "at least as good as"
    by = f", by this: {wanted.by}" if wanted.by else ""
    return f"an answer {than} “{wanted.against}”{by}"


def _trajectory(spec: Any) -> str:
    if not isinstance(spec, Mapping):
        return ""
    wanted = spec_of(TrajectorySpec, spec)
    used = dict.fromkeys([*wanted.used, *wanted.arguments])
    words = [f"uses {', '.join(used)}"] if used else []
    if wanted.order:
        words.append(f"uses in this order: {', '.join(wanted.order)}")
    if wanted.not_used:
        words.append(f"does not use {', '.join(wanted.not_used)}")
    if wanted.most:
        words.append(f"uses tools {wanted.most} times at most")
    return "work that " + ", ".join(words)


def _texts(spec: Any) -> list[str]:
    return [spec] if isinstance(spec, str) else list(spec or ())


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)


_WORDS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "exact": lambda spec: f"the answer “{said(spec)}”",
        "label": lambda spec: f"the label “{said(spec)}”",
        "number": _number,
        "json": _json,
        "contains_all": lambda spec: f"an answer that names {_quoted(_texts(spec))}",
        "contains_any": lambda spec: f"an answer that names one of {_quoted(_texts(spec))}",
        "never_contains": lambda spec: f"an answer without {_quoted(_texts(spec))}",
        "matches": _matches,
        "set": _set,
        "cites": _cites,
        "similar": _similar,
        "pairwise": _pairwise,
        "trajectory": _trajectory,
    }
)
