"""The references kit: search and read the domain's references and worked examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.values import Example, Passage

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["Library", "reference_tools"]

MOST_CHARACTERS = 24_000
MOST_HEADINGS = 60
CITE = 'Cite word for word, as [{document}: "the words"].'

Found = tuple[str, list[str]]
"""What a tool says, and the ids of what stands in it."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """What the kit looks things up in, handed down by the SDK.

    Attributes:
        passages: Every passage, in order of documents.
        search_passages: The passages that fit a question, best first.
        search_examples: The worked examples that fit a question, best first.
    """

    passages: Callable[[], Sequence[Passage]]
    search_passages: Callable[[str], Sequence[Passage]]
    search_examples: Callable[[str], Sequence[Example]]


def reference_tools(library: Library) -> list[BaseTool]:
    """Return `search_references`, `read_reference` and `search_examples`."""
    from langchain_core.tools import StructuredTool

    def search_references(query: str) -> Found:
        """Search the references: the documents that the experts of this domain work by.

        Args:
            query: What you want to know, in a sentence or a few words.
        """
        return _passages(library.search_passages(_words(query)))

    def read_reference(document: str, where: str = "") -> Found:
        """Read a reference, or one place in it.

        Args:
            document: Its name, as `search_references` gives it.
            where: A page or heading, as `search_references` gives it; leave it out to read from
                the start.
        """
        return _reading(library.passages(), document, where)

    def search_examples(query: str) -> Found:
        """Search the worked examples: cases like yours, and how an expert answered them.

        Args:
            query: A case like the ones to be found, in a few sentences.
        """
        found = list(library.search_examples(_words(query)))
        if not found:
            return "No example is near this.", []
        return _bounded([(one.id, _example(one)) for one in found])

    return [
        StructuredTool.from_function(
            one,
            parse_docstring=True,
            response_format="content_and_artifact",
            metadata={"effect": "read", "idempotent": True, "timeout": 60},
        )
        for one in (search_references, read_reference, search_examples)
    ]


def _words(query: str) -> str:
    if not query.strip():
        raise HarnessError("The query is empty.", "Say what you want to know.")
    return query


def _passages(found: Sequence[Passage]) -> Found:
    if not found:
        return "No passage is near this.", []
    text, ids = _bounded([(one.id, _passage(one)) for one in found])
    return f"{text}\n\n{CITE.format(document=found[0].document)}", ids


def _passage(passage: Passage) -> str:
    place = f", {passage.where}" if passage.where else ""
    return f"[{passage.document}{place}]\n{passage.text}"


def _example(example: Example) -> str:
    lines = [f"[example {example.id}]", f"Input: {example.input}", f"Output: {example.output}"]
    if example.why:
        lines.append(f"Why: {example.why}")
    if example.steps:
        lines += ["Steps:", *(f"- {step}" for step in example.steps)]
    return "\n".join(lines)


def _bounded(items: Sequence[tuple[str, str]]) -> Found:
    """Join items as long as there is room; the first one is always in."""
    texts: list[str] = []
    ids: list[str] = []
    room = MOST_CHARACTERS
    for name, text in items:
        if texts and len(text) > room:
            break
        texts.append(text)
        ids.append(name)
        room -= len(text)
    return "\n\n".join(texts), ids


def _reading(passages: Sequence[Passage], document: str, where: str) -> Found:
    names = list(dict.fromkeys(one.document for one in passages))
    name = _named(names, document)
    here = [one for one in passages if one.document == name]
    wanted = " ".join(where.casefold().split())
    chosen = [one for one in here if wanted in " ".join(one.where.casefold().split())]
    if not chosen:
        places = list(dict.fromkeys(one.where for one in here if one.where))[:MOST_HEADINGS]
        raise HarnessError(f"{name} has no place {where!r}.", f"It has: {'; '.join(places)}.")
    text, ids = _bounded([(one.id, _passage(one)) for one in chosen])
    left = [one for one in chosen if one.id not in ids]
    if left:
        rest = list(dict.fromkeys(one.where for one in left if one.where))[:MOST_HEADINGS]
        text += f"\n\n[{len(left)} more passages; read them with where=: {'; '.join(rest)}]"
    return f"{text}\n\n{CITE.format(document=name)}", ids


def _named(names: Sequence[str], wanted: str) -> str:
    for name in names:
        if wanted.strip().casefold() in (name.casefold(), name.casefold().rpartition("/")[2]):
            return name
    listed = ", ".join(names[:MOST_HEADINGS]) or "none"
    raise HarnessError(f"There is no reference {wanted!r}.", f"There are: {listed}.")
