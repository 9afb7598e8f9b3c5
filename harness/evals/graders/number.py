"""`number`: the answer's number is the expected one, or lies within limits.

Which number of the answer counts, and how it is read, stands in `harness.domain.numbers`.

    - id: clearance-3
      input: What is this patient's creatinine clearance?
      expected: 25.238
      checks:
        - number                               # equal, or within the domain's `answer.within`
        - number: 25.238 mL/min                # the same, with the unit
        - number: {value: "25.238", within: 5 %}
        - number: {value: "25.238", within: "0.5", unit: mL/min}
        - number: 3.2 million                  # as "$3.2M" too; "3,2 Mio." in a German domain
        - number: {low: "23.9761", high: "26.4999"}    # both limits count as inside

`within` is an amount, or a share of the expected value. A unit is compared where the check, the
expected value or the domain's `answer.unit` names one: an answer without a unit is taken to be in
that one, and an answer in another can't be compared and fails; of several numbers in a sentence the
one with that unit counts, not a date or the number of a clause. Where no unit is named, `60 %`
is right for an expected `60` and for an expected `0.6`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from harness.domain.answers import read_answer
from harness.domain.formats import NUMBER_KEYS, AnswerSettings
from harness.domain.numbers import Quantity, number_in_unit, number_or_problem
from harness.evals.graders.grade import Grade, Grader, shown, unread
from harness.values import Check, EvalCase

__all__ = ["number_grader"]

PRECISION = 1000
"""Digits of the arithmetic: more than any number that is read can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """The limits that a check sets, both inclusive; None: no limit on that side."""

    low: Decimal | None
    high: Decimal | None
    unit: str | None
    words: str

    def allows(self, value: Decimal) -> bool:
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)


def number_grader(locale: str = "en") -> Grader:
    """Return the grader for texts of a language.

    Args:
        locale: Language tag that says which mark is the decimal one.
    """

    def number(check: Check, answer: str, case: EvalCase, settings: AnswerSettings) -> Grade:
        with localcontext(prec=PRECISION):
            try:
                wanted = _wanted(check.spec, case.expected, settings, locale)
            except ValueError as error:
                return unread(check, str(error))
            return _graded(answer, wanted, settings, locale)

    return number


def _graded(answer: str, wanted: _Wanted, settings: AnswerSettings, locale: str) -> Grade:
    if read_answer(answer, kind="text", abstain=settings.abstain).abstained:
        return Grade(met=False, score=0.0, why=f"expected {wanted.words}, got an abstention")
    quantity, problem = number_or_problem(answer, locale=locale)
    if wanted.unit:
        quantity = number_in_unit(answer, wanted.unit, locale=locale)
    if quantity is None:
        return Grade(met=False, score=0.0, why=f"expected {wanted.words}, but {problem}")
    named = not quantity.unit or quantity.unit in quantity.text
    got = quantity.text if named else f"{quantity.text} {quantity.unit}"
    if wanted.unit and quantity.is_in(wanted.unit) is False:
        why = f"expected {wanted.words}, got {got}: the units can't be compared"
        return Grade(met=False, score=0.0, why=why)
    if any(wanted.allows(value) for value in _meanings(quantity, wanted)):
        return Grade(met=True, score=1.0)
    return Grade(met=False, score=0.0, why=f"expected {wanted.words}, got {got}")


def _meanings(quantity: Quantity, wanted: _Wanted) -> tuple[Decimal, ...]:
    """Return what the number can stand for: `60 %` is 60 of a hundred, and 0.6."""
    if quantity.is_percent and not wanted.unit:
        return quantity.value, quantity.value / 100
    return (quantity.value,)


# --- what the check wants ---------------------------------------------------------------------


def _wanted(spec: Any, expected: Any, settings: AnswerSettings, locale: str) -> _Wanted:
    """Return the limits of the check.

    Raises:
        ValueError: The check makes no sense; says why.
    """
    keys = _keys(spec, expected)
    numbers = {key: _read(keys[key], key, locale) for key in _LIMITS if key in keys}
    lows = [numbers["low"].value] if "low" in numbers else []
    highs = [numbers["high"].value] if "high" in numbers else []
    words = [f"{_LIMITS[key]}{keys[key]}" for key in numbers]
    if "value" in numbers:
        value = numbers["value"].value
        spread = _tolerance(keys.get("within") or settings.within, value, locale)
        lows.append(value - spread)
        highs.append(value + spread)
        words[0] += f" ± {spread.normalize():f}" if spread else ""
    if numbers.keys() == {"low", "high"} and lows == highs:
        words = [f"exactly {keys['low']}"]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None and low > high:
        raise ValueError("no number is within its limits")
    units = [keys.get("unit"), *(number.unit for number in numbers.values()), settings.unit]
    unit = next((str(unit) for unit in units if unit), None)
    said = " and ".join(words)
    if unit and not any(number.unit for number in numbers.values()):
        said += f" {unit}"
    return _Wanted(low=low, high=high, unit=unit, words=said)


_LIMITS = {"value": "", "low": "at least ", "high": "at most "}


def _keys(spec: Any, expected: Any) -> dict[str, Any]:
    """Return the specification as a mapping, whichever way it was written."""
    if isinstance(spec, Mapping):
        keys = {str(key): value for key, value in spec.items() if value is not None}
        unknown = keys.keys() - set(NUMBER_KEYS)
        if unknown:
            raise ValueError(f"`number` does not know `{min(unknown)}`")
        if not keys.keys() & _LIMITS.keys() and expected is not None:
            keys["value"] = expected
    else:
        value = expected if spec is None else spec
        keys = {} if value is None else {"value": value}
    if not keys.keys() & _LIMITS.keys():
        raise ValueError("`number` has no number to compare with")
    return keys


def _read(written: Any, key: str, locale: str) -> Quantity:
    quantity, problem = number_or_problem(str(written), locale=locale)
    if quantity is None:
        raise ValueError(f"{shown(written)} as `{key}`: {problem}")
    return quantity


def _tolerance(written: Any, value: Decimal, locale: str) -> Decimal:
    """Return how far a number may be from the value, in the value's own unit."""
    if written is None:
        return Decimal(0)
    text = str(written)
    if text.count(",") == 1 and "." not in text and text.lstrip().startswith("0,"):
        text = text.replace(",", ".")  # `0,5` has one meaning as a tolerance, in any language
        locale = "en"
    quantity = _read(text, "within", locale)
    if quantity.value < 0:
        raise ValueError(f"{shown(written)} as `within` is below 0")
    return abs(value) * quantity.value / 100 if quantity.is_percent else quantity.value
