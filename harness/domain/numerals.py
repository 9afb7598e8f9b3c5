"""Numerals: where the digits of a text form a number, and which.

The forms, as experts and models write them: `1,234.56`, `1.234,56`, `1 234,56`, `1'234.56`,
`12,34,567`, `.5`, `2½`, `−5`, `(3,200)`, `-$5`, `1.2e3`, `4.2 × 10^9`. A run of digits that could
mean two things is found but has no value.
"""  # noqa: RUF002 - the signs that people write

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

__all__ = ["MOST_DIGITS", "Numeral", "decimal_mark", "numerals", "stands_alone"]

MOST_DIGITS = 400
"""Digits on either side of the point from which on a run of them is no number anyone meant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numeral:
    """A number in a text.

    Attributes:
        start: Where it begins, with its sign, currency or accounting bracket.
        end: Where it ends.
        value: None where the digits can't be read for certain.
        money: Currency sign or code before the digits; "" where there is none.
        bracketed: An accounting negative, `(3,200)`.
    """

    start: int
    end: int
    value: Decimal | None
    money: str = ""
    bracketed: bool = False


_THIN = "\u00a0\u2009\u202f"  # no-break, thin, narrow no-break
_MINUS = "\\-−–"  # noqa: RUF001 - hyphen, minus, en dash: what people type for a minus
_RUN = rf"""(?:
      [0-9]{{1,3}}(?:[{_THIN}\ ][0-9]{{3}})+(?![0-9])(?:[.,][0-9]+)?
    | [0-9]+(?:[.,'’][0-9]+)*
    | \.[0-9]+
    )"""  # noqa: RUF001
_FRACTIONS = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2150, 0x215F)}
_FRACTIONS |= {char: unicodedata.normalize("NFKC", char) for char in "¼½¾"}
_SIGNS = "".join(_FRACTIONS)
_PIECE = rf"(?:{_RUN}(?:\ ?[{_SIGNS}])?|[{_SIGNS}])"
_NUMERAL = re.compile(
    rf"""(?P<digits>{_PIECE})
    (?P<more>(?:(?:[/:{_MINUS}]|\ [{_MINUS}]\ ){_PIECE})+)?  # 5-10, 120/80, 12:30: not one number
    (?:[eE](?P<e>[+{_MINUS}]?[0-9]+)(?![\w])
      |\ ?(?:[×x*·]|\\times)\ ?10
       (?:\ ?(?:\^|\*\*)\ ?\{{?(?P<power>[+{_MINUS}]?[0-9]+)\}}?|(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))
    )?""",  # noqa: RUF001
    re.VERBOSE,
)
_LEFT = re.compile(
    rf"""(?P<outer>\(\ ?)?(?P<sign>[+{_MINUS}]|\b[Mm]inus\ )?
    (?:(?P<money>(?:\b[A-Z]{{1,3}}\$|[$€£¥₹])\ ?
          |\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|INR|CNY|SEK|NOK|DKK)\ ?)
       (?P<sign2>[{_MINUS}])?(?P<inner>\(\ ?)?)?$""",
    re.VERBOSE,
)
_IN_WORD = re.compile(r"(?:\w|[^\W\d_][-‐‑.]|[^\W_]/|\^\{?[-−]?)$")  # noqa: RUF001
_GLUED = re.compile(r"(?:st|nd|rd|th)\b|[^\W\d_]+(?![23](?!\w))[0-9]")
_BEHIND = re.compile(r"[-−]\s*$")  # noqa: RUF001
"""A minus behind the digits, as ledgers print it, where the line ends with it: `3,200-`."""
_BOUND = re.compile(r"(?:[<≤≥]|[<>]=|(?<![-=])>)\s?$")
_TAG = re.compile(r"<[^<>]*>$")
_STANDS_ALONE = re.compile(
    r"(?:^|[:=|,;>\"“])\s*$|\b(?:is|was|are|were|be|been|of|to|at|by|equals)\s$", re.IGNORECASE
)
_SIGN_OUTSIDE = re.compile(
    rf"(?:(?<![\w)\]%€$.,{_MINUS}])(?<![0-9)\]%]\s)([+{_MINUS}])|^\s*([{_MINUS}])\s)$"
)
"""A sign before a bracket that is not taken from another number: `-(3,200)`, not `7 -(3)`."""
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻−–", "0123456789+---")  # noqa: RUF001


def numerals(text: str, locale: str) -> Iterator[Numeral]:
    """Yield the numerals of a text that stands without Markdown, in order.

    Digits inside a word, an identifier or a unit's denominator, ordinals (`3rd`) and the spread
    after `±` are no numerals.

    Args:
        text: Any text.
        locale: Language tag that says which mark is the decimal one.
    """
    text = _ascii_digits(text)
    for match in _NUMERAL.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()].rpartition("\n")[2]
        after = text[match.end() : match.end() + 40].partition("\n")[0]
        left = _LEFT.search(before)
        if left is None or _GLUED.match(after) or _joined(before, left):
            continue
        yield _numeral(match, before, left, after, locale)


def stands_alone(head: str) -> bool:
    """Say whether a bracket behind this text is a negative, and no aside."""
    return bool(_STANDS_ALONE.search(head) or _SIGN_OUTSIDE.search(head))


def _joined(before: str, left: re.Match[str]) -> bool:
    """Say whether the digits belong to the word before them."""
    if left["money"] or left["inner"] or left["outer"]:
        return False
    head = before[: left.start()]
    if head.rstrip().endswith("±"):
        return True
    return bool(_IN_WORD.search(before if not left["sign"] else head + "-"))


def _numeral(
    match: re.Match[str], before: str, left: re.Match[str], after: str, locale: str
) -> Numeral:
    head = before[: left.start()]
    value = _value(match, locale)
    signs = left["sign"] or left["sign2"]
    negative = _negative(signs, head) or bool(_BEHIND.match(after))
    closing = re.match(r"\ ?%?\ ?\)", after)
    outside = _SIGN_OUTSIDE.search(head) if closing and left["outer"] else None
    bracketed = bool(
        closing
        and not signs
        and (left["inner"] or outside or (left["outer"] and _STANDS_ALONE.search(head)))
    )
    if outside and (signs or outside[1] == "+"):
        value = None
    if _BOUND.search(head) and not _TAG.search(head):
        value = None
    if value is not None and (negative or bracketed):
        value = -value
    start = match.start() - (len(before) - left.start())
    if bracketed and outside:
        start -= len(outside[0])
    elif left["outer"] and not bracketed:
        start += len(left["outer"])
    money = (left["money"] or "").strip()
    if (
        left["inner"] and not bracketed and not re.match(r"[^\d()]*\)", after)
    ):  # `EUR (1,250 less 250)`: an aside, not the amount
        start, money = match.start(), ""
    end = match.end() + (len(closing[0]) if bracketed and closing else 0)
    return Numeral(
        start=start,
        end=end,
        value=value,
        money=money,
        bracketed=bracketed,
    )


def _negative(signs: str | None, head: str) -> bool:
    """Say whether what stands before the digits makes them negative, and is no operation."""
    if not signs or signs == "+":
        return False
    taken = r"[0-9)\]%]\s?$" if signs.strip().isalpha() else r"[\w)\]]$"
    return re.search(taken, head) is None


# --- their values -----------------------------------------------------------------------------


def _value(match: re.Match[str], locale: str) -> Decimal | None:
    if match["more"]:
        return None
    written, sign = match["digits"], match["digits"][-1]
    if sign in _FRACTIONS:
        return _with_fraction(written[:-1].rstrip(), sign, locale)
    plain = _plain_digits(written, locale)
    if plain is None or len(plain) > MOST_DIGITS:
        return None
    exponent = (match["e"] or match["power"] or match["raised"] or "0").translate(_SUPERSCRIPT)
    if len(exponent) > 4 or abs(int(exponent)) > MOST_DIGITS:
        return None
    return Decimal(f"{plain}e{exponent}") if int(exponent) else Decimal(plain)


def _with_fraction(whole: str, sign: str, locale: str) -> Decimal | None:
    """Return `2½` as 2.5; a third has as many digits as anyone compares."""
    plain = _plain_digits(whole, locale) if whole else "0"
    if plain is None or not plain.isdigit() or len(plain) > MOST_DIGITS:
        return None
    part = Fraction(_FRACTIONS[sign].replace("\u2044", "/"))
    with localcontext(prec=MOST_DIGITS + 40):
        return Decimal(plain) + Decimal(part.numerator) / Decimal(part.denominator)


_SPACED_CENTS = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+[.,][0-9]{2}")
"""Two places behind the mark: one amount of money in any language, `1 000,00`."""


def _plain_digits(written: str, locale: str) -> str | None:
    """Return the digits as Decimal takes them, or None where the marks could mean two things."""
    decimal, space_groups = _marks_of(locale)
    spaces = {char for char in written if char.isspace()}
    if " " in spaces and not space_groups and not _SPACED_CENTS.fullmatch(written):
        return None
    if spaces or "'" in written or "’" in written:  # noqa: RUF001
        return _grouped(re.sub(r"[\s’]", "'", written), "'")  # noqa: RUF001
    if "," in written and "." in written:
        return _grouped(written, "," if written.rfind(".") > written.rfind(",") else ".")
    if "," not in written and "." not in written:
        return written
    mark = "," if "," in written else "."
    if mark == decimal and written.count(mark) <= 1:
        return written.replace(mark, ".")
    return _grouped(written, mark) if not written.startswith(("0", ".")) else None


def _grouped(written: str, mark: str) -> str | None:
    """Return the digits with the thousands' mark taken out, where the groups are sound.

    Groups of two before the last (`12,34,567`) are how lakh and crore are written.
    """
    whole, point, part = written, "", ""
    for other in {",", "."} - {mark}:
        whole, point, part = whole.partition(other) if other in whole else (whole, point, part)
    first, *groups = whole.split(mark)
    sound = [len(group) == 3 for group in groups]
    lakh = [len(group) == 2 for group in groups[:-1]] + sound[-1:]
    thousands = 1 <= len(first) <= 3 and all(sound)
    if not groups or not (thousands or (1 <= len(first) <= 2 and all(lakh))):
        return None
    if point and not part.isdigit():
        return None
    return first + "".join(groups) + ("." + part if part else "")


_COMMA = re.compile(
    "af|az|be|bg|bs|ca|cs|da|de|el|es|et|eu|fi|fr|gl|hr|hu|hy|id|is|it|ka|kk|lt|lv|mk|nb|nl|nn|no"
    "|pl|pt|ro|ru|sk|sl|sq|sr|sv|tr|uk|vi"
)
_SPACED = re.compile("be|bg|cs|et|fi|fr|hu|hy|ka|kk|lt|lv|nb|nn|no|pl|pt|ru|sk|sv|uk")
_POINT_REGIONS = re.compile("ch|li|mx|us|pr|do|gt|hn|ni|pa|pe|sv")


def _marks_of(locale: str) -> tuple[str, bool]:
    """Return the decimal mark, and whether a plain space groups thousands."""
    language, _, region = locale.replace("_", "-").casefold().partition("-")
    comma = _COMMA.fullmatch(language) and not _POINT_REGIONS.fullmatch(region)
    return ("," if comma else "."), bool(_SPACED.fullmatch(language))


def decimal_mark(locale: str) -> str:
    """Return the mark before decimals in a language: a point or a comma."""
    return _marks_of(locale)[0]


def _ascii_digits(text: str) -> str:
    """Return the text with every decimal digit of Unicode as its ASCII one, length unchanged."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if char > "\x7f" and char.isdecimal() else char
        for char in text
    )
