"""Eval runs that were stopped early: how far each is, and how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from harness.sdk.options import EvalOptions

if TYPE_CHECKING:
    from harness.domain import Domain, Policy
    from harness.evals import EvalStore
    from harness.values import Split

__all__ = ["Unfinished", "unfinished"]


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A run that was stopped before all its cases were done.

    Attributes:
        model: That answered.
        started: ISO 8601, UTC.
        done: Answers that are there, cases that are asked again counted each time.
        of: Answers that there are to be.
        same: The domain is still the version that it was begun with; else it can't go on.
        how: Goes on with it: `h.evaluate(**one.how)`, of a harness with that model.
    """

    run: str
    split: Split
    model: str
    started: str
    done: int
    of: int
    same: bool
    how: EvalOptions


def unfinished(store: EvalStore, domain: Domain, most: int) -> Sequence[Unfinished]:
    """Return the newest runs that were stopped early.

    Args:
        store: Keeps the runs.
        domain: Whose they are, as it is now.
        most: How many.
    """
    names = [run for run, _, _, finished, _ in store.records(domain.name) if not finished]
    return [_read(store, domain, run) for run in names[:most]]


def _read(store: EvalStore, domain: Domain, run: str) -> Unfinished:
    record = store.record(run)
    begun = record.conditions
    return Unfinished(
        run=run,
        split=begun.split,
        model=begun.model,
        started=record.started,
        done=sum(1 for _ in store.generations(run)),
        of=sum(stub.repeats for stub in record.cases),
        same=begun.version == domain.version,
        how=EvalOptions(
            split=begun.split,
            cases=[stub.id for stub in record.cases],
            policy=cast("Policy", begun.policy),
            guard=begun.guard,
            judge=begun.judge or None,
            resume=run,
        ),
    )
