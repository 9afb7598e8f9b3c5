"""What stands after `checks:` and in `check:` columns, as checks.

checks:                      # a list, each a grader's name alone or with its specification
  - exact                    # alone: compared with `expected`
  - number: {value: "12.5", within: 5 %}
  - contains_all: [notice period, three months]
checks: {label: Renewal}     # one mapping does too
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from harness.domain.check_specs import SPECS
from harness.domain.entries import Entry, Loc, own_types, plain_text, too_deep
from harness.domain.explain import validated
from harness.domain.formats import GRADERS, NUMBER_KEYS, AnswerSettings, RubricItem
from harness.domain.problems import did_you_mean, listed
from harness.values import Check, Problem

__all__ = ["COLUMN", "CheckReader", "number_spec", "read_json_text", "split_cell"]

COLUMN = "check:"
"""Begins the name of a table's column that holds checks."""

IMPLIED = {"text": "exact", "label": "label", "number": "number", "json": "json"}

_AROUND = re.compile(r"(?P<value>\S.*?)\s*(?:±|\+/-|\+-)\s*(?P<within>\S.*)")
_BETWEEN = re.compile(r"(?P<low>\S*?)\s*\.\.\s*(?P<high>\S*)")


def number_spec(text: str) -> str | dict[str, str]:
    """Return `low..high` and `value ± within` as a mapping, any other text as it is."""
    if match := _AROUND.fullmatch(text.strip()):
        return match.groupdict()
    if (match := _BETWEEN.fullmatch(text.strip())) and any(match.groups()):
        return {key: value for key, value in match.groupdict().items() if value}
    return text


def split_cell(text: str) -> list[str]:
    """Return the parts of a table's cell that holds a list, written with semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


def read_json_text(text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if too_deep(value):
        raise ValueError("nested too deeply")
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


_Found = Check | list[Problem]
"""A check, or everything that is wrong with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReader:
    """Reads the checks of one case after the other, by the domain's kind of answer."""

    answer: AnswerSettings

    def read(
        self, entry: Entry, written: Any, expected: Any, loc: Loc
    ) -> tuple[tuple[Check, ...], list[Problem]]:
        """Return the checks of a case, and what is wrong with them.

        Args:
            entry: The case.
            written: What stands after `checks`; None where nothing does.
            expected: The case's `expected`; None where there is none.
            loc: Path to `checks`.
        """
        if written is None:
            if expected is None:
                return (), [_nothing(entry)]
            place = entry.place(("expected",), key=True)
            return (Check(grader=IMPLIED[self.answer.kind], spec=None, place=place),), []
        checks: list[Check] = []
        problems: list[Problem] = []
        for grader, spec, where in _pairs(entry, written, loc, problems):
            found = self._check(entry, grader, spec, expected, where)
            if isinstance(found, Check):
                checks.append(found)
            else:
                problems += found
        if not checks and not problems:
            problems.append(_nothing(entry))
        return tuple(checks), problems

    def _check(self, entry: Entry, grader: str, spec: Any, expected: Any, loc: Loc) -> _Found:
        forms = GRADERS.get(grader)
        if forms is None:
            says = f"No grader is called `{grader}`.{did_you_mean(grader, GRADERS)}"
            says += f" Known: {listed(GRADERS)}."
            return [entry.problem("unknown-grader", says, loc, key=True)]
        if spec is None:
            return self._by_expected(entry, grader, expected, loc)
        if "number" in forms:
            return _number(entry, spec, expected, loc)
        read = _text
        if "json" in forms:
            read = _json
        elif "amount" in forms:
            read = _amount
        elif "keys" in forms and isinstance(spec, dict):
            read = _keys
        return read(entry, grader, spec, loc)

    def _by_expected(self, entry: Entry, grader: str, expected: Any, loc: Loc) -> _Found:
        place = entry.place(loc, key=True)
        if "alone" in GRADERS[grader]:
            return Check(grader=grader, spec=None, place=place)
        if "expected" not in GRADERS[grader]:
            says = f"`{grader}` needs to be told what: write `{grader}: …`."
            return [entry.problem("nothing-to-check", says, loc, key=True)]
        if expected is None and not (grader == "json" and self.answer.schema is not None):
            says = (
                f"`{grader}` has nothing to compare with. Give the case `expected`, or write"
                f" `{grader}: …`."
            )
            return [entry.problem("nothing-to-check", says, loc, key=True)]
        if grader in ("contains_all", "contains_any", "contains"):
            grader = "contains_all" if grader == "contains" else grader
            return Check(grader=grader, spec=(str(expected),), place=place)
        return Check(grader=grader, spec=None, place=place)


_JSON = (
    "`json` takes a JSON Schema, or a mapping with `schema` and `fields`. To compare with a"
    " value, write it after `expected` and `json` alone here."
)


def _nothing(entry: Entry) -> Problem:
    return entry.problem(
        "nothing-to-check", "This case has neither `expected` nor `checks`. Give it one of them."
    )


