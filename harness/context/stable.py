"""The stable part of a context: the same bytes for every question of a domain version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.context.core import choose, fixed_order
from harness.context.guard import eval_relatives
from harness.context.render import instructions, render_rule
from harness.context.room import Room
from harness.values import ItemReport, Section

if TYPE_CHECKING:
    from harness.domain import Domain, Policy, SectionSize
    from harness.seams import Counter, Searchable

__all__ = ["Foundation", "StablePart"]


@dataclass(frozen=True, kw_only=True)
class StablePart:
    """The stable part, with the room that is left below it.

    Attributes:
        text: Instructions, rules, core and references, as sent.
        sha256: Of the text.
        room: What is left of the budget.
        by_section: Tokens.
        core: Rows of the core, in order.
        references: Rows of the passages that always stand there, in order.
        dropped: Rows that were to stand here and do not: section and reason.
        rules: Reports of the rules.
        shown: All rows that stand here.
        mean_tokens: Of the bank's items.
    """

    text: str
    sha256: str
    room: Room
    by_section: Mapping[str, int]
    core: Sequence[int]
    references: Sequence[int]
    dropped: Mapping[int, tuple[Section, str]]
    rules: tuple[ItemReport, ...]
    shown: frozenset[int]
    mean_tokens: int


class Foundation:
    """Makes stable parts for one domain version.

    Args:
        domain: As read, without errors.
        bank: Its index.
        counter: Counts tokens; the same as counted the bank's items.
    """

    def __init__(self, domain: Domain, bank: Searchable, counter: Counter) -> None:
        self._domain = domain
        self._bank = bank
        self._counter = counter
        self._relatives = eval_relatives(bank, domain.cases)

    def core_ids(self) -> list[str]:
        """Return the ids of a core chosen anew from the folder's content, in its order."""
        settings = self._domain.settings.context
        _, room, _ = self._fixed_room(settings.budget, settings.sections)
        rows = choose(self._bank, self._eligible(), room.most("core"))
        return [self._bank.items[row].id for row in self._in_order(rows)]

    def core_candidates(self) -> frozenset[str]:
        """Return the ids of the examples that may stand in a core."""
        return frozenset(self._bank.items[row].id for row in self._eligible())

    def make(self, policy: Policy, budget: int, sizes: Mapping[Section, SectionSize]) -> StablePart:
        """Return the stable part under a policy, a budget and section sizes."""
        head, room, rules = self._fixed_room(budget, sizes)
        core: list[int] = []
        references: list[int] = []
        dropped: dict[int, tuple[Section, str]] = {}
        if policy != "none":
            if room.holds_whole(sum(item.tokens for item in self._bank.items)):
                core, references = self._in_order(self._eligible()), self._passages()
            else:
                core = self._core(policy, room.most("core"), dropped)
                used = self._tokens(core)
                references = self._pinned(room.after("core", used).most("references"), dropped)
        items = self._bank.items
        room = room.after("core", self._tokens(core))
        room = room.after("references", self._tokens(references))
        text = "".join([head, *(items[row].rendered for row in (*core, *references))])
        rule_tokens = sum(rule.tokens for rule in rules)
        return StablePart(
            text=text,
            sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            room=room,
            by_section={
                "instructions": self._counter.count(head) - rule_tokens,
                "rules": rule_tokens,
                "core": self._tokens(core),
                "references": self._tokens(references),
            },
            core=core,
            references=references,
            dropped=dropped,
            rules=rules,
            shown=frozenset((*core, *references)),
            mean_tokens=max(1, sum(item.tokens for item in items) // max(1, len(items))),
        )

    def _fixed_room(
        self, budget: int, sizes: Mapping[Section, SectionSize]
    ) -> tuple[str, Room, tuple[ItemReport, ...]]:
        """Return the instructions with the rules, the room after them, and the rules' reports."""
        lines = [render_rule(rule) for rule in self._domain.rules]
        head = "".join([instructions(self._domain, self._domain.labels), *lines])
        reports = tuple(
            ItemReport(
                id=rule.id,
                kind="rule",
                section="rules",
                tokens=self._counter.count(line),
                similarity=None,
                kept=True,
                reason="accepted rule",
            )
            for rule, line in zip(self._domain.rules, lines, strict=True)
        )
        return head, Room(budget, sizes).after_fixed(self._counter.count(head)), reports

    def _core(
        self, policy: Policy, budget: int, dropped: dict[int, tuple[Section, str]]
    ) -> list[int]:
        """Return the core's rows: pinned ones, then the locked ones, or a choice of our own."""
        eligible = set(self._eligible())
        pinned = self._rows_of(self._domain.settings.context.pinned)
        locked = self._domain.core_lock
        for row in (one for one in pinned if one not in eligible):
            dropped[row] = ("core", "pinned, but a twin or sibling of an eval case")
        rows = self._fitting([r for r in pinned if r in eligible], budget, "core", dropped)
        left = budget - self._tokens(rows)
        if policy == "everything":
            others = self._in_order(eligible - set(rows))
            return rows + self._fitting(others, left, "core", dropped)
        if locked is None:
            return rows + self._in_order(choose(self._bank, sorted(eligible - set(rows)), left))
        wanted = [row for row in self._rows_of(locked) if row not in rows]
        for row in wanted:
            if row not in eligible:
                dropped[row] = ("core", "in core.lock, but a twin or sibling of an eval case")
        return rows + self._fitting([r for r in wanted if r in eligible], left, "core", dropped)

    def _pinned(self, budget: int, dropped: dict[int, tuple[Section, str]]) -> list[int]:
        """Return the passages of pinned documents, as far as they fit."""
        names = set(self._domain.settings.context.pinned)
        rows = [row for row in self._passages() if self._bank.items[row].document in names]
        return self._fitting(rows, budget, "references", dropped)

    def _fitting(
        self,
        rows: Iterable[int],
        budget: int,
        section: Section,
        dropped: dict[int, tuple[Section, str]],
    ) -> list[int]:
        kept = []
        for row in rows:
            if self._bank.items[row].tokens <= budget:
                kept.append(row)
                budget -= self._bank.items[row].tokens
            else:
                dropped[row] = (section, "does not fit")
        return kept

    def _eligible(self) -> list[int]:
        items = self._bank.items
        return [
            row
            for row, item in enumerate(items)
            if item.kind == "example" and row not in self._relatives
        ]

    def _passages(self) -> list[int]:
        return [row for row, item in enumerate(self._bank.items) if item.kind == "passage"]

    def _rows_of(self, ids: Iterable[str]) -> list[int]:
        rows = (self._bank.row_of(f"example/{one}") for one in ids)
        return [row for row in rows if row is not None]

    def _in_order(self, rows: Iterable[int]) -> list[int]:
        return sorted(rows, key=lambda row: fixed_order(self._bank.items[row]))

    def _tokens(self, rows: Iterable[int]) -> int:
        return sum(self._bank.items[row].tokens for row in rows)
