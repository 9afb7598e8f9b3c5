"""Going on with an eval run: which one, whether it still is the same, and what of it is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from harness.errors import EvalError, UsageError
from harness.evals import Kept, RunRecord
from harness.evals.grading_rules import grading_rules
from harness.evals.purse import spent_on
from harness.evals.record import case_key
from harness.sdk.eval_wishes import LATEST, EvalWishes, Parts, config_of, judge_name

if TYPE_CHECKING:
    from harness.evals import EvalStore
    from harness.evals.grading_rules import GradingRules
    from harness.values import EvalCase

__all__ = ["earlier", "gone_on_with"]


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


def gone_on_with(
    parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase], *, openings: int, before: RunRecord
) -> tuple[RunRecord, Kept]:
    """Return a run as it goes on, and what of it is there.

    Args:
        parts: What the eval is joined from.
        wishes: Of the caller.
        cases: As they are now.
        openings: How often the domain's sealed cases have been opened by now.
        before: The run, as `earlier` returned it.

    Raises:
        EvalError: It has other cases, or another judge.
    """
    _refuse_others(before, cases, grading_rules(parts.current.domain))
    _refuse_other_judge(before, parts, wishes, cases)
    record = dataclasses.replace(before, openings=openings)
    return record, _left(record, parts.store, again=wishes.retry_errors)


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
    now = judge_name(parts, wishes, [case for case in cases if case.id in ids])
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
