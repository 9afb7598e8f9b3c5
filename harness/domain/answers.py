"""A model's words read as the value that the domain asks for: a label, a number, JSON.

Where the words leave a doubt (two labels, a range, JSON that breaks its schema) there is no
value, and a problem in plain words says why.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.domain.json_answers import read_json
from harness.domain.markers import after_markers, fold, lines_of, plain
from harness.domain.numbers import number_or_problem
from harness.words.blank import is_blank

if TYPE_CHECKING:
    from harness.domain.formats import AnswerKind

__all__ = ["ReadAnswer", "match_label", "read_answer", "same_wording"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadAnswer:
    """What an answer says.

    Attributes:
        value: A label as the domain writes it, a Decimal, or what the JSON says. None for
            plain text, for an abstention, and where `problem` says why.
        unit: Unit of a number: as the domain names it, where the answer names that one or
            none; else as the answer names it.
        abstained: The answer is the domain's text for "I can't tell".
        problem: Why no value could be read, in plain words; "" where all is well.
    """

    value: Any = None
    unit: str = ""
    abstained: bool = False
    problem: str = ""


def read_answer(
    text: str,
    *,
    kind: AnswerKind,
    labels: Sequence[str] = (),
    unit: str | None = None,
    schema: Mapping[str, Any] | None = None,
    abstain: str | None = None,
    locale: str = "en",
) -> ReadAnswer:
    """Read the value out of a whole answer.

    An abstention is `abstain` and nothing else, case, punctuation and Markdown aside, or that
    text after `Answer:`.

    Args:
        text: The model's words.
        kind: What the domain's answers are.
        labels: Every label there is; without any, an answer of one line is the label itself.
        unit: The number's unit, as the domain names it.
        schema: JSON Schema that the JSON has to fit.
        abstain: The domain's text for "I can't tell".
        locale: Language tag that says which mark is the decimal one.
    """
    if is_blank(text):
        return ReadAnswer(problem="the answer is empty")
    if abstain is not None and _abstains(text, abstain):
        return ReadAnswer(abstained=True)
    match kind:
        case "label":
            return _read_label(text, labels, abstain)
        case "number":
            return _read_number(text, unit, locale)
        case "json":
            return _read_json(text, schema)
        case "text":
            return ReadAnswer()


def _abstains(text: str, abstain: str) -> bool:
    if same_wording(text, abstain):
        return True
    announced = after_markers(plain(text), "answer", "label")
    return bool(announced) and all(same_wording(value, abstain) for value in announced)


def _read_json(text: str, schema: Mapping[str, Any] | None) -> ReadAnswer:
    try:
        value, problem = read_json(text, schema=schema)
    except ValueError as error:
        return ReadAnswer(problem=str(error))
    return ReadAnswer(value=value, problem=problem)


def _read_number(text: str, unit: str | None, locale: str) -> ReadAnswer:
    quantity, problem = number_or_problem(text, locale=locale)
    if quantity is None:
        return ReadAnswer(problem=problem)
    as_asked = unit is not None and quantity.is_in(unit) is not False
    return ReadAnswer(value=quantity.value, unit=unit if unit and as_asked else quantity.unit)


# --- labels -----------------------------------------------------------------------------------

_QUOTES = "\\s\"'“”‘’«»„`*_{}\\[\\]().,:;"  # noqa: RUF001
_WRAPPING = re.compile(rf"^(?:[{_QUOTES}]|[#>-]+\s)+|[{_QUOTES}!]+$")
_MARKERS = ("label", "answer", "category", "class", "classification", "intent", "type")


def _read_label(text: str, labels: Sequence[str], abstain: str | None) -> ReadAnswer:
    """Read the one known label that stands alone: as a whole line or after a marker."""
    body = plain(text)
    lines = lines_of(body)
    places = [text, *after_markers(body, *_MARKERS), *lines[:1], *lines[-1:]]
    if not labels:
        return _read_unknown_label(places[1:-2], lines)
    known = (*labels, abstain) if abstain is not None else tuple(labels)
    found: list[str] = []
    for place in places:
        alike = match_label(place, known)
        if len(alike) > 1:
            return ReadAnswer(problem=f"“{fold(place)}” could mean {_listed(alike)}")
        found += alike
    different = tuple(dict.fromkeys(found))
    if len(different) > 1:
        return ReadAnswer(problem=f"it names more than one label: {_listed(different)}")
    if not different:
        shown = fold(text)
        shown = shown if len(shown) <= 80 else shown[:80] + " …"
        return ReadAnswer(problem=f"no known label stands alone in “{shown}”")
    if different[0] == abstain:
        return ReadAnswer(abstained=True)
    return ReadAnswer(value=different[0])


def _read_unknown_label(announced: list[str], lines: list[str]) -> ReadAnswer:
    """Read a label where none are known: what is announced, or the only line."""
    different = dict.fromkeys(fold(value) for value in announced or lines)
    if len(different) == 1:
        return ReadAnswer(value=next(iter(different)))
    return ReadAnswer(problem="the answer is not one line that could be a label")


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(f"“{label}”" for label in labels[:5])
    return shown + (" …" if len(labels) > 5 else "")


def match_label(text: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that the text, as a whole, can mean: none, one, or several alike.

    Tried in turn, and the first that gives any decides: the exact text; the same with quotes,
    Markdown and case aside; the same with all punctuation aside.
    """
    labels = tuple(labels)
    longest = max(map(len, labels), default=0)
    if len(text) > 4 * longest + 200:  # spares a long answer the folding
        return ()
    for level, form in enumerate(_FORMS):
        found = _index(labels, level).get(form(text), ())
        if found:
            return found
    return ()


def same_wording(one: str, other: str) -> bool:
    """Say whether two texts are the same, case, punctuation and Markdown aside."""
    return bool(match_label(one, (other,)))


def _unwrapped(text: str) -> str:
    return fold(_WRAPPING.sub("", plain(text))).casefold()


def _letters(text: str) -> str:
    """Return letters, digits and signs with case folded, all else as single spaces.

    The hyphen of `A-` and of `-1` is a minus, a sign like the plus of `A+`.
    """
    text = unicodedata.normalize("NFKC", plain(text)).casefold().strip()
    text = re.sub(r"[-‐‑–]$|^[-‐‑–](?=[0-9])", "−", text)  # noqa: RUF001
    kept = (char if unicodedata.category(char)[0] in "LNMS" else " " for char in text)
    return " ".join("".join(kept).split())


_FORMS = (fold, _unwrapped, _letters)


@lru_cache(maxsize=64)
def _index(labels: tuple[str, ...], level: int) -> Mapping[str, tuple[str, ...]]:
    """Return the labels by their form, as all answers of a domain are held against them."""
    index: dict[str, tuple[str, ...]] = {}
    for label in labels:
        form = _FORMS[level](label)
        if form:
            index[form] = (*index.get(form, ()), label)
    return index
