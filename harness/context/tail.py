"""The tail of a context: what is searched, guarded and chosen for one question."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.context.choice import Choice
from harness.context.guard import Guard
from harness.context.select import choose_tail
from harness.context.stable import StablePart
from harness.context.standing import EXCLUDED
from harness.values import Group, Hits, ItemReport, Section

if TYPE_CHECKING:
    import numpy as np

    from harness.domain import Policy
    from harness.seams import Searchable

__all__ = ["Tail"]

DEPTH = 200
"""Candidates that the dense and the BM25 search each give, at the least."""
ROOMY = 1.5
"""With a large budget they give as many as this many times the items that would fit."""


class Tail:
    """Chooses passages and demonstrations for one question.

    Args:
        bank: The domain's index.
        stable: What stands in the context already.
        question: The question's text.
        guard: Keeps an eval case out of its own context.
        policy: How to choose; `none` chooses nothing.
        exclude: Ids of items that shall not be shown.
        include: Ids of items that shall be shown as far as they fit, whatever else is.
    """

    def __init__(
        self,
        bank: Searchable,
        stable: StablePart,
        question: str,
        *,
        guard: Guard | None,
        policy: Policy,
        exclude: frozenset[str],
        include: frozenset[str] = frozenset(),
    ) -> None:
        self._bank = bank
        self._stable = stable
        self._question = question
        self._guard = guard
        self._policy = policy
        self._exclude = exclude
        self._include = include
        self._held: set[int] = set()
        self._embedded: np.ndarray | None = None
        self._similarity: dict[int, float] = {}
        self._refused: dict[Section, dict[int, str]] = {}

    def choose(self, group: Group, budget: int) -> Choice:
        """Choose what to show of a group; demonstrations come in the order they stand in."""
        if self._policy == "none" or budget <= 0 or not self._bank.items:
            return Choice()
        found = self._search(group, budget)
        held = self._wished(group, budget)
        self._held.update(held)
        hits = self._allowed(group, found)
        tokens = sum(self._bank.items[row].tokens for row in held)
        choice = choose_tail(
            self._bank,
            hits,
            self._question,
            policy="everything" if self._stable.standing.whole else self._policy,
            budget=budget - tokens,
            beside=(*self._stable.shown, *held),
        )
        choice.kept = [*held, *choice.kept]
        choice.tokens += tokens
        rank = {row: at for at, row in enumerate([*held, *_ranked(hits, self._policy)])}
        worst_first = group == "demonstrations"
        choice.kept.sort(key=rank.__getitem__, reverse=worst_first)
        return choice

    def reports(self, passages: Choice, demonstrations: Choice) -> Iterator[ItemReport]:
        """Yield what became of every item that was considered, once.

        First those that stand in the context, in its order, then those that do not.
        """
        standing = self._stable.standing
        yield from self._stable.rules
        yield from self._kept("core", standing.core, "in the core")
        yield from self._kept("references", standing.references, "always stands here")
        yield from self._kept("passages", passages.kept, "near the question")
        yield from self._kept("demonstrations", demonstrations.kept, "near the question")
        dropped = dict(standing.dropped)
        choices: tuple[tuple[Group, Choice], ...] = (
            ("passages", passages),
            ("demonstrations", demonstrations),
        )
        for group, choice in choices:
            refused = self._refused.get(group, {})
            dropped |= {row: (group, why) for row, why in {**refused, **choice.dropped}.items()}
        kept = {*passages.kept, *demonstrations.kept}
        for row, (section, reason) in dropped.items():
            if row not in kept:
                yield self._report(section, row, False, reason)
        yield from standing.absent

    def likeness(self, demonstrations: Choice) -> Iterator[tuple[str, float]]:
        """Yield the id of each worked case in the context, and how like the question it is."""
        items, near = self._bank.items, self._similarity
        for row in (*self._stable.standing.core, *demonstrations.kept):
            if row in near:
                yield items[row].id, near[row]

    def _wished(self, group: Group, budget: int) -> list[int]:
        """Return the rows that the caller wants to see, as many as fit; note their likeness."""
        import numpy as np

        if not self._include:
            return []
        items = self._bank.items
        rows = [
            row
            for row, item in enumerate(items)
            if item.id in self._include
            and (item.kind == "passage") == (group == "passages")
            and row not in self._stable.shown
        ]
        refused = self._guard.refusals(self._bank, np.array(rows, int)) if self._guard else {}
        held = []
        for row in rows:
            if row not in refused and items[row].tokens <= budget:
                held.append(row)
                budget -= items[row].tokens
        self._note(np.array(held, dtype=np.int64))
        return held

    @property
    def _vector(self) -> np.ndarray:
        """The question's; embedded once."""
        # No cached_property: in Python 3.11 its lock makes all questions wait for one another.
        if self._embedded is None:
            self._embedded = self._bank.embed(self._question)
        return self._embedded

    def _note(self, rows: np.ndarray) -> np.ndarray:
        """Return, and keep for the reports, how like the question these rows are."""
        near = self._bank.similarity(rows, self._vector)
        self._similarity.update(zip(rows.tolist(), near.tolist(), strict=True))
        return near

    def _search(self, group: Group, budget: int) -> Hits:
        import numpy as np

        items = self._bank.items
        if not self._similarity:
            self._note(np.array(sorted(self._stable.shown), dtype=np.int64))
        whole = self._stable.standing.whole
        most = len(items) if whole else int(ROOMY * budget / self._stable.mean_tokens)
        depth = max(DEPTH, min(len(items), most))
        hits = self._bank.search(self._question, self._vector, group, depth)
        if whole:
            hits = self._with_others(hits, group)
        self._similarity.update(zip(hits.rows.tolist(), hits.similarity.tolist(), strict=True))
        return hits

    def _with_others(self, hits: Hits, group: Group) -> Hits:
        """Return the hits and, after them, all else of the group: the search may have missed it."""
        import numpy as np

        found = set(hits.rows.tolist())
        passages = group == "passages"
        others = np.array(
            [
                row
                for row, item in enumerate(self._bank.items)
                if row not in found and (item.kind == "passage") == passages
            ],
            dtype=np.int64,
        )
        return Hits(
            rows=np.concatenate([hits.rows, others]),
            relevance=np.concatenate([hits.relevance, np.zeros(len(others))]),
            similarity=np.concatenate([hits.similarity, self._note(others)]).astype(np.float64),
        )

    def _allowed(self, group: Group, hits: Hits) -> Hits:
        """Return the hits that may be shown; note why the others may not."""
        refused = self._guard.refusals(self._bank, hits.rows) if self._guard else {}
        refused = {row: f"guard: {reason}" for row, reason in refused.items()}
        rows = hits.rows.tolist()
        if self._exclude:
            refused |= {r: EXCLUDED for r in rows if self._bank.items[r].id in self._exclude}
        shown = self._stable.shown
        taken = shown | self._held
        allowed = [at for at, row in enumerate(rows) if row not in taken and row not in refused]
        self._refused[group] = {r: why for r, why in refused.items() if r not in shown}
        return dataclasses.replace(
            hits,
            rows=hits.rows[allowed],
            relevance=hits.relevance[allowed],
            similarity=hits.similarity[allowed],
        )

    def _kept(self, section: Section, rows: Sequence[int], reason: str) -> Iterator[ItemReport]:
        for row in rows:
            yield self._report(section, row, True, "asked for" if row in self._held else reason)

    def _report(self, section: Section, row: int, kept: bool, reason: str) -> ItemReport:
        item = self._bank.items[row]
        return ItemReport(
            id=item.id,
            kind=item.kind,
            section=section,
            tokens=item.tokens,
            similarity=self._similarity.get(row),
            kept=kept,
            reason=reason,
        )


def _ranked(hits: Hits, policy: Policy) -> list[int]:
    """Return the rows, best first: by similarity for `nearest`, else as they were found."""
    found = hits.rows
    if policy == "nearest":
        found = found[(-hits.similarity).argsort(kind="stable")]
    rows: list[int] = found.tolist()
    return rows
