"""What is like an example: the nearest ones, near-duplicates, and labels that are almost others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.domain.problems import did_you_mean
from harness.values import Example, Problem
from harness.words import TwinIndex, WordTable, jaccard, words

if TYPE_CHECKING:
    from harness.bank import Bank
    from harness.domain import Domain

__all__ = ["Alike", "alike", "near_label", "twin_pairs"]


@dataclass(frozen=True, kw_only=True)
class Alike:
    """An example that is like another text.

    Attributes:
        example: It.
        similarity: Cosine of the embeddings; None for one that is not indexed, as a draft.
        shared: Words in common over all words, 0 to 1.
        twin: It is a near-duplicate.
    """

    example: Example
    similarity: float | None
    shared: float
    twin: bool


def alike(
    bank: Bank | None, examples: Iterable[Example], text: str, *, most: int, but: str = ""
) -> list[Alike]:
    """Return the examples most like a text: near-duplicates first, then by meaning and words.

    Args:
        bank: The indexed ones; None where there is no index now.
        examples: All of them.
        text: What they are held against.
        most: How many.
        but: Id of one to leave out.
    """
    by_id = {one.id: one for one in examples if one.id != but}
    if not text.strip():
        return []
    near: dict[str, float | None] = {}
    if bank is not None:
        hits = bank.search(text, bank.embed(text), "demonstrations", 50)
        for row, cosine in zip(hits.rows, hits.similarity, strict=True):
            item = bank.items[int(row)]
            if item.kind == "example" and item.id in by_id:
                near[item.id] = float(cosine)
    said = words(text)
    index = TwinIndex(one.input for one in by_id.values())
    names = list(by_id)
    twins = {names[row] for row in index.twins(said)}
    found = [
        Alike(
            example=by_id[name],
            similarity=near.get(name),
            shared=jaccard(said, words(by_id[name].input)),
            twin=name in twins,
        )
        for name in dict.fromkeys([*twins, *near])
    ]
    if bank is None:
        others = sorted(by_id.values(), key=lambda one: -jaccard(said, words(one.input)))[:most]
        found = [_by_words(one, said, twins) for one in others]
    found.sort(key=lambda one: (not one.twin, -(one.similarity or one.shared), one.example.id))
    return found[:most]


def _by_words(example: Example, said: frozenset[str], twins: set[str]) -> Alike:
    shared = jaccard(said, words(example.input))
    return Alike(example=example, similarity=None, shared=shared, twin=example.id in twins)


def twin_pairs(examples: Sequence[Example]) -> list[tuple[Example, Example]]:
    """Return the pairs of near-duplicates among examples."""
    if len(examples) < 2:
        return []
    table = WordTable.of([one.text for one in examples])
    return [(examples[one], examples[other]) for one, other in table.pairs.tolist()]


def near_label(domain: Domain, example: Example) -> Problem | None:
    """Return a warning where an example's label is new to the domain, with the one it resembles."""
    if domain.settings.answer.kind != "label" or not domain.labels:
        return None
    if example.output in (*domain.labels, domain.settings.answer.abstain):
        return None
    mean = did_you_mean(example.output, domain.labels)
    says = f"No example has the label `{example.output[:80]}` so far.{mean}"
    return Problem(place=example.place, code="unknown-label", message=says, severity="warning")
