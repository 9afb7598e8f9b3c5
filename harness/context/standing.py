"""Which items always stand in the context: pinned ones, the core, the whole bank where it fits.

No eval case of any split ever does, nor a twin or sibling of one: so evals and daily use share
one prefix, and what is measured is what is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.context.core import choose, fixed_order
from harness.context.guard import eval_relatives
from harness.context.room import Room
from harness.values import ItemReport, Section

if TYPE_CHECKING:
    from harness.domain import Domain, Policy
    from harness.seams import Searchable

__all__ = ["EXCLUDED", "Residents", "Standing"]

EXCLUDED = "excluded"
"""Why an item is not shown that the caller does not want to see."""


@dataclass(kw_only=True)
class Standing:
    """What stands in the context whatever the question is.

    Attributes:
        core: Rows of examples, in order.
        references: Rows of passages, in order.
        dropped: Rows that were to stand here and do not: section and reason.
        absent: Reports of what core.lock names and the bank has not.
        whole: The bank fits in whole: what does not stand here may all stand in the tail.
    """

    core: Sequence[int] = ()
    references: Sequence[int] = ()
    dropped: dict[int, tuple[Section, str]] = field(default_factory=dict)
    absent: tuple[ItemReport, ...] = ()
    whole: bool = False

    def leave_out(self, rows: frozenset[int]) -> None:
        """Drop rows that somebody does not want to see."""
        self.dropped |= {row: ("core", EXCLUDED) for row in self.core if row in rows}
        self.dropped |= {row: ("references", EXCLUDED) for row in self.references if row in rows}
        self.core = [row for row in self.core if row not in rows]
        self.references = [row for row in self.references if row not in rows]


class Residents:
    """Chooses what always stands in a domain's context.

    Args:
        domain: As read, without errors.
        bank: Its index.
    """

    def __init__(self, domain: Domain, bank: Searchable) -> None:
        self._bank = bank
        self._pins = tuple(domain.settings.context.pinned)
        self._lock = domain.core_lock
        self._relatives = eval_relatives(bank, domain.cases, domain.prints)
        self._eligible = [
            row
            for row, item in enumerate(bank.items)
            if item.kind == "example" and row not in self._relatives
        ]

    def standing(self, policy: Policy, room: Room, *, may_be_whole: bool = True) -> Standing:
        """Choose under a policy and the room that instructions and rules leave."""
        if policy == "none":
            return Standing()
        whole = may_be_whole and self._fits_whole(room)
        chosen = Standing(absent=self._absent(), whole=whole)
        if chosen.whole:
            chosen.core, chosen.references = self._whole_core(chosen), self._passages()
        else:
            chosen.core = self._core(policy, room.most("core"), chosen)
            most = room.after("core", self.tokens(chosen.core)).most("references")
            chosen.references = self._fitting(
                self._pinned_passages(chosen), most, "references", chosen
            )
        return chosen

    def new_core(self, room: Room) -> list[int]:
        """Choose a core anew from the folder's content: rows in the core's order."""
        if self._fits_whole(room):
            return self._in_order(self._eligible)
        pinned = self._fitting(self._pinned(Standing()), room.most("core"), "core", Standing())
        left = room.most("core") - self.tokens(pinned)
        return self._in_order(choose(self._bank, self._besides(pinned), left))

    def tokens(self, rows: Iterable[int]) -> int:
        """Return the tokens of these rows."""
        return sum(self._bank.items[row].tokens for row in rows)

    def _fits_whole(self, room: Room) -> bool:
        return room.holds_whole(sum(item.tokens for item in self._bank.items))

    def _whole_core(self, chosen: Standing) -> list[int]:
        """Return the examples; where a core.lock holds the prefix still, the pinned and locked."""
        if self._lock is None:
            return self._in_order(self._eligible)
        return list(dict.fromkeys([*self._pinned(chosen), *self._locked(chosen)]))

    def _core(self, policy: Policy, budget: int, chosen: Standing) -> list[int]:
        """Return the pinned examples, then the locked ones, or a choice of our own."""
        rows = self._fitting(self._pinned(chosen), budget, "core", chosen)
        left = budget - self.tokens(rows)
        others = self._besides(rows)
        if policy == "everything":
            return rows + self._fitting(self._in_order(others), left, "core", chosen)
        if self._lock is None:
            return rows + self._in_order(choose(self._bank, others, left))
        locked = [row for row in self._locked(chosen) if row not in rows]
        return rows + self._fitting(locked, left, "core", chosen)

    def _besides(self, rows: Sequence[int]) -> list[int]:
        taken = set(rows)
        return [row for row in self._eligible if row not in taken]

    def _pinned(self, chosen: Standing) -> list[int]:
        return self._allowed(self._rows_of(self._pins), "core", "pinned", chosen)

    def _locked(self, chosen: Standing) -> list[int]:
        return self._allowed(self._rows_of(self._lock or ()), "core", "in core.lock", chosen)

    def _pinned_passages(self, chosen: Standing) -> list[int]:
        """Return the passages of pinned documents, named with or without `references/`."""
        names = {*self._pins, *(name.removeprefix("references/") for name in self._pins)}
        rows = (
            row
            for row, item in enumerate(self._bank.items)
            if item.kind == "passage" and item.document in names
        )
        return self._allowed(rows, "references", "pinned", chosen)

    def _allowed(
        self, rows: Iterable[int], section: Section, origin: str, chosen: Standing
    ) -> list[int]:
        """Return the rows without the relatives of eval cases, which are noted as dropped."""
        allowed = []
        for row in rows:
            if row in self._relatives:
                reason = f"{origin}, but a twin or sibling of an eval case"
                chosen.dropped[row] = (section, reason)
            else:
                allowed.append(row)
        return allowed

    def _fitting(
        self, rows: Iterable[int], budget: int, section: Section, chosen: Standing
    ) -> list[int]:
        """Return the rows that fit, each in its turn; the others are noted as dropped."""
        kept = []
        for row in rows:
            if self._bank.items[row].tokens <= budget:
                kept.append(row)
                budget -= self._bank.items[row].tokens
            else:
                chosen.dropped[row] = (section, "does not fit")
        return kept

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
            for one in self._lock or ()
            if self._bank.row_of(f"example/{one}") is None
        )
