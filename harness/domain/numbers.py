r"""Numbers as people and models write them, read into exact decimals.

What is read: `1,234.56`, `1.234,56`, `1 234,56` (also with thin spaces), `1'234.56`, `(3,200)`
as accountants write a negative (with a minus before the bracket, too: `-(3,200)`), `−5` with a
real minus, `60 %`, `$1,200`, `1.2e3`, `4.2 × 10^9`, `1.2 million` in English and `1,2 Mio. €` in
German (`harness.domain.scales`). Which of comma and point is the decimal mark
follows the locale; where a number has both, the later one is, in every locale.

What is never guessed: digits that could mean two things (`3,14` or `1 234` in an English text,
a range `5-10`, a ratio `120/80`, a date, a bound `<5`, `+(5)` and `-(-5)`, a word of scale of
another language) are seen but not read. NaN and infinity
are not numbers, and neither are digits inside a word (`CURB-65`, `CHA2DS2`) or a unit
(`mL/min/1.73 m²`). A bracket after a word is an aside, not a negative: `thirty (30) days`.

Which number of an answer counts, the first of these that there is:

1. what stands after the last `Answer:`, `Final answer:` or `Result:`, or in the last `\boxed{}`:
   its only number outside round brackets; of several, the first after the last `=`, else the
   first;
2. on the last line with a number outside round brackets, the last such number;
3. the last number, in brackets or heading a list.

So the only number of a text counts, wherever it stands. Where the digits that count can't be
read for certain, there is no number: another is never taken instead.
"""  # noqa: RUF002 - the signs that people write

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from harness.domain.markers import after_markers, lines_of, plain
from harness.domain.numerals import MOST_DIGITS, Numeral, numerals, stands_alone
from harness.domain.scales import scale_after, scale_before
from harness.domain.units import is_money, percent_after, same_words, unit_after

