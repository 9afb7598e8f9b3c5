"""Which run an eval is: a new one, one that goes on, or answers of one graded anew."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from harness.errors import EvalError, UsageError
from harness.evals import Conditions, Generation, Kept, RunRecord
from harness.evals.grading_rules import grading_rules
from harness.evals.purse import spent_on
from harness.evals.record import CaseStub, case_key, generation_key, stub_of
from harness.sdk.eval_wishes import LATEST, EvalWishes, Parts, judge_of
from harness.sdk.runs import new_run_id

if TYPE_CHECKING:
    from harness.evals import EvalStore
    from harness.evals.grading_rules import GradingRules
    from harness.values import EvalCase

__all__ = ["begun", "config_of", "earlier"]


def earlier(parts: Parts, wishes: EvalWishes, store: EvalStore) -> RunRecord | None:
    """Return the run that is gone on with or graded anew; None for a new one.

    All is checked that can be without the cases, so that sealed ones are not opened for nothing.

    Raises:
        EvalError: There is no such run, or it can't be gone on with.
    """
    if wishes.resume is not None and wishes.regrade is not None:
        raise UsageError("A run is resumed or regraded, not both.", "Give one of them.")
    if wishes.regrade is not None:
        return store.record(wishes.regrade)
    if wishes.resume is None:
        return None
    domain, config = parts.current.domain, config_of(parts, wishes)
    run = wishes.resume
    if run == LATEST:
        run = _latest(domain.name, config, wishes, store)
    record = store.record(run)
    begun_ = record.conditions
    if begun_.split != wishes.split:
        raise EvalError(
            f"The run {run} was over the {begun_.split} split, not {wishes.split}.",
            "Resume it with the same --split, --limit, --case and --tag.",
        )
    if record.regrades and begun_.version != domain.version:
        raise EvalError(
            f"The run {run} grades by another version of {begun_.domain} than now: its grades and"
            " new ones would not belong together.",
            f"Grade the answers anew: --regrade {record.regrades}.",
        )
    if not record.regrades and begun_.config != config:
        raise EvalError(
            f"The run {run} was of another model, context or version of {begun_.domain}"
            " than now: its answers and new ones would not belong together.",
            "Begin a new run, or grade its answers anew with --regrade.",
        )
    return record


def _latest(domain: str, config: str, wishes: EvalWishes, store: EvalStore) -> str:
    for run, _, known, finished, split in store.records(domain):
        if known == config and split == wishes.split and (wishes.retry_errors or not finished):
            return run
    raise EvalError(
        f"No run of {domain} with this model and context was stopped early.",
        "Leave out --resume, or name the run.",
    )


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
        _refuse_others(before, cases, rules)
        _refuse_other_judge(before, parts, wishes, cases)
        record = dataclasses.replace(before, openings=openings)
        return record, _left(record, store, again=wishes.retry_errors)
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
        judge=_judge_name(parts, wishes, cases),
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


def _refuse_others(record: RunRecord, cases: Sequence[EvalCase], rules: GradingRules) -> None:
    """Make sure that the cases of a run are asked for, and are what they were."""
    run, there = record.conditions.run, {case.id: case for case in cases}
    missing = [stub.id for stub in record.cases if stub.id not in there]
    if missing:
        raise EvalError(
            f"The run {run} has cases that are not asked for now: {', '.join(missing[:5])}.",
            "Resume it with the same --split, --limit, --case and --tag.",
        )
    other = [
        stub.id
        for stub in record.cases
        # The hash of the case alone: of a run from before the domain's part in it counted.
        if stub.key not in (case_key(there[stub.id], rules), case_key(there[stub.id]))
    ]
    if other:
        raise EvalError(
            f"The run {run} has cases that ask or check something else now:"
            f" {', '.join(other[:5])}.",
            "Begin a new run, or grade its answers anew with --regrade.",
        )


def _refuse_other_judge(
    record: RunRecord, parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]
) -> None:
    """Make sure that one judge grades all of a run."""
    run, was = record.conditions.run, record.conditions.judge
    ids = {stub.id for stub in record.cases}
    now = _judge_name(parts, wishes, [case for case in cases if case.id in ids])
    if was != now:
        raise EvalError(
            f"The run {run} was graded by the judge {was or '(none)'}, not by {now or '(none)'}:"
            " verdicts of both would not belong together.",
            (f"Go on with --judge {was}, or grade" if was else "Grade")
            + f" all its answers anew: --regrade {run} --judge {now}.",
        )


def _left(record: RunRecord, store: EvalStore, *, again: bool) -> Kept:
    """Return what a run has, and what it has cost.

    Args:
        record: The run.
        store: Keeps it.
        again: Without what failed, which is to be asked and judged again.
    """
    run = record.conditions.run
    generations = {(one.case, one.repeat): one for one in store.generations(run)}
    grades = {(one.case, one.repeat): one for one in store.grades(run)}
    works = [one.work for one in generations.values() if one.work and not record.regrades]
    spent = spent_on(works, [one for row in grades.values() for one in row.grades])
    spent = dataclasses.replace(spent, usd=max(Decimal(0), spent.usd - record.reused_usd))
    if again:
        if not record.regrades:  # whose answers come from a run that had none
            generations = {key: one for key, one in generations.items() if one.work is not None}
        grades = {
            key: one
            for key, one in grades.items()
            if key in generations and all(graded.met is not None for graded in one.grades)
        }
    return Kept(generations=generations, grades=grades, spent=spent)


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
