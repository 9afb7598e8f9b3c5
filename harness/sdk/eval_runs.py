"""Which run an eval is: a new one, one that goes on, or answers of one graded anew."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.errors import EvalError, UsageError
from harness.evals import Conditions, Generation, Kept, RunRecord
from harness.evals.record import CaseStub, generation_key, stub_of
from harness.sdk.eval_wishes import LATEST, EvalWishes, Parts, judge_of
from harness.sdk.runs import new_run_id

if TYPE_CHECKING:
    from harness.evals import EvalStore
    from harness.values import EvalCase

__all__ = ["begun", "config_of"]


def begun(
    parts: Parts,
    wishes: EvalWishes,
    store: EvalStore,
    cases: Sequence[EvalCase],
    openings: int,
) -> tuple[RunRecord, Kept]:
    """Return the run to do, new or gone on with, and what of it is there."""
    if sum(one is not None for one in (wishes.resume, wishes.regrade)) > 1:
        raise UsageError("A run is resumed or regraded, not both.", "Give one of them.")
    config = config_of(parts, wishes)
    if wishes.resume is not None:
        return _resumed(parts, wishes, store, cases, config)
    domain = parts.current.domain
    conditions = Conditions(
        run=new_run_id(),
        domain=domain.name,
        version=domain.version,
        split=wishes.split,
        model=parts.models.name(domain.settings),
        policy=wishes.policy or domain.settings.context.policy,
        guard=wishes.guard,
        config=config,
        judge=_judge_name(parts, wishes, cases),
    )
    tried = {
        known
        for _, _, known, _, split in store.records(domain.name)
        if split == wishes.split and known
    }
    record = RunRecord(
        conditions=conditions,
        cases=tuple(stub_of(case, wishes.repeats) for case in cases),
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        candidates=len(tried | {config}),
        openings=openings,
    )
    if wishes.regrade is not None:
        return _regraded(record, store.record(wishes.regrade), store)
    return record, _reused(record, store) if wishes.reuse else Kept()


def _resumed(
    parts: Parts, wishes: EvalWishes, store: EvalStore, cases: Sequence[EvalCase], config: str
) -> tuple[RunRecord, Kept]:
    domain = parts.current.domain
    run = wishes.resume or ""
    if run == LATEST:
        same = (
            one
            for one, _, known, finished, split in store.records(domain.name)
            if known == config and split == wishes.split and (wishes.retry_errors or not finished)
        )
        run = next(same, "")
        if not run:
            raise EvalError(
                f"No run of {domain.name} with this model and context was stopped early.",
                "Leave out --resume, or name the run.",
            )
    record = store.record(run)
    if record.conditions.config != config:
        raise EvalError(
            f"The run {run} was of another model, context or version of {record.conditions.domain}"
            " than now: its answers and new ones would not belong together.",
            "Begin a new run, or grade its answers anew with --regrade.",
        )
    there = {case.id: stub_of(case).key for case in cases}
    other = [stub.id for stub in record.cases if there.get(stub.id) != stub.key]
    if other:
        raise EvalError(
            f"The run {run} has cases that are not asked for now: {', '.join(other[:5])}.",
            "Resume it with the same --split, --limit, --case and --tag.",
        )
    generations = {(one.case, one.repeat): one for one in store.generations(run)}
    grades = {(one.case, one.repeat): one for one in store.grades(run)}
    if wishes.retry_errors:
        generations = {key: one for key, one in generations.items() if one.work is not None}
        grades = {
            key: one
            for key, one in grades.items()
            if key in generations and all(graded.met is not None for graded in one.grades)
        }
    return record, Kept(generations=generations, grades=grades)


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
    how = dataclasses.replace(
        source.conditions, run=record.conditions.run, judge=record.conditions.judge
    )
    regraded = dataclasses.replace(
        record, conditions=how, cases=tuple(cases), regrades=source.conditions.run
    )
    return regraded, Kept(generations=generations)


def _reused(record: RunRecord, store: EvalStore) -> Kept:
    wanted = {
        generation_key(stub.question, record.conditions.config, repeat): (stub.id, repeat)
        for stub in record.cases
        for repeat in range(stub.repeats)
    }
    found = store.by_key(list(wanted))
    return Kept(
        generations={
            wanted[key]: dataclasses.replace(one, case=wanted[key][0]) for key, one in found.items()
        }
    )


def config_of(parts: Parts, wishes: EvalWishes) -> str:
    """Return the hash of all that decides an answer beside the question: 16 hex digits."""
    domain = parts.current.domain
    said = [
        parts.models.fingerprint(domain.settings),
        domain.version,
        wishes.policy or domain.settings.context.policy,
        wishes.guard,
        sorted((str(name), str(size)) for name, size in (wishes.sections or {}).items()),
    ]
    if parts.ratio != 1:
        said.append(f"{parts.ratio:g} tokens for each of ours")
    text = json.dumps(said, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _judge_name(parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]) -> str:
    model = judge_of(parts, wishes, cases)
    return "" if model is None else model.name
