"""Bulk work: every row of a table answered, on the runner that evals use.

A killed job goes on where it was: the same rows under the same configuration are the same run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from harness.evals import Conditions, Generation, Kept, Plan, RunRecord, run_evals
from harness.evals.graders import Work, work_of
from harness.evals.record import stub_of
from harness.sdk import portal
from harness.sdk.bulk_table import answered, cases_of, questions_of
from harness.sdk.confidence import confidence_in, nearest_shown
from harness.sdk.eval_budget import refuse_unpriced
from harness.sdk.rows import read_rows, refuse_target, write_rows
from harness.values import EvalCase
from harness.values_packed import Packed
from harness.wiring import rate_limits_left

if TYPE_CHECKING:
    from harness.domain import Policy
    from harness.evals import EvalRun
    from harness.sdk.eval_wishes import Parts
    from harness.sdk.harness import Harness
    from harness.sdk.options import MapOptions

__all__ = ["BulkEstimate", "Mapped", "answer_rows", "estimate_rows"]

SAMPLED = 20
"""Rows that an estimate packs, spread over the table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkEstimate:
    """What answering a table would send.

    Attributes:
        rows: Still to be answered.
        input_tokens: Of all of them, from a sample.
        input_cost_usd: Price of the input, none of it cached; None where it is not known.
        destination: To whom it would go; empty where nothing leaves this machine.
        done: Rows that were answered before.
        unasked: Rows without a question.
    """

    rows: int
    input_tokens: int
    input_cost_usd: Decimal | None
    model: str
    destination: str
    done: int = 0
    unasked: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """What came of a table.

    Attributes:
        rows: All that the table has.
        asked: Rows that were asked now; the others had been answered before.
        failed: Rows without an answer.
        unasked: Those of them without a question.
        stopped: Why not every question was asked, and how to go on; "" where all were.
    """

    run: str
    rows: int
    asked: int
    failed: int
    cost_usd: Decimal | None
    target: Path
    unasked: int = 0
    stopped: str = ""


