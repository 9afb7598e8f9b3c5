"""Quotes in an answer, looked up in the document that they are said to come from.

A quote has to stand there word for word; only what typesetting changes does not count: blanks
and line breaks, the form of quotation marks, hyphens and dashes, ligatures, words parted at the
end of a line. It begins and ends where a word of the document does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.documents.reading import open_document
from harness.errors import HarnessError
from harness.journal.parts import Citation
from harness.values import Passage
from harness.words.whole import find_whole

__all__ = ["PARTED", "SAME", "QuoteFinder", "normal"]

_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u00b4`\u2039\u203a"
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
SAME = {
    **dict.fromkeys(map(ord, _SINGLE), "'"),
    **dict.fromkeys(map(ord, _DOUBLE), '"'),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF], ""),
}
"""What typesetting changes, sign by sign."""
PARTED = re.compile(r"(?<=\w)-\s*\n\s*(?=[^\W\d_])")
"""Where a line's end parts a word."""
_PLACE = re.compile(r"[\s,;:#>§(]")


def normal(text: str) -> str:
    """Return a text without what typesetting changes."""
    same = unicodedata.normalize("NFKC", text.translate(SAME)).translate(SAME)
    return " ".join(same.split())


def _forms(text: str) -> tuple[str, ...]:
    """Return a text as it can be quoted: also with words joined that a line's end parted."""
    parted = (PARTED.sub("", text), PARTED.sub("-", text)) if PARTED.search(text) else ()
    return tuple(map(normal, (text, *parted)))


@dataclass(frozen=True, slots=True)
class _Source:
    """A document that can be quoted: its passages, each with the place that it is from."""

    places: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    whole: tuple[str, ...]

    @classmethod
    def of(cls, pieces: Iterable[tuple[str, str]]) -> _Source:
        every = list(pieces)
        return cls(
            places=tuple(where for where, _ in every),
            texts=tuple(_forms(text) for _, text in every),
            whole=_forms("\n".join(text for _, text in every)),
        )

    def find(self, quote: str) -> str | None:
        """Return the place where a quote stands; None where it does not."""
        for place, forms in zip(self.places, self.texts, strict=True):
            if any(find_whole(quote, text) >= 0 for text in forms):
                return place
        if any(
            find_whole(quote, text) >= 0 for text in self.whole
        ):  # over the edge of two passages
            return self._start(quote)
        return None

    def _start(self, quote: str) -> str:
        """Return the place of the passage that ends with the first words of the quote."""
        words = quote.split()
        for count in range(len(words) - 1, 0, -1):
            head = " ".join(words[:count])
            for place, forms in zip(self.places, self.texts, strict=True):
                if any(text.endswith(head) for text in forms):
                    return place
        return ""


class QuoteFinder:
    """Finds quotes in the domain's references and in attached files.

    Args:
        passages: Of the domain's references.
        attached: Reads an attached file by its name; not what the run wrote itself.
    """

    def __init__(
        self,
        passages: Sequence[Passage] = (),
        attached: Mapping[str, Callable[[], bytes]] | None = None,
    ) -> None:
        self._passages: dict[str, list[Passage]] = {}
        for one in passages:
            self._passages.setdefault(one.document, []).append(one)
        self._attached = dict(attached or {})
        self._sources: dict[str, _Source] = {}

    @property
    def documents(self) -> tuple[str, ...]:
        """The names of what can be quoted."""
        return tuple(dict.fromkeys([*self._attached, *self._passages]))

    def __call__(self, source: str, quote: str) -> Citation | None:
        """Look a quote up.

        Args:
            source: A document's name, a place after it if need be: `terms.pdf, p. 3`.
            quote: The words that are said to stand there.

        Returns:
            The citation, verified if the words stand in that document; None where there is no
            such document.
        """
        name = self._named(source)
        if name is None:
            return None
        wanted = normal(quote)
        place = self._source(name).find(wanted) if re.search(r"\w", wanted) else None
        return Citation(document=name, quote=quote, where=place or "", verified=place is not None)

    def pieces(self, document: str) -> list[tuple[str, str]]:
        """Return the text of a document piece by piece, each with its page or heading before it.

        Args:
            document: As a citation names it; one that is not there has no pieces.
        """
        if document in self._attached:
            return self._attached_pieces(document)
        return [(one.where, one.text) for one in self._passages.get(document, ())]

    def _named(self, source: str) -> str | None:
        """Return the document that a source names, with or without its folder and a place."""
        wanted = normal(source).casefold()
        best: tuple[int, str] | None = None
        for document in self.documents:
            whole = normal(document).casefold()
            base = whole.rpartition("/")[2]
            for form in (whole, base, base.rpartition(".")[0] or base):
                fits = wanted == form or (
                    wanted.startswith(form) and _PLACE.match(wanted[len(form) :])
                )
                if fits and (best is None or len(form) > best[0]):
                    best = (len(form), document)
        return best[1] if best else None

    def _source(self, name: str) -> _Source:
        if name not in self._sources:
            self._sources[name] = _Source.of(self.pieces(name))
        return self._sources[name]

    def _attached_pieces(self, name: str) -> list[tuple[str, str]]:
        """Return the parts of a file with their places, as `read_document` gives them."""
        try:
            document = open_document(name, self._attached[name]())
            parts = [document.part(number) for number in range(len(document))]
        except HarnessError:
            return []  # what can't be read can't be quoted: the quote stays unverified
        return [(one.where, one.text) for one in parts]
