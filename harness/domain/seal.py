"""Sealed cases: what a folder says of them without giving them away, and how they are read.

`evals/sealed/SEAL.json` stands beside the encrypted cases. It has their hash, so that anyone can
check that they were not changed, and for each case keyed fingerprints of its text, its words and
its source: with them twins and siblings are kept out of the stable context without opening
anything. The key of the fingerprints stands in the same file. It keeps ready-made tables of
words from being used, and word prints are cut to 24 bits, so that many words share one; who
guesses a whole case can still confirm the guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.domain.attached import attach
from harness.domain.files import walk
from harness.domain.formats import AnswerSettings, CaseItem
from harness.domain.itemfiles import ENDINGS, entries_of
from harness.domain.items import read_cases
from harness.domain.markers import fold
from harness.values import EvalCase, Place, Problem
from harness.words import TWIN_AT, jaccard, words

__all__ = [
    "CIPHER",
    "SEALED",
    "SEAL_FILE",
    "Prints",
    "Seal",
    "plain_hash",
    "prints_of",
    "read_prints",
    "read_seal",
    "read_sealed",
]

SEALED = "evals/sealed"
SEAL_FILE = "SEAL.json"
CIPHER = "cases.sealed"
"""The encrypted cases, beside it."""

WORD_DIGITS = 6
"""Hex digits of a word's print: 24 bits."""


class CasePrints(BaseModel):
    """The fingerprints of one case: hex digits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    words: tuple[str, ...]
    source: str = ""


class Seal(BaseModel):
    """All of SEAL.json.

    Attributes:
        format: Of the file.
        file: Name of the encrypted file beside it.
        sha256: Of the cases' files before they were encrypted, names and bytes.
        cases: How many there are.
        sealed_at: ISO 8601.
        key_id: First digits of the key's hash, to tell keys apart.
        print_key: Of the fingerprints, hex digits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    file: str
    sha256: str
    cases: int
    sealed_at: str
    key_id: str
    print_key: str
    prints: tuple[CasePrints, ...]


@dataclass(frozen=True, kw_only=True)
class Prints:
    """The fingerprints of a folder's sealed cases, to hold other texts against."""

    key: bytes
    cases: tuple[CasePrints, ...]
    _words: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def related(self, text: str, sources: Iterable[str | None] = ()) -> str:
        """Return why an item may not stand where sealed cases are answered; "" if it may.

        Args:
            text: The item's input.
            sources: Names that its source goes by.
        """
        named = {_print(self.key, f"source {name}") for name in map(_source, sources) if name}
        if any(case.source and case.source in named for case in self.cases):
            return "same source as a sealed case"
        whole = _print(self.key, f"text {fold(text).casefold()}")
        own = frozenset(self._word(word) for word in words(text))
        for case in self.cases:
            if case.text == whole or jaccard(own, frozenset(case.words)) >= TWIN_AT:
                return "near-duplicate of a sealed case"
        return ""

    def _word(self, word: str) -> str:
        if word not in self._words:
            self._words[word] = _print(self.key, f"word {word}")[:WORD_DIGITS]
        return self._words[word]


def prints_of(cases: Iterable[EvalCase]) -> Prints:
    """Return fingerprints of cases under a new key."""
    key = secrets.token_bytes(32)
    found = [
        CasePrints(
            text=_print(key, f"text {fold(case.text).casefold()}"),
            words=tuple(
                sorted({_print(key, f"word {word}")[:WORD_DIGITS] for word in words(case.text)})
            ),
            source=_print(key, f"source {_source(case.source)}") if _source(case.source) else "",
        )
        for case in cases
    ]
    return Prints(key=key, cases=tuple(sorted(found, key=lambda one: one.text)))


def read_prints(root: Path) -> tuple[Prints | None, list[Problem]]:
    """Return the fingerprints in a folder, and what is wrong with them."""
    try:
        seal = read_seal(root)
    except ValueError as error:
        place = Place(file=f"{SEALED}/{SEAL_FILE}")
        return None, [Problem(place=place, code="damaged", message=str(error))]
    if seal is None:
        return None, []
    return Prints(key=bytes.fromhex(seal.print_key), cases=seal.prints), []


def read_seal(root: Path) -> Seal | None:
    """Return what a folder says of its sealed cases; None where it has none.

    Raises:
        ValueError: It can't be read, or is not all there; says so in plain words.
    """
    path = root / SEALED / SEAL_FILE
    # os.path: no error where a folder may not be read
    if not os.path.isfile(path):  # noqa: PTH113
        if os.path.isfile(root / SEALED / CIPHER):  # noqa: PTH113
            raise ValueError(
                f"`{SEALED}/{CIPHER}` stands without its {SEAL_FILE}, so that nothing can be kept"
                " away from the sealed cases. Restore it."
            )
        return None
    try:
        seal = Seal.model_validate_json(path.read_bytes())
        bytes.fromhex(seal.print_key)
    except (OSError, ValueError) as error:
        says = f"`{SEALED}/{SEAL_FILE}` can't be read ({type(error).__name__}). Restore it."
        raise ValueError(says) from error
    if len(seal.prints) != seal.cases:
        raise ValueError(
            f"`{SEALED}/{SEAL_FILE}` has fingerprints of {len(seal.prints)} cases, and"
            f" {seal.cases} are sealed: it was changed. Restore it."
        )
    return seal


def read_sealed(
    root: Path, answer: AnswerSettings, cache: Path | None = None
) -> tuple[list[EvalCase], list[Problem]]:
    """Read the cases that stand unencrypted in `evals/sealed/`.

    Args:
        root: The domain folder, or one that its cases were decrypted into.
        answer: The domain's answers.
        cache: As for `read_domain`.
    """
    cases: list[EvalCase] = []
    problems: list[Problem] = []
    if not os.path.isdir(root / SEALED):  # noqa: PTH112 -- as in `read_prints`
        return [], []
    for file in walk(root, SEALED, deep=False):
        if file.path.suffix.lower() in ENDINGS:
            found, wrong = read_cases(entries_of(file, root, CaseItem, problems), answer, "sealed")
            cases += found
            problems += wrong
    cases, wrong_files = attach(cases, root, cache)
    return cases, [*problems, *wrong_files]


def plain_hash(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over names and bytes of files."""
    said = [[name, hashlib.sha256(content).hexdigest()] for name, content in sorted(files.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _print(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _source(name: str | None) -> str:
    return (name or "").strip().casefold()