def estimate_rows(
    harness: Harness, source: Path, *, column: str | None = None, policy: Policy | None = None
) -> BulkEstimate:
    """Return what answering the rest of a table would send; nothing is sent.

    The tokens are those of a sample of the rows that have no answer yet.

    Raises:
        UsageError: The table can't be read, or has no such column.
    """
    questions = questions_of(read_rows(source), column, source)
    cases = cases_of(questions, source)
    parts = portal.call(harness.evals.parts)
    with closing(parts.store) as store:
        run = _record(parts, cases, policy).conditions.run
        done = {one.case for one in store.generations(run) if one.work is not None}
    left = [case.input for case in cases if case.id not in done]
    sample = left[:: max(1, len(left) // SAMPLED)][:SAMPLED]
    estimates = [harness.estimate(text, policy=policy) for text in sample]
    share = Decimal(len(left)) / max(1, len(sample))
    costs = [one.input_cost_usd for one in estimates if one.input_cost_usd is not None]
    known = len(costs) == len(estimates)
    model = harness.models.main(parts.current.domain.settings)
    return BulkEstimate(
        rows=len(left),
        input_tokens=int(share * sum(one.packed.tokens for one in estimates)),
        input_cost_usd=sum(costs, Decimal(0)) * share if known else None,
        model=model.name,
        destination=model.destination,
        done=len(cases) - len(left),
        unasked=len(questions) - len(cases),
    )


async def answer_rows(
    harness: Harness, source: Path, target: Path, **how: Unpack[MapOptions]
) -> Mapped:
    """Answer every row of a table, and write it with the answers in new columns.

    Args:
        harness: Open over the domain.
        source: The table.
        target: The table with answers, another file; its ending may be another one.
        **how: See `harness.sdk.options.MapOptions`.

    Raises:
        UsageError: The table can't be read, has no such column, or is the target itself.
        StateError: What was answered can't be kept, or the target can't be written.
    """
    refuse_target(source, target)
    table = read_rows(source)
    questions = questions_of(table, how.get("column"), source)
    cases = cases_of(questions, source)
    parts = await harness.evals.parts()
    record = _record(parts, cases, how.get("policy"))
    found = await _asked(harness, parts, record, cases, how)
    right = sum(one.work is not None for one in found.done.values())
    stopped = "" if found.run.n == len(cases) else _stopped(len(cases) - right, how)
    domain = parts.current.domain
    write_rows(target, answered(table, questions, found.done, domain, stopped))
    return Mapped(
        run=record.conditions.run,
        rows=len(questions),
        asked=len(found.done) - found.before,
        failed=len(questions) - right,
        cost_usd=found.run.usage.cost_usd,
        target=target,
        unasked=len(questions) - len(cases),
        stopped=stopped,
    )


def _stopped(left: int, how: MapOptions) -> str:
    rows = "1 row has" if left == 1 else f"{left:,} rows have"
    return (
        f"The budget of ${how.get('budget_usd')} is used up, and {rows} no answer yet."
        " The same command goes on with them, and its budget counts anew."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What asking came to.

    Attributes:
        done: Answers, or why there is none, by case.
        before: How many of them an earlier sitting left.
    """

    run: EvalRun
    done: dict[str, Generation]
    before: int


async def _asked(
    harness: Harness, parts: Parts, record: RunRecord, cases: list[EvalCase], how: MapOptions
) -> _Asked:
    """Ask what has no answer yet; each answer is kept as it comes."""
    store, run, budget = parts.store, record.conditions.run, how.get("budget_usd")
    if budget is not None:
        refuse_unpriced(parts.models, parts.current.domain)
    with closing(store), store.alone(run), rate_limits_left():
        found = store.generations(run)
        kept = {(one.case, one.repeat): one for one in found if one.work is not None}
        ran = await run_evals(
            cases,
            _asking(harness, parts, how.get("policy")),
            conditions=record.conditions,
            settings=parts.current.domain.settings.answer,
            graders={},
            jobs=how.get("jobs") or parts.jobs,
            plan=Plan(
                store=store,
                kept=Kept(generations=kept),
                record=record,
                budget_usd=None if budget is None else Decimal(str(budget)),
                watch=how.get("watch"),
                patient=True,
            ),
        )
        done = {one.case: one for one in store.generations(run)}
    return _Asked(run=ran, done=done, before=len(kept))


def _asking(
    harness: Harness, parts: Parts, policy: Policy | None
) -> Callable[[EvalCase, int], Awaitable[Work]]:
    sure_of = confidence_in(parts.current.domain)

    async def ask(case: EvalCase, _repeat: int) -> Work:
        shown: list[Packed] = []
        answer = await harness.aask(
            case.input, policy=policy, ratio=parts.ratio, account=shown.append
        )
        return dataclasses.replace(
            work_of(answer), confidence=sure_of(answer, shown[0]), nearest=nearest_shown(shown[0])
        )

    return ask


def _record(parts: Parts, cases: list[EvalCase], policy: Policy | None) -> RunRecord:
    """Return the run: the same rows under the same configuration are the same one."""
    domain = parts.current.domain
    counts = "" if parts.ratio == 1 else f" {parts.ratio:g} tokens for each of ours"
    chosen = policy or domain.settings.context.policy
    config = _hash([f"{parts.models.fingerprint(domain.settings)}{counts}", domain.version, chosen])
    stubs = tuple(stub_of(case) for case in cases)
    return RunRecord(
        conditions=Conditions(
            run=f"map-{_hash([config, [stub.question for stub in stubs]])}",
            domain=f"map:{domain.name}",
            version=domain.version,
            split="dev",
            model=parts.models.name(domain.settings),
            policy=chosen,
            config=config,
        ),
        cases=stubs,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _hash(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:16]