def _texts(spec: list[Any]) -> bool:
    return bool(spec) and all(isinstance(part, str) and part.strip() for part in spec)


def _pairs(
    entry: Entry, written: Any, loc: Loc, problems: list[Problem]
) -> Iterator[tuple[str, Any, Loc]]:
    """Yield grader, specification and path of every check, in whichever way it is written."""
    if isinstance(written, dict):
        for grader, spec in written.items():
            yield str(grader).removeprefix(COLUMN if entry.columns else ""), spec, (*loc, grader)
        return
    for number, one in enumerate(written if isinstance(written, list) else [written]):
        where = (*loc, number) if isinstance(written, list) else loc
        if isinstance(one, str):
            yield str(one), None, where
        elif isinstance(one, dict) and len(one) == 1:
            grader, spec = next(iter(one.items()))
            yield str(grader), spec, (*where, grader)
        else:
            problems.append(entry.problem("bad-checks", _SHAPE, where))


_SHAPE = (
    "A check is a grader's name alone (`- exact`) or with what it needs (`- contains_all: …`),"
    " one in each line of the list."
)


def _json(entry: Entry, grader: str, spec: Any, loc: Loc) -> _Found:
    if not isinstance(spec, dict):
        return [entry.problem("bad-checks", _JSON, loc)]
    return Check(grader=grader, spec=own_types(spec), place=entry.place(loc, key=True))


def _text(entry: Entry, grader: str, spec: Any, loc: Loc) -> _Found:
    place = entry.place(loc, key=True)
    many = "texts" in GRADERS[grader]
    if isinstance(spec, str) and spec.strip():
        if grader == "contains":  # another word for `contains_all` of one
            return Check(grader="contains_all", spec=(str(spec),), place=place)
        return Check(grader=grader, spec=str(spec), place=place)
    if many and isinstance(spec, list) and _texts(spec):
        return Check(grader=grader, spec=tuple(plain_text(spec)), place=place)
    wanted = "a text or a list of texts, none of them empty" if many else "one text, not empty"
    if "keys" in GRADERS[grader]:
        wanted += f", or a mapping with {listed(SPECS[grader].model_fields)}"
    return [entry.problem("bad-checks", f"`{grader}` takes {wanted}.", loc)]


def _keys(entry: Entry, grader: str, spec: dict[str, Any], loc: Loc) -> _Found:
    """Return a check with a mapping, held against the grader's own schema."""
    written = {str(key): value for key, value in plain_text(spec).items() if value is not None}
    _, wrong = validated(SPECS[grader], written, entry.within(loc))
    if wrong:
        return wrong
    if grader == "rubric" and not any(one.points > 0 for one in RubricItem(**written).criteria):
        says = "No criterion of this rubric gives points. Give at least one more than 0."
        return [entry.problem("bad-value", says, (*loc, "criteria"))]
    return Check(grader=grader, spec=written, place=entry.place(loc, key=True))


def _amount(entry: Entry, grader: str, spec: Any, loc: Loc) -> _Found:
    text = str(spec).strip().removeprefix("$") if isinstance(spec, str) else ""
    if not re.fullmatch(r"[0-9]+([.][0-9]+)?", text):
        says = f"`{grader}` takes one number, the most that is allowed, like `{grader}: 2.5`."
        return [entry.problem("bad-checks", says, loc)]
    return Check(grader=grader, spec=text, place=entry.place(loc, key=True))


def _number(entry: Entry, spec: Any, expected: Any, loc: Loc) -> _Found:
    if isinstance(spec, str):
        spec = number_spec(spec)
        if isinstance(spec, str):
            return Check(grader="number", spec=str(spec), place=entry.place(loc, key=True))
    if not isinstance(spec, dict):
        says = f"`number` takes a number, or a mapping with {listed(NUMBER_KEYS)}."
        return [entry.problem("bad-checks", says, loc)]
    if wrong := list(_number_keys(entry, spec, loc)):
        return wrong
    written = {str(key): str(value) for key, value in spec.items() if value is not None}
    if not {"value", "low", "high"} & written.keys():
        if not isinstance(expected, str):
            says = "`number` needs `value`, `low` or `high`, or the case's `expected`."
            return [entry.problem("nothing-to-check", says, loc, key=True)]
        written = {"value": expected, **written}
    return Check(grader="number", spec=written, place=entry.place(loc, key=True))


def _number_keys(entry: Entry, spec: dict[str, Any], loc: Loc) -> Iterator[Problem]:
    for key, value in spec.items():
        if key not in NUMBER_KEYS:
            says = f"`number` does not know `{key}`.{did_you_mean(str(key), NUMBER_KEYS)}"
            says += f" Known: {listed(NUMBER_KEYS)}."
            yield entry.problem("bad-checks", says, (*loc, key), key=True)
        elif not isinstance(value, str | None):
            yield entry.problem("bad-checks", f"`{key}` has to be one text.", (*loc, key))
