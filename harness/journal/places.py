"""Places: which number each row of a broken chain was written under, and so what was done to it.

A row's hash covers its number, so trying numbers on a row that does not fit tells where it stood:
rows that all moved down by one mean that one was taken out, two that changed places were swapped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from harness.journal.chain import GENESIS, Head, Link, link_hash

__all__ = ["out_of_place"]

Kind = Literal["changed", "removed", "inserted", "reordered"]
Told = tuple[Kind, int, str]
TRIES = 200_000
"""Hashes computed at most in search of places: a second's work."""


def out_of_place(
    rows: Sequence[Link], fits: Sequence[bool], heads: Collection[Head] = ()
) -> list[Told]:
    """Return what was done to a chain that does not hold, as kind, event and words.

    Args:
        rows: By number.
        fits: Whether each row's hash is the one that it should have.
        heads: As signed: rows that have their hashes were written by us.
    """
    places = _places(rows, fits)
    told: list[Told] = []
    genuine: list[tuple[int, Link, bool]] = []
    for (row, place), whether in zip(
        zip(rows, places, strict=True), _is_foreign(rows, places, heads), strict=True
    ):
        if whether:
            told.append(("inserted", row.seq, "it has no place in the chain"))
            continue
        if place is None:
            told.append(("changed", row.seq, "its hash does not fit what it says"))
        genuine.append((place or 0, row, place is not None))
    genuine = _fill(genuine)
    told += _moved(genuine)
    told += _gone([place for place, _, _ in genuine])
    told += _unlinked(genuine)
    return told


def _places(rows: Sequence[Link], fits: Sequence[bool]) -> list[int | None]:
    """Return the number that each row was written under; None where none fits."""
    places: list[int | None] = []
    shift, tries = 0, 0
    for at, (row, fit) in enumerate(zip(rows, fits, strict=True)):
        place = row.seq if fit else None
        if not fit:
            far = 0 if _is_linked(rows, at) else 2 * len(rows) + 1000
            for candidate in _candidates(row.seq + shift, far):
                if tries >= TRIES:
                    break
                tries += 1
                if link_hash(row, seq=candidate) == row.hash:
                    place = candidate
                    break
        if place is not None:
            shift = place - row.seq
        places.append(place)
    return places


def _is_linked(rows: Sequence[Link], at: int) -> bool:
    """Whether both neighbours are chained to the row: it moved with them, if at all."""
    before = rows[at - 1].hash if at else GENESIS
    return (
        at + 1 < len(rows)
        and rows[at].previous == before
        and rows[at + 1].previous == rows[at].hash
    )


def _candidates(near: int, far: int) -> Iterator[int]:
    """Yield numbers, the nearest first, none more than `far` away."""
    yield near
    for away in range(1, far + 1):
        yield near + away
        if near > away:
            yield near - away


def _is_foreign(
    rows: Sequence[Link], places: Sequence[int | None], heads: Collection[Head]
) -> list[bool]:
    """Return for each row whether it was put in.

    Of two rows with one place, the one that nothing is chained to was; and so was a row without
    a place that stands where no place is left.
    """
    chained = {row.previous for row in rows}.union(head.hash for head in heads)
    holders: dict[int, int] = {}
    foreign = [False] * len(rows)
    for at, place in enumerate(places):
        if place is None:
            continue
        if place in holders:
            other = holders[place]
            loser = other if rows[at].hash in chained else at
            foreign[loser] = True
            holders[place] = at if loser == other else other
        else:
            holders[place] = at
    before = 0
    end = max((head.seq for head in heads), default=len(rows))
    for at, place in enumerate(places):
        if place is None:
            taken = before + 1 in holders or before >= end
            foreign[at] = taken and rows[at].hash not in chained
            before += not foreign[at]
        elif not foreign[at]:
            before = place
    return foreign


def _fill(
    genuine: Sequence[tuple[int, Link, bool]],
) -> list[tuple[int, Link, bool]]:
    """Give the changed rows the place after the one before them."""
    filled: list[tuple[int, Link, bool]] = []
    for place, row, fits in genuine:
        before = filled[-1][0] if filled else 0
        filled.append((place or before + 1, row, fits))
    return filled


def _moved(genuine: Sequence[tuple[int, Link, bool]]) -> Iterator[Told]:
    ordered = sorted(place for place, _, _ in genuine)
    for (place, row, _), due in zip(genuine, ordered, strict=True):
        if place != due:
            yield "reordered", row.seq, f"it was recorded as event {place}"


def _gone(places: Sequence[int]) -> Iterator[Told]:
    before = 0
    for place in sorted(set(places)):
        if place > before + 1:
            first, last = before + 1, place - 1
            what = (
                f"event {first} is gone" if first == last else f"events {first} to {last} are gone"
            )
            yield "removed", first, what
        before = place


def _unlinked(genuine: Sequence[tuple[int, Link, bool]]) -> Iterator[Told]:
    """Yield rows that fit themselves, but not what was chained to them."""
    by_place = {place: (row, fits) for place, row, fits in genuine}
    for place, (row, fits) in by_place.items():
        after = by_place.get(place + 1)
        if fits and place == 1 and row.previous != GENESIS:
            yield "changed", row.seq, "it is not the beginning of a chain"
        elif fits and after is not None and after[1] and after[0].previous != row.hash:
            yield "changed", row.seq, "it was hashed anew: the next event follows another one"
