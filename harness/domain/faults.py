"""What makes a check useless in its domain: a number that is none, limits that nothing is within.

`lint` says it of every open case, and the evals of the cases that they are about to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from harness.domain.fitting import schema_fault
from harness.domain.numbers import Quantity, number_or_problem
from harness.domain.numerals import MOST_DIGITS, decimal_mark
from harness.domain.problems import did_you_mean
from harness.values import Check, EvalCase, Problem, Severity

if TYPE_CHECKING:
    from harness.domain.folder import Domain

__all__ = ["faults", "label_not_among", "no_number"]

LIMITS = ("value", "low", "high")


def faults(domain: Domain, case: EvalCase, check: Check) -> Iterator[Problem]:
    """Yield what is wrong with a check, whatever an answer says.

    Args:
        domain: The case's.
        case: With the check; what it expects may be lost.
        check: One of its checks.
    """
    if check.grader == "number":
        yield from _number(domain, case, check)
    elif check.grader == "label":
        yield from _label(domain, case, check)
    elif check.grader == "json":
        yield from _json(check)


def _problem(check: Check, code: str, message: str, severity: Severity = "error") -> Problem:
    return Problem(place=check.place, code=code, message=message, severity=severity)


# --- labels and JSON --------------------------------------------------------------------------


def _label(domain: Domain, case: EvalCase, check: Check) -> Iterator[Problem]:
    answer = domain.settings.answer
    label = case.expected if check.spec is None else check.spec
    known = {*domain.labels, answer.abstain}
    if answer.kind == "label" and isinstance(label, str) and label not in known:
        severity: Severity = "error" if answer.labels else "warning"
        yield _problem(check, "unknown-label", label_not_among(domain, label), severity)


def label_not_among(domain: Domain, label: str) -> str:
    """Return a sentence about a label that the domain does not have."""
    among = "`answer.labels`" if domain.settings.answer.labels else "the outputs of the examples"
    mean = did_you_mean(label[:200], domain.labels)
    return f"The label `{label[:80]}` is not among {among}.{mean}"


def _json(check: Check) -> Iterator[Problem]:
    if isinstance(check.spec, dict):
        schema = check.spec.get("schema", {} if "fields" in check.spec else check.spec)
        if wrong := schema_fault(schema):
            yield _problem(check, "bad-schema", f"This is no JSON Schema: {wrong}. Mend it.")


# --- numbers ----------------------------------------------------------------------------------


def _number(domain: Domain, case: EvalCase, check: Check) -> Iterator[Problem]:
    locale = domain.settings.language or "en"
    read: dict[str, Quantity] = {}
    for key, text in _figures(check, case):
        quantity, _ = number_or_problem(
            _without_comma(text) if key == "within" else text, locale=locale
        )
        if quantity is None:
            says = f"`{key}` should be a number, but {no_number(text, locale)}"
            yield _problem(check, "not-a-number", says)
        elif key == "within" and quantity.value < 0:
            says = f"`within` is how far off an answer may be: {text[:80]} is below 0. Write it"
            yield _problem(check, "bad-checks", f"{says} without the minus.")
        else:
            read[key] = quantity
    if says := _never_met(read, domain.settings.answer.within, locale):
        yield _problem(check, "bad-checks", says)
    own_unit = isinstance(check.spec, dict) and check.spec.get("unit")
    unit = domain.settings.answer.unit
    for key, quantity in read.items():
        if unit and not own_unit and key != "within" and quantity.is_in(unit) is False:
            says = (
                f"`{key}` is in {quantity.unit}, but the answers of this domain are in {unit}"
                f" (`answer.unit`). Write it in {unit}, or give the check its own `unit`."
            )
            yield _problem(check, "bad-checks", says)


def no_number(text: str, locale: str) -> str:
    """Return the end of a sentence: why a text holds no number, and how to write one.

    Args:
        text: In which no number could be read.
        locale: Language tag by which it was read.
    """
    shown = f"`{text[:80]}`"
    if not any(character.isdecimal() for character in text):
        return f"there is none in {shown}. Write it in digits."
    mark = decimal_mark(locale)
    named = "point" if mark == "." else "comma"
    return (
        f"{shown} can't be read as one for certain. Write one number, with a {named} before"
        f" decimals (`12{mark}5`), as `language: {locale}` in domain.yaml has it."
    )


def _figures(check: Check, case: EvalCase) -> list[tuple[str, str]]:
    if isinstance(check.spec, dict):
        return [(key, check.spec[key]) for key in (*LIMITS, "within") if key in check.spec]
    if check.spec is not None:
        return [("number", str(check.spec))]
    return [] if case.expected is None else [("expected", str(case.expected))]


def _without_comma(text: str) -> str:
    """Return `0,5` with a point: as a tolerance it has one meaning in any language."""
    plain = text.count(",") == 1 and "." not in text and text.lstrip().startswith("0,")
    return text.replace(",", ".") if plain else text


def _never_met(read: dict[str, Quantity], within: str | None, locale: str) -> str:
    """Return why no number meets the limits; empty where one does."""
    lows = [read["low"].value] if "low" in read else []
    highs = [read["high"].value] if "high" in read else []
    if "value" in read:
        spread = _spread(read, within, locale)
        lows.append(read["value"].value - spread)
        highs.append(read["value"].value + spread)
    if not lows or not highs or max(lows) <= min(highs):
        return ""
    return (
        f"No number is both at least {_plain(max(lows))} and at most {_plain(min(highs))}."
        " Mend the limits."
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _spread(read: dict[str, Quantity], within: str | None, locale: str) -> Decimal:
    tolerance = read.get("within")
    if tolerance is None and within:
        tolerance, _ = number_or_problem(_without_comma(within), locale=locale)
    if tolerance is None:
        return Decimal(0)
    with localcontext(prec=2 * MOST_DIGITS):
        share = abs(read["value"].value) * tolerance.value / 100
    return share if tolerance.is_percent else tolerance.value
