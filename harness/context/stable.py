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
        absent: Reports of what core.lock names and the bank has not.
        whole: The bank fits in whole: what does not stand here may all stand in the tail.
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
    absent: tuple[ItemReport, ...]
    whole: bool
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
        rows = self._eligible()
        if not self._whole(settings.policy, room):
            pinned = self._fitting(self._pinned(), room.most("core"), "core", {})
            left = room.most("core") - self._tokens(pinned)
            rows = choose(self._bank, sorted(set(rows) - set(pinned)), left)
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
        whole = self._whole(policy, room)
        if whole:
            core, references = self._whole_core(dropped), self._passages()
        elif policy != "none":
            core = self._core(policy, room.most("core"), dropped)
            most = room.after("core", self._tokens(core)).most("references")
            references = self._fitting(self._pinned_passages(dropped), most, "references", dropped)
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
            absent=() if policy == "none" else self._absent(),
            whole=whole,
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

    def _whole(self, policy: Policy, room: Room) -> bool:
        return policy != "none" and room.holds_whole(self._tokens(range(len(self._bank.items))))

    def _whole_core(self, dropped: dict[int, tuple[Section, str]]) -> list[int]:
        """Return the core of a bank that fits in whole: with a core.lock, new ones are the tail's."""
        rows = self._in_order(self._eligible())
        if self._domain.core_lock is None:
            return rows
        wanted = dict.fromkeys([*self._pinned(), *self._locked(dropped)])
        return list(wanted)

    def _core(
        self, policy: Policy, budget: int, dropped: dict[int, tuple[Section, str]]
    ) -> list[int]:
        """Return the core's rows: pinned ones, then the locked ones, or a choice of our own."""
        rows = self._fitting(self._pinned(dropped), budget, "core", dropped)
        left = budget - self._tokens(rows)
        others = set(self._eligible()) - set(rows)
        if policy == "everything":
            return rows + self._fitting(self._in_order(others), left, "core", dropped)
        if self._domain.core_lock is None:
            return rows + self._in_order(choose(self._bank, sorted(others), left))
        wanted = [row for row in self._locked(dropped) if row in others]
        return rows + self._fitting(wanted, left, "core", dropped)

    def _pinned(self, dropped: dict[int, tuple[Section, str]]) -> list[int]:
        """Return the pinned examples that may stand in the core."""
        rows = self._rows_of(self._domain.settings.context.pinned)
        return self._allowed(rows, "core", "pinned", dropped)

    def _locked(self, dropped: dict[int, tuple[Section, str]]) -> list[int]:
        """Return the examples of core.lock that may stand in the core."""
        rows = self._rows_of(self._domain.core_lock or ())
        return self._allowed(rows, "core", "in core.lock", dropped)

    def _pinned_passages(self, dropped: dict[int, tuple[Section, str]]) -> list[int]:
        """Return the passages of pinned documents that may always stand there."""
        names = {
            name.removeprefix("references/") for name in self._domain.settings.context.pinned
        }
        items = self._bank.items
        rows = [
            row
            for row, item in enumerate(items)
            if item.kind == "passage" and item.document in names
        ]
        return self._allowed(rows, "references", "pinned", dropped)

    def _allowed(
        self,
        rows: Iterable[int],
        section: Section,
        origin: str,
        dropped: dict[int, tuple[Section, str]],
    ) -> list[int]:
        """Return the rows without the relatives of eval cases."""
        allowed = []
        for row in rows:
            if row in self._relatives:
                dropped[row] = (section, f"{origin}, but a twin or sibling of an eval case")
            else:
                allowed.append(row)
        return allowed

    def _absent(self) -> tuple[ItemReport, ...]:
        """Return reports of the ids in core.lock that no approved example has any more."""
        return tuple(
            ItemReport(
                id=one,
                kind="example",
                section="core",
                tokens=0,
                similarity=None,
                kept=False,
                reason="in core.lock, but no approved example has this id",
            )
            for one in self._domain.core_lock or ()
            if self._bank.row_of(f"example/{one}") is None
        )

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
        return [
            row
            for row, item in enumerate(self._bank.items)
            if item.kind == "passage" and row not in self._relatives
        ]

    def _rows_of(self, ids: Iterable[str]) -> list[int]:
        rows = (self._bank.row_of(f"example/{one}") for one in dict.fromkeys(ids))
        return [row for row in rows if row is not None]

    def _in_order(self, rows: Iterable[int]) -> list[int]:
        return sorted(rows, key=lambda row: fixed_order(self._bank.items[row]))

    def _tokens(self, rows: Iterable[int]) -> int:
        return sum(self._bank.items[row].tokens for row in rows)
