"""Where an answer is from: each quote with its passage and page, and the file it was read from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.loop.gate import quotes_in
from harness.tools.quote_marks import marked
from harness.tools.quotes import QuoteFinder

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.values import ItemReport

__all__ = ["Source", "Sources"]

_PAGE = re.compile(r"p\. (\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One place that an answer is from.

    Attributes:
        document: Name of the reference or the attached file, as the answer has it if unknown.
        where: Page, heading or sheet, in words; empty where that is not known.
        quote: The words that are said to stand there; empty where none are quoted.
        verified: They stand there. None: nothing is quoted, or no such document is here.
        text: The passage, as it was read.
        mark: The quote's first character in `text`, and the one after its last.
        page: Of a PDF, counted from 1.
    """

    document: str
    where: str = ""
    quote: str = ""
    verified: bool | None = None
    text: str = ""
    mark: tuple[int, int] | None = None
    page: int | None = None


class Sources:
    """What can be quoted: a domain's references, and the files that belong to a question.

    Args:
        domain: The domain.
        attached: What reads each attached file, by its name.
    """

    def __init__(
        self, domain: Domain, attached: Mapping[str, Callable[[], bytes]] | None = None
    ) -> None:
        self._domain = domain
        self._attached = dict(attached or {})

    @cached_property
    def _find(self) -> QuoteFinder:
        return QuoteFinder(self._domain.passages, self._attached)

    def cited(self, answer: str) -> tuple[Source, ...]:
        """Return the quotes of an answer, `[document: "words"]`, each with its passage."""
        return tuple(self.quoted(source, quote) for source, quote in quotes_in(answer))

    def quoted(self, document: str, quote: str) -> Source:
        """Return where a quote stands.

        Args:
            document: As the answer names it, with or without a place.
            quote: The words.
        """
        found = self._find(document, quote)
        if found is None:
            return Source(document=document, quote=quote)
        if not found.verified:
            return Source(document=found.document, quote=quote, verified=False)
        where, text, mark = self._passage(found.document, quote, found.where)
        return Source(
            document=found.document,
            where=where,
            quote=quote,
            verified=True,
            text=text,
            mark=mark,
            page=_page(where),
        )

    def shown(self, items: Iterable[ItemReport]) -> tuple[Source, ...]:
        """Return the passages that stood in the context, the nearest to the question first."""
        passages = {one.id: one for one in self._domain.passages}
        kept = [one for one in items if one.kind == "passage" and one.kept and one.id in passages]
        kept.sort(key=lambda one: -(one.similarity or 0.0))
        return tuple(
            Source(document=one.document, where=one.where, text=one.text, page=_page(one.where))
            for one in (passages[item.id] for item in kept)
        )

    def file(self, document: str) -> bytes:
        """Return a document as it is, to the byte.

        Raises:
            UsageError: It is not there, or can't be read.
        """
        if document in self._attached:
            return self._attached[document]()
        place = next((p.place for p in self._domain.passages if p.document == document), None)
        root = self._domain.path.resolve()
        path = root / place.file if place else root
        if place is None or not path.resolve().is_relative_to(root):
            raise UsageError(f"There is no document {document} here.", "Check the references.")
        try:
            return path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{place.file} can't be read: {error.strerror or error}.", "Check the references."
            ) from error

    def page(self, source: Source) -> bytes:
        """Return the page that a source stands on as a picture, PNG.

        Raises:
            UsageError: It is on no page of a PDF.
            DocumentError: The page can't be drawn; says why.
        """
        if source.page is None:
            raise UsageError(f"{source.document} has no pages.", "Read its text instead.")
        from harness.documents.pictures import pictures_of

        data = self.file(source.document)
        return pictures_of(source.document, data, range(source.page - 1, source.page))[0].png

    def _passage(
        self, document: str, quote: str, where: str
    ) -> tuple[str, str, tuple[int, int] | None]:
        """Return the place and text of the passage with a quote, and where in it that stands."""
        pieces = self._find.pieces(document)
        for place, text in pieces:
            if mark := marked(text, quote):
                return place, text, mark
        for (place, text), (_, following) in pairwise(pieces):
            both = f"{text}\n{following}"
            if mark := marked(both, quote):
                return place, both, mark
        return where, _first(pieces, where), None


def _first(pieces: Sequence[tuple[str, str]], where: str) -> str:
    return next((text for place, text in pieces if place == where), "")


def _page(where: str) -> int | None:
    found = _PAGE.match(where)
    return int(found[1]) if found else None
