"""BM25 beside the vectors: bm25s over stemmed words, in the domain's language."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.words import terms

if TYPE_CHECKING:
    import numpy as np

__all__ = ["TermIndex", "write_terms"]

MOST_TERMS = 1000
"""Distinct terms of a question that are looked up: a whole document attached is plenty."""

LANGUAGES = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hu": "hungarian", "id": "indonesian",
    "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip


def write_terms(texts: Sequence[str], folder: Path, language: str) -> None:
    """Write the BM25 index of the texts; nothing is written where no text has a word."""
    import bm25s

    corpus = [terms(text) for text in texts]
    if not any(corpus):
        return
    if stem := _stem(language):
        known = sorted({term for row in corpus for term in row})
        stems = dict(zip(known, stem(known), strict=True))
        corpus = [[stems[term] for term in row] for row in corpus]
    retriever = bm25s.BM25()
    retriever.index(corpus, show_progress=False)
    retriever.save(folder, show_progress=False)
    (folder / "language").write_text(language, "utf-8")


class TermIndex:
    """A BM25 index opened for reading."""

    def __init__(self, folder: Path) -> None:
        self._retriever: Any = None
        self._stem: Callable[[list[str]], list[str]] | None = None
        self._stemming = threading.Lock()  # a Snowball stemmer keeps state between calls
        if folder.is_dir():
            import bm25s

            self._retriever = bm25s.BM25.load(folder, show_progress=False)
            self._stem = _stem((folder / "language").read_text("utf-8"))

    def scores(self, text: str) -> np.ndarray | None:
        """Return float32 of shape (rows,); None where the text shares no word with any row."""
        terms = self._terms(text)
        if not terms:
            return None
        scores: np.ndarray = self._retriever.get_scores(terms)
        return scores

    def _terms(self, text: str) -> list[int]:
        """Return the ids of the text's terms that the index knows, each once."""
        if self._retriever is None:
            return []
        found = list(dict.fromkeys(terms(text)))
        if self._stem:
            with self._stemming:
                found = list(dict.fromkeys(self._stem(found)))
        known = self._retriever.vocab_dict
        return [known[term] for term in found if term in known][:MOST_TERMS]


def _stem(language: str) -> Callable[[list[str]], list[str]] | None:
    """Return Snowball's stemmer of a language given by code or name; None where it has none."""
    import Stemmer

    name = LANGUAGES.get(language.lower().split("-")[0], language.lower())
    if name not in Stemmer.algorithms():
        return None
    stem: Callable[[list[str]], list[str]] = Stemmer.Stemmer(name).stemWords
    return stem
