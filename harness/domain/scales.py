"""Words of scale behind a number, by language: `million`, `Mio.`, `milliards`, `mil millones`.

The same word may stand for another number in another language: a German `Billion` is an English
trillion. A word of scale that is another language's is therefore never guessed, and never left
out either: the number can't be read for certain. What is ambiguous by itself (`5 M` is also a
concentration, `300 K` a temperature) is a scale only next to a currency: `$5M`, `3,2 M€`, `T€ 5`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

__all__ = ["scale_after", "scale_before"]


def _table(written: Mapping[str, Mapping[int, str]]) -> Mapping[str, Mapping[str, int]]:
    return MappingProxyType(
        {
            language: {word: power for power, words in by_power.items() for word in words.split()}
            for language, by_power in written.items()
        }
    )


_SLAVIC = {3: "тыс тысяча тысячи тысяч", 6: "млн миллион миллиона миллионов"}
_WORDS = _table(
    {
        "en": {
            2: "hundred",
            3: "thousand thousands",
            5: "lakh lakhs",
            6: "million millions mn mln mio",
            7: "crore crores",
            9: "billion billions bn bln",
            12: "trillion trillions tn trn",
        },
        "de": {
            3: "tausend tsd",
            6: "million millionen mio mill",
            9: "milliarde milliarden mrd mia",
            12: "billion billionen bio",
            15: "billiarde billiarden",
            18: "trillion trillionen",
        },
        "fr": {
            3: "mille millier milliers",
            6: "million millions mio",
            9: "milliard milliards md mds mrd mrds",
            12: "billion billions",
            15: "billiard billiards",
            18: "trillion trillions",
        },
        "es": {
            3: "mil millar millares",
            6: "millon millones mill mio mln",
            9: "millardo millardos",
            12: "billon billones",
        },
        "it": {
            3: "mille mila migliaio migliaia",
            6: "milione milioni mln mio",
            9: "miliardo miliardi mld mrd",
        },
        "nl": {
            3: "duizend dzd",
            6: "miljoen miljoenen mln mio",
            9: "miljard miljarden mld mrd",
            12: "biljoen biljoenen bln",
        },
        "pt": {
            3: "mil milhar milhares",
            6: "milhao milhoes mi",
            9: "bilhao bilhoes bi",
            12: "trilhao trilhoes tri biliao bilioes",
        },
        "sv": {
            3: "tusen",
            6: "miljon miljoner milj mn",
            9: "miljard miljarder mdr mrd",
            12: "biljon biljoner",
        },
        "da": {
            3: "tusind",
            6: "million millioner mio",
            9: "milliard milliarder mia mrd",
            12: "billion billioner",
        },
        "nb": {
            3: "tusen",
            6: "million millioner mill mio",
            9: "milliard milliarder mrd",
            12: "billion billioner",
        },
        "fi": {
            3: "tuhat tuhatta",
            6: "miljoona miljoonaa milj",
            9: "miljardi miljardia mrd",
        },
        "pl": {
            3: "tys tysiac tysiace tysiecy",
            6: "mln milion miliony milionow",
            9: "mld miliard miliardy miliardow",
            12: "bln bilion biliony bilionow",
        },
        "cs": {
            3: "tis tisic tisice",
            6: "mil mio milion miliony milionu",
            9: "mld miliarda miliardy miliard",
        },
        "tr": {3: "bin", 6: "milyon mn", 9: "milyar", 12: "trilyon"},
        "ru": {
            **_SLAVIC,
            9: "млрд миллиард миллиарда миллиардов",
            12: "трлн триллион триллиона триллионов",
        },
        "uk": {
            3: "тис тисяча тисячі тисяч",
            6: "млн мільион мільиони мільионів",
            9: "млрд мільярд мільярди мільярдів",
        },
    }
)
"""Powers of ten of the words of each language, as `_folded` has them. What a language uses for two
numbers is not among its own (Italian `bilione`)."""

_SHORT = MappingProxyType(
    {
        "en": {"k": 3, "K": 3, "m": 6, "M": 6, "mm": 6, "MM": 6, "b": 9, "B": 9, "t": 12, "T": 12},
        "de": {"k": 3, "K": 3, "T": 3, "M": 6},
        "fr": {"k": 3, "K": 3, "M": 6, "Md": 9, "Mds": 9},
        "es": {"k": 3, "K": 3, "M": 6, "MM": 6},
    }
)
_SHORT_ANYWHERE = MappingProxyType({"k": 3, "K": 3, "M": 6})
"""Letters that are a scale next to a currency."""

_EVERY = {word for words in _WORDS.values() for word in words} | {"bilione", "bilioni", "trilioni"}
_SURE = ("bn", "tsd", "mio", "mrd", "mld", "mln", "bln", "trn", "tys", "тыс", "тис", "млн")
_FOREIGN = {word for word in _EVERY if len(word) > 3} | set(_SURE)
"""Words that mean a scale wherever they stand; shorter ones are units or words elsewhere."""
_ONLY_WITH_POINT = {"bio", "mi", "bi", "tri"}
"""Those that need a point or a currency: `3 Bio-Äpfel`, `3 mi`."""
_WHOLE = {word for word in _EVERY if len(word) > 4} | {"mil", "mila", "lakh"}
"""Words that are no abbreviation: a point behind them ends the sentence."""
_THOUSANDS = re.compile(r"k(?![\w²³/^·*])")
_DOUBTFUL = {"m", "mm", "b", "t", "md", "mds", "g"}

_CODES = "EUR|USD|GBP|CHF|JPY|CAD|AUD|INR|CNY|SEK|NOK|DKK"
_MONEY = rf"(?:(?:US|R|C|CA|A|AU|HK|NZ|S)?\$|[€£¥₹]|(?:{_CODES})\b)"
_WORD = re.compile(r"\s?([^\W\d_]+)(\.(?!\w))?")
_NEXT_TO_MONEY = re.compile(rf"\s?([^\W\d_]{{1,4}}?)(\.?)\s?(?={_MONEY})")
_LETTERS = re.compile(r"\s?([^\W\d_]{1,3})(?![\w²³^·*'’])(?:\.(?!\w))?")  # noqa: RUF001
_OF = re.compile(r"\s?(?:d['’]\s?|d[ei]\s)")  # noqa: RUF001
_BEFORE = re.compile(rf"(?<![^\W_])([^\W\d_]+?)(\.?)(\s?){_MONEY}\s?$")
_SHORT_BEFORE = {"k", "K", "T", "M", "Md"}
_EAST_ASIAN = re.compile(r"\s?(百万|千万|[万萬億亿兆만억])")
_MYRIADS = {"百万": 6, "千万": 7, "万": 4, "萬": 4, "만": 4, "億": 8, "亿": 8, "억": 8, "兆": 12}
_ROMANCE = ("fr", "es", "it", "pt")


def scale_after(after: str, *, locale: str, money: bool) -> tuple[Decimal | None, int]:
    """Return the factor of the words of scale that a text begins with, and their length.

    Args:
        after: What stands behind the digits.
        locale: Language tag.
        money: A currency stands before the digits.

    Returns:
        1 and 0 where there is no scale; None for one that can't be told for certain.
    """
    language = _language(locale)
    power, end = 0, 0
    for _ in range(2):  # `mil millones`
        found = _one_after(after[end:], language, money and not end)
        if found is None:
            break
        if found[0] is None:
            return None, end + found[1]
        power, end = power + found[0], end + found[1]
    if end and language in _ROMANCE and (of := _OF.match(after[end:])):
        end += len(of[0])
    return Decimal(10) ** power, end


def scale_before(before: str, locale: str) -> Decimal | None:
    """Return the factor of a scale at the end of a text, before its currency: `Mio. €`, `TEUR`.

    Args:
        before: What stands before the digits, the currency included.
        locale: Language tag.

    Returns:
        1 where there is none; None for one that can't be told for certain.
    """
    match = _BEFORE.search(before[-24:])
    if not match:
        return Decimal(1)
    word, _, gap = match.groups()
    if len(word) < 3 and (gap or word not in _SHORT_BEFORE):  # `10 m $5`
        return Decimal(1)
    power = _power(word, _language(locale), money=True, point=True)
    return Decimal(10) ** power if power is not None else None


def _one_after(after: str, language: str, money: bool) -> tuple[int | None, int] | None:
    """Return the power and the length of one scale; no power where it is doubtful."""
    for pattern, beside in ((_NEXT_TO_MONEY, True), (_LETTERS, money)):
        match = pattern.match(after)
        if match and beside:
            point = match.re is _NEXT_TO_MONEY
            power = _power(match[1], language, money=True, point=point)
            if power != 0:
                return power, match.end()
    if match := _EAST_ASIAN.match(after):
        known = language in ("ja", "zh", "ko") and (match[1] != "兆" or language == "ja")
        return (_MYRIADS[match[1]] if known else None), match.end()
    match = _WORD.match(after)
    if not match:
        return None
    power = _power(match[1], language, money=False, point=bool(match[2]))
    if _THOUSANDS.match(after):
        power = 3
    if power == 0:
        return None
    return power, match.end(1) if _folded(match[1]) in _WHOLE else match.end()


def _power(word: str, language: str, *, money: bool, point: bool) -> int | None:
    """Return the power of ten that a word stands for, 0 for none; None where it is in doubt."""
    if money:
        short = _SHORT.get(language, _SHORT_ANYWHERE).get(word)
        if short is not None:
            return short
    folded = _folded(word)
    power = _WORDS.get(language, {}).get(folded)
    if power is not None and (point or money or folded not in _ONLY_WITH_POINT):
        return power
    doubtful = folded in _FOREIGN or (money and folded in _DOUBTFUL)
    return None if doubtful else 0


def _language(locale: str) -> str:
    language = locale.replace("_", "-").casefold().partition("-")[0]
    return {"no": "nb", "nn": "nb", "sk": "cs"}.get(language, language)


def _folded(word: str) -> str:
    """Return the word in lower case without accents: `millón` is also typed `millon`."""
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char)).replace("ł", "l")
