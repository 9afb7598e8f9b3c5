"""Which run an eval is: a new one, one that goes on, or answers of one graded anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from harness.errors import EvalError
from harness.evals import Conditions, Generation, Kept, RunRecord
from harness.evals.grading_rules import grading_rules
from harness.evals.record import CaseStub, generation_key, stub_of
from harness.sdk.eval_resume import gone_on_with
from harness.sdk.eval_wishes import EvalWishes, Parts, config_of, judge_name
from harness.sdk.runs import new_run_id

if TYPE_CHECKING:
    from harness.evals import EvalStore
    from harness.values import EvalCase

__all__ = ["begun"]


def begun(
    parts: Parts,
    wishes: EvalWishes,
    cases: Sequence[EvalCase],
    *,
    openings: int,
    before: RunRecord | None,
) -> tuple[RunRecord, Kept]:
    """Return the run to do, new or gone on with, and what of it is there.

    Args:
        parts: What the eval is joined from.
        wishes: Of the caller.
        cases: To be run.
        openings: How often the domain's sealed cases have been opened by now.
        before: As `earlier` returned it.
    """
    domain, store = parts.current.domain, parts.store
    rules = grading_rules(domain)
    if before is not None and wishes.resume is not None:
        return gone_on_with(parts, wishes, cases, openings=openings, before=before)
    config = config_of(parts, wishes)
    conditions = Conditions(
        run=new_run_id(),
        domain=domain.name,
        version=domain.version,
        split=wishes.split,
        model=parts.models.name(domain.settings),
        policy=wishes.policy or domain.settings.context.policy,
        guard=wishes.guard,
        config=config,
        judge=judge_name(parts, wishes, cases),
    )
    tried = {
        known
        for _, _, known, _, split in store.records(domain.name)
        if split == wishes.split and known
    }
    record = RunRecord(
        conditions=conditions,
        cases=tuple(stub_of(case, wishes.repeats, rules=rules) for case in cases),
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        candidates=len(tried | {config}),
        openings=openings,
    )
    if before is not None:
        return _regraded(record, before, store)
    return _reused(record, store) if wishes.reuse else (record, Kept())


def _regraded(record: RunRecord, source: RunRecord, store: EvalStore) -> tuple[RunRecord, Kept]:
    """Return a new run over the answers of another, by the cases as they are now."""
    asked = {stub.question: stub for stub in source.cases}
    names = {stub.id: stub.question for stub in source.cases}
    known = {(one.case, one.repeat): one for one in store.generations(source.conditions.run)}
    cases: list[CaseStub] = []
    generations: dict[tuple[str, int], Generation] = {}
    for stub in record.cases:
        old = asked.get(stub.question)
        if old is None:
            continue
        found = {
            repeat: known[old.id, repeat]
            for repeat in range(old.repeats)
            if (old.id, repeat) in known
        }
        if len(found) == old.repeats:
            cases.append(dataclasses.replace(stub, repeats=old.repeats))
            generations |= {
                (stub.id, repeat): dataclasses.replace(one, case=stub.id)
                for repeat, one in found.items()
            }
    if not cases:
        changed = sum(stub.id in names for stub in record.cases)
        raise EvalError(
            f"The run {source.conditions.run} has no answer to any of these cases"
            + (f"; {changed} of them ask something else now." if changed else "."),
            "Choose the split and the cases that it was over.",
        )
    was, now = source.conditions, record.conditions
    answered = was.answered or was.version
    how = dataclasses.replace(
        was,
        run=now.run,
        version=now.version,
        judge=now.judge,
        answered="" if answered == now.version else answered,
    )
    regraded = dataclasses.replace(
        record, conditions=how, cases=tuple(cases), regrades=source.conditions.run
    )
    return regraded, Kept(generations=generations, brought=True)


def _reused(record: RunRecord, store: EvalStore) -> tuple[RunRecord, Kept]:
    """Return a new run with the answers that earlier ones of its configuration have."""
    wanted = {
        generation_key(stub.question, record.conditions.config, repeat): (stub.id, repeat)
        for stub in record.cases
        for repeat in range(stub.repeats)
    }
    found = store.by_key(list(wanted))
    costs = [one.work.cost_usd for one in found.values() if one.work is not None]
    paid = sum((cost for cost in costs if cost is not None), Decimal(0))
    generations = {
        wanted[key]: dataclasses.replace(one, case=wanted[key][0], repeat=wanted[key][1])
        for key, one in found.items()
    }
    record = dataclasses.replace(record, reused_usd=paid)
    return record, Kept(generations=generations, brought=True)
