"""Units: the words behind a number, and whether they are the ones asked for.

There is no table of units but that of currencies: `mm Hg` and `mmHg` are one, `mL/min` and
`ml/min`, `%` and `percent`, `day` and `days`, `€` and `EUR` and `euros`.
Anything else is a different unit, and is never converted.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["is_money", "percent_after", "same_words", "unit_after"]

_PERCENT = re.compile(r"\s?(?:\\?%|(?:percent|per cent|pct)\b)", re.IGNORECASE)
_CLAUSE = re.compile(r"[^,;:!?()\[\]{}|=<>\"“”\n]*")
_SENTENCE_END = re.compile(r"\.(?=\s|$|[A-Z])")
_TOKEN = re.compile(r"[^\W\d_°]*[°µμΩ℃℉$€£¥₹²³/^·⁻¹][\w°µμΩ²³⁻¹/^·.*-]*|[^\W\d_][\w²³⁻¹/^·.*]*")
_PROSE = re.compile(
    "a|als|also|although|an|and|are|as|at|aus|based|because|bei|but|by|da|das|denn|der|des|die|du"
    "|en|et|for|from|given|has|hence|if|in|is|ist|it|la|le|les|mit|more|not|nach|of|on|or|out|over"
    "|per|since|so|than|that|the|then|therefore|this|thus|to|und|von|was|weil|when|where|which"
    "|while|with|would|y",
    re.IGNORECASE,
)
"""Words that follow a number in prose and are no unit; a word missing here fails a check, it
never passes one."""


def percent_after(after: str) -> int:
    """Return the length of the percent sign or word that the text begins with, else 0."""
    match = _PERCENT.match(after)
    return len(match[0]) if match else 0


def unit_after(after: str) -> tuple[str, str]:
    """Return the unit that the text begins with, and the whole clause.

    The clause is the unit where it is at most three words and none of them prose (`mm Hg`);
    else its first word is, unless that is prose (`4 because of age` has no unit).
    """
    clause = _CLAUSE.match(after)
    words = _SENTENCE_END.split(clause[0] if clause else "", maxsplit=1)[0]
    tokens = words.replace("*", " ").split()
    if not tokens or words.startswith(("-", "–", " -", " –")):  # noqa: RUF001
        return "", ""
    like_unit = [bool(_TOKEN.fullmatch(t)) and not _PROSE.fullmatch(t) for t in tokens]
    if len(tokens) <= 3 and all(like_unit):
        return " ".join(tokens), " ".join(tokens)
    return (tokens[0] if like_unit[0] else ""), " ".join(tokens)


def same_words(asked: str, clause: str) -> bool:
    """Say whether the clause begins with the unit asked for, case and spaces aside."""
    wanted = _normal(asked)
    tokens = clause.split()
    return any(_normal("".join(tokens[:count])) == wanted for count in range(1, 7))


def _normal(unit: str) -> str:
    text = unicodedata.normalize("NFKC", unit).casefold()
    text = "".join(text.split()).replace("^", "").replace("*", "").rstrip(".")
    if text in ("percent", "pct"):
        return "%"
    plural = len(text) > 3 and text.isalpha() and text.endswith("s")
    one = text[:-1] if plural else text
    return _CURRENCIES.get(one, one)


_CURRENCIES = {
    "€": "eur",
    "euro": "eur",
    "$": "usd",
    "us$": "usd",
    "dollar": "usd",
    "usdollar": "usd",
    "£": "gbp",
    "poundsterling": "gbp",
    "poundssterling": "gbp",
    "¥": "jpy",
    "yen": "jpy",
    "₹": "inr",
    "rupee": "inr",
    "franken": "chf",
    "swissfranc": "chf",
}
"""Signs and names of currencies, by their codes. A `$` alone is the United States'."""
_CODES = {*_CURRENCIES.values(), "cad", "aud", "cny", "sek", "nok", "dkk"}


def is_money(unit: str) -> bool:
    """Say whether the unit is a currency."""
    return _normal(unit) in _CODES
