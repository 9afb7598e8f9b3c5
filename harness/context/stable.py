"""The stable part of a context: the same bytes for every question of a domain version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.context.render import instructions, render_rule
from harness.context.room import Room
from harness.context.standing import Residents, Standing
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
        standing: The items that stand here, and those that were to.
        rules: Reports of the rules.
        shown: All rows that stand here.
        mean_tokens: Of the bank's items.
    """

    text: str
    sha256: str
    room: Room
    by_section: Mapping[str, int]
    standing: Standing
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
        self._residents = Residents(domain, bank)

    def core_ids(self) -> list[str]:
        """Return the ids of a core chosen anew from the folder's content, in its order."""
        settings = self._domain.settings.context
        _, room, _ = self._fixed_room(settings.budget, settings.sections)
        return [self._bank.items[row].id for row in self._residents.new_core(room)]

    def make(
        self,
        policy: Policy,
        budget: int,
        sizes: Mapping[Section, SectionSize],
        *,
        may_be_whole: bool = True,
        without: frozenset[int] = frozenset(),
    ) -> StablePart:
        """Return the stable part under a policy, a budget and section sizes.

        Args:
            policy: How demonstrations are chosen.
            budget: Tokens of the whole context.
            sizes: Of the sections.
            may_be_whole: Whether the whole bank stands in it where that fits.
            without: Rows that shall not stand in it; others do not take their place.
        """
        head, room, rules = self._fixed_room(budget, sizes)
        standing = self._residents.standing(policy, room, may_be_whole=may_be_whole)
        standing.leave_out(without)
        core = self._residents.tokens(standing.core)
        references = self._residents.tokens(standing.references)
        items = self._bank.items
        rows = (*standing.core, *standing.references)
        text = "".join([head, *(items[row].rendered for row in rows)])
        rule_tokens = sum(rule.tokens for rule in rules)
        return StablePart(
            text=text,
            sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            room=room.after("core", core).after("references", references),
            by_section={
                "instructions": self._counter.count(head) - rule_tokens,
                "rules": rule_tokens,
                "core": core,
                "references": references,
            },
            standing=standing,
            rules=rules,
            shown=frozenset(rows),
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
        rules = sum(report.tokens for report in reports)
        room = Room(budget, sizes).after("instructions", self._counter.count(head) - rules)
        return head, room.after("rules", rules), reports
