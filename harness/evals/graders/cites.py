"""`cites`: what the answer quotes stands in the sources, word for word.

    - id: coverage-4
      input: Is water damage from a burst pipe covered?
      checks:
        - cites                                      # at least one quote, and each is real
        - cites: policy-wording.md                   # one of them from this document
        - cites: {source: policy-wording.md, at_least: 2}
        - cites: {quotes: ["sudden and unforeseen escape of water"]}   # this passage is quoted

Quotes are what stands between quotation marks (three words or more), in Markdown block quotes,
and after `quote` in JSON. Sources are the domain's references and the case's files. White space,
case, hyphens at line ends and the kind of quotation marks do not count; `…` or `[...]` leaves
words out. A quote begins and ends where a word does. The score is the share of the quotes that are
real.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from harness.domain.check_specs import CitesSpec, spec_of
from harness.domain.formats import AnswerSettings
from harness.domain.json_answers import read_json
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, Grader, shown, unread
from harness.values import Check, EvalCase
from harness.words.whole import find_whole

__all__ = ["cites_grader", "quotes_in", "where_quoted"]

FEWEST_WORDS = 3
"""Words of a quotation; shorter ones are terms in quotation marks."""

_MARKED = re.compile(
    r"“([^“”]{1,4000})”|„([^„“”]{1,4000})[“”]|«([^«»]{1,4000})»|\"([^\"]{1,4000})\""
)
_BLOCK = re.compile(r"(?m)^[ \t]*>[ \t]?(.*)$")
_LEFT_OUT = re.compile(r"\s*(?:\[\s*(?:…|\.\.\.)\s*\]|…|\.\.\.)\s*")
_SIGNS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'"})  # noqa: RUF001
_HYPHENS = re.compile(r"[-\u00ad\u2010\u2011]\s*")


def cites_grader(documents: Mapping[str, str]) -> Grader:
    """Return the grader over a domain's references.

    Args:
        documents: Text of each reference, by its name.
    """
    folded = {name: _plain(text) for name, text in documents.items()}

    def cites(check: Check, answer: str, case: EvalCase, _settings: AnswerSettings) -> Grade:
        try:
            spec = _spec(check.spec)
        except ValueError as error:
            return unread(check, str(error))
        sources = folded | {name: _plain(text) for name, text in case.attached}
        if spec.source is not None and not _named(spec.source, sources):
            return unread(check, f"there is no document {shown(spec.source)}")
        return _graded(spec, answer, sources)

    return cites


def quotes_in(answer: str) -> list[str]:
    """Return what the answer quotes, in its order."""
    value, problem = read_json(answer)
    if not problem and isinstance(value, dict | list):
        return list(_json_quotes(value))
    blocks, block = [], ""
    for line in [*answer.split("\n"), ""]:
        match = _BLOCK.match(line)
        if match:
            block += f" {match[1]}"
        elif block:
            blocks.append(block.strip().strip('"“”„'))
            block = ""
    rest = _BLOCK.sub("", answer)
    marked = [next(part for part in match.groups() if part) for match in _MARKED.finditer(rest)]
    return [text for text in [*marked, *blocks] if len(text.split()) >= FEWEST_WORDS]


def where_quoted(answer: str, sources: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (quote, name of its source) for each quote of the answer that is real.

    Args:
        answer: The answer.
        sources: Texts by name.
    """
    quotes = quotes_in(answer)
    if not quotes:
        return []
    folded = {name: _plain(text) for name, text in sources.items()}
    found = []
    for quote in quotes:
        where = next((name for name, text in folded.items() if _stands(quote, text)), None)
        if where is not None:
            found.append((quote, where))
    return found


def _json_quotes(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _json_quotes(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in ("quote", "quotes", "citation", "citations"):
                listed = inner if isinstance(inner, list) else [inner]
                yield from (text for text in listed if isinstance(text, str))
                yield from _json_quotes([one for one in listed if isinstance(one, dict)])
            else:
                yield from _json_quotes(inner)


def _graded(spec: CitesSpec, answer: str, sources: Mapping[str, _Text]) -> Grade:
    quotes = quotes_in(answer)
    real = [quote for quote in quotes if any(_stands(quote, text) for text in sources.values())]
    share = len(real) / len(quotes) if quotes else 0.0
    wrong = [f"{shown(quote)} stands in no source" for quote in quotes if quote not in real]
    if spec.source is not None:
        texts = _named(spec.source, sources)
        here = [quote for quote in real if any(_stands(quote, text) for text in texts)]
    else:
        here = real
    if len(here) < spec.at_least:
        of = f" from {spec.source}" if spec.source else ""
        wrong.append(f"{len(here)} real quotes{of} where {spec.at_least} are asked for")
    said = [_plain(quote) for quote in quotes]
    wrong += [
        f"{shown(asked)} is not quoted"
        for asked in spec.quotes
        if not any(_stands(asked, quote) for quote in said)
    ]
    if not wrong:
        return Grade(met=True, score=1.0)
    return Grade(met=False, score=share if quotes != real else share * 0.5, why="; ".join(wrong))


def _spec(written: Any) -> CitesSpec:
    if written is None:
        return CitesSpec()
    if isinstance(written, str):
        return CitesSpec(source=written)
    if isinstance(written, tuple | list):
        return CitesSpec(quotes=tuple(written))
    return spec_of(CitesSpec, written)


def _named(name: str, sources: Mapping[str, _Text]) -> list[_Text]:
    """Return the texts of the documents that go by a name, with or without folder and ending."""
    wanted = name.removeprefix("references/").casefold()
    names = {
        known: {known.casefold(), tail.casefold(), tail.rpartition(".")[0].casefold() or tail}
        for known in sources
        for tail in [known.rpartition("/")[2]]
    }
    return [sources[known] for known, forms in names.items() if wanted in forms]


def _stands(quote: str, source: _Text) -> bool:
    """Say whether the quote's parts stand in the source, one after the other, as whole words."""
    at = 0
    for part in _LEFT_OUT.split(quote):
        words = _plain(part).plain.strip(" \"'.,;:")
        if not words:
            continue
        at = find_whole(words, source.plain, at, source.edges)
        if at < 0:
            return False
        at += len(words)
    return at > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Text:
    """A text as it is compared.

    Attributes:
        plain: Without any hyphen: one at the end of a line can't be told from one that is meant.
        edges: Where in it a hyphen stood that parts no word at the end of a line.
    """

    plain: str
    edges: frozenset[int]


def _plain(text: str) -> _Text:
    hyphened = _HYPHENS.sub(_hyphen, text.translate(_SIGNS).replace("\0", " "))
    pieces = fold(hyphened).casefold().split("\0")
    edges = frozenset(accumulate(len(piece) for piece in pieces[:-1]))
    return _Text(plain="".join(pieces), edges=edges)


def _hyphen(match: re.Match[str]) -> str:
    return "" if "\n" in match[0] or match[0].startswith("\u00ad") else "\0"