__all__ = ["Quantity", "find_numbers", "number_in_unit", "number_or_problem", "read_number"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """A number with what was written around it.

    Attributes:
        value: As written: `60 %` is 60, with `is_percent`; a word of scale counts in
            (`1.2 million`).
        unit: The sign or words that stand as its unit; "" where there is none.
        text: The number as it was written, with its word of scale, without a unit behind it.
        after: What follows it in the same clause, for comparing units.
    """

    value: Decimal
    unit: str = ""
    is_percent: bool = False
    text: str = ""
    after: str = field(default="", repr=False, compare=False)

    def is_in(self, unit: str) -> bool | None:
        """Say whether the number is in this unit; None where it names no unit."""
        if same_words(unit, self.after) or same_words(unit, self.unit):
            return True
        return False if self.unit else None


def read_number(text: str, *, locale: str = "en") -> Quantity | None:
    """Return the number of the text that counts (the module's rule), or None.

    Args:
        text: A number alone, or a whole answer.
        locale: Language tag (`de`, `fr-CA`) that says which mark is the decimal one.
    """
    return number_or_problem(text, locale=locale)[0]


def number_or_problem(text: str, *, locale: str = "en") -> tuple[Quantity | None, str]:
    """Return the number of the text that counts, or None and in plain words why there is none."""
    found = _counting(plain(text), locale)
    if found is None:
        return None, "there is no number in it"
    line, numeral = found
    quantity = _quantity(line, numeral, locale)
    if quantity is None:
        written = line[numeral.start : numeral.end][:60]
        return None, f"“{written}” can't be read as one number for certain"
    return quantity, ""


def number_in_unit(text: str, unit: str, *, locale: str = "en") -> Quantity | None:
    """Return the number that counts of a text where its unit is known, or None.

    That of `read_number`, unless it is plainly something else (a date, a number of a clause or a
    claim, an amount in another unit that is no currency) and exactly one value on its line, outside
    round brackets, carries the unit: `We pay 1,000 EUR within 14 days.`

    Args:
        text: A number alone, or a whole answer.
        unit: Unit that is asked for.
        locale: As of `read_number`.
    """
    found = _counting(plain(text), locale)
    if found is None:
        return None
    line, numeral = found
    counts = _quantity(line, numeral, locale)
    if counts is not None and not _something_else(counts, line[: numeral.start], unit):
        return counts
    each = (
        _quantity(line, one, locale) for one in _outside_brackets(line, [*numerals(line, locale)])
    )
    carrying = [one for one in each if one is not None and one.is_in(unit)]
    return carrying[-1] if len({one.value for one in carrying}) == 1 else counts


def _something_else(counts: Quantity, before: str, unit: str) -> bool:
    """Say whether a number is plainly not the one asked for in a unit."""
    there = counts.is_in(unit)
    if there is None:
        return bool(_REFERENCE.search(before))
    return not there and not (is_money(unit) and is_money(counts.unit))


_REFERENCE = re.compile(
    r"(?:\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-zé]*\.?,?"
    r"|\b(?:clause|section|sec\.|article|art\.|paragraph|para\.?|no\.|nr\.|number|page|p\.|claim|policy"
    r"|case|step|item|line|rule|schedule|appendix|table|figure|klausel|ziffer|artikel|absatz|seite)"
    r"|§|\#)\s*$",
    re.IGNORECASE,
)
"""What stands before a number that names a day, a year or a place, and is no amount."""


def find_numbers(text: str, *, locale: str = "en") -> tuple[Quantity, ...]:
    """Return every number of the text that can be read for certain, in order."""
    text = plain(text)
    found = (_quantity(text, numeral, locale) for numeral in numerals(text, locale))
    return tuple(quantity for quantity in found if quantity is not None)


# --- which one counts -------------------------------------------------------------------------

LONGEST_LINE = 20_000
"""Characters of one line that are looked at: the first after a marker, the last elsewhere."""

_LIST_MARK = re.compile(r"[0-9]{1,3}[.)]\s+(?=\S)")
_BRACKETS = re.compile(r"\([^()]*\)")
_ONE_OF_TWO = re.compile(r"\W*(?:to|or|bis|oder|ou|à)\W*")


def _counting(text: str, locale: str) -> tuple[str, Numeral] | None:
    """Return the numeral that counts and the line that it stands on."""
    for whole in reversed(after_markers(text, "answer", "result")):
        value = whole[:LONGEST_LINE]
        found = list(numerals(value, locale))
        if found:
            return value, _announced(value, _outside_brackets(value, found) or found)
    aside: tuple[str, Numeral] | None = None
    for whole in reversed(lines_of(text)):
        line = whole[-LONGEST_LINE:]
        found = list(numerals(line, locale))
        outside = _outside_brackets(line, found)
        mark = _LIST_MARK.match(line)
        if mark:
            outside = [numeral for numeral in outside if numeral.start > 0]
        if outside:
            return line, outside[-1]
        if found and aside is None:
            aside = line, found[-1]
    return aside


def _announced(value: str, found: list[Numeral]) -> Numeral:
    """Return the numeral that counts of those after a marker."""
    equals = value.rfind("=")
    chosen = next((numeral for numeral in found if numeral.start > equals), found[0])
    following = found[found.index(chosen) + 1 :]
    if following and _ONE_OF_TWO.fullmatch(value[chosen.end : following[0].start]):
        return Numeral(start=chosen.start, end=following[0].end, value=None)
    return chosen


def _outside_brackets(line: str, found: list[Numeral]) -> list[Numeral]:
    """Return the numerals outside round brackets; an accounting bracket is the number's own."""
    for numeral in found:
        if numeral.bracketed:
            line = _blanked(line, numeral.start, numeral.end)
    for _ in range(5):  # nested brackets, from the inside out
        match = None
        for match in _BRACKETS.finditer(line):
            line = line[: match.start()] + "\0" * len(match[0]) + line[match.end() :]
        if match is None:
            break
    return [numeral for numeral in found if line[numeral.start] != "\0"]


def _blanked(line: str, start: int, end: int) -> str:
    return line[:start] + " " * (end - start) + line[end:]


# --- what is around it ------------------------------------------------------------------------


def _quantity(text: str, numeral: Numeral, locale: str) -> Quantity | None:
    """Return the numeral with its unit, or None where it has no value."""
    if numeral.value is None:
        return None
    written = text[numeral.start : numeral.end]
    after = text[numeral.end : numeral.end + 80].partition("\n")[0]
    percent = percent_after(after) or (1 if "%" in written else 0)
    if percent:
        return Quantity(value=numeral.value, unit="%", is_percent=True, text=written, after="%")
    before = scale_before(text[max(0, numeral.start - 24) : numeral.start] + numeral.money, locale)
    factor, length = scale_after(after, locale=locale, money=bool(numeral.money))
    if before is None or factor is None:
        return None
    with localcontext(prec=2 * MOST_DIGITS):
        value = numeral.value * before * factor
    if length and value > 0 and _in_bracket(text, numeral, after[length:]):
        value = -value
    unit, clause = unit_after(after[length:])
    written += after[:length].rstrip()
    return Quantity(value=value, unit=numeral.money or unit, text=written, after=clause)


def _in_bracket(text: str, numeral: Numeral, rest: str) -> bool:
    """Say whether a number with its scale is an accountant's negative: `(£3.2m)`."""
    head, opening, inside = text[max(0, numeral.start - 40) : numeral.end].rpartition("(")
    alone = stands_alone(head.rstrip("$€£¥₹ ") if inside[:1].isdigit() else head)
    return bool(opening) and not inside.startswith("+") and alone and bool(_CLOSING.match(rest))


_CLOSING = re.compile(r"\s?\)")
