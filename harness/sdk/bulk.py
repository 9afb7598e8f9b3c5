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

from harness.errors import UsageError
from harness.evals import Conditions, Generation, Kept, Plan, RunRecord, run_evals
from harness.evals.graders import Work, work_of
from harness.evals.graders.cites import where_quoted
from harness.evals.record import stub_of
from harness.sdk.confidence import confidence_in, nearest_shown
from harness.sdk.eval_budget import refuse_unpriced
from harness.sdk.rows import Table, read_rows, write_rows
from harness.values import EvalCase, Place
from harness.values_packed import Packed
from harness.wiring import rate_limits_left

if TYPE_CHECKING:
    from harness.domain import Domain, Policy
    from harness.evals import EvalRun
    from harness.sdk.eval_wishes import Parts
    from harness.sdk.harness import Harness
    from harness.sdk.options import MapOptions

__all__ = ["BulkEstimate", "Mapped", "answer_rows", "estimate_rows"]

SAMPLED = 20
"""Rows that an estimate packs, spread over the table."""
NEW = ("answer", "confidence", "nearest_similarity", "citations", "cost_usd", "error")
"""Columns that are added; one that is there already gets `_2` and so on.

`confidence` only where the domain answers by label: elsewhere nothing says how sure an answer is.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkEstimate:
    """What answering a table would send.

    Attributes:
        rows: To be answered.
        input_tokens: Of all of them, from a sample.
        input_cost_usd: Price of the input, none of it cached; None where it is not known.
        destination: To whom it would go; empty where nothing leaves this machine.
    """

    rows: int
    input_tokens: int
    input_cost_usd: Decimal | None
    model: str
    destination: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """What came of a table.

    Attributes:
        asked: Rows that were asked now; the others had been answered before.
        failed: Rows without an answer.
    """

    run: str
    rows: int
    asked: int
    failed: int
    cost_usd: Decimal | None
    target: Path


def estimate_rows(harness: Harness, source: Path, *, column: str | None = None) -> BulkEstimate:
    """Return what answering a table would send, from a sample of its rows; nothing is sent.

    Raises:
        UsageError: The table can't be read, or has no such column.
    """
    table = read_rows(source)
    questions = [text for text in _questions(table, column) if text]
    if not questions:
        raise UsageError(f"{source} has no question.", "Fill the column, or name it: --column.")
    sample = questions[:: max(1, len(questions) // SAMPLED)][:SAMPLED]
    estimates = [harness.estimate(text) for text in sample]
    share = Decimal(len(questions)) / len(sample)
    costs = [one.input_cost_usd for one in estimates if one.input_cost_usd is not None]
    known = len(costs) == len(estimates)
    return BulkEstimate(
        rows=len(questions),
        input_tokens=int(share * sum(one.packed.tokens for one in estimates)),
        input_cost_usd=sum(costs, Decimal(0)) * share if known else None,
        model=estimates[0].model,
        destination=estimates[0].destination,
    )


async def answer_rows(
    harness: Harness, source: Path, target: Path, **how: Unpack[MapOptions]
) -> Mapped:
    """Answer every row of a table, and write it with the answers in new columns.

    Args:
        harness: Open over the domain.
        source: The table.
        target: The table with answers; its ending may be another one.
        **how: See `harness.sdk.options.MapOptions`.

    Raises:
        UsageError: The table can't be read, or has no such column.
        StateError: What was answered can't be kept, or the target can't be written.
    """
    table, column = read_rows(source), how.get("column")
    cases = _cases(table, column, source)
    parts = await harness.evals.parts()
    domain = parts.current.domain
    record = _record(parts, cases, how.get("policy"))
    found = await _asked(harness, parts, record, cases, how)
    write_rows(target, _answered(table, column, found.done, domain))
    return Mapped(
        run=record.conditions.run,
        rows=len(cases),
        asked=len(found.done) - found.before,
        failed=sum(one.work is None for one in found.done.values()) + len(cases) - len(found.done),
        cost_usd=found.run.usage.cost_usd,
        target=target,
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


def _questions(table: Table, column: str | None) -> list[str]:
    """Return the question of each row, "" where it has none."""
    names = [column] if column else ["input", "question"]
    found = next((name for name in names if name in table.columns), None)
    if found is None and column is None and len(table.columns) == 1:
        found = table.columns[0]
    if found is None:
        asked = f"no column {column!r}" if column else "no column `input` or `question`"
        raise UsageError(
            f"The table has {asked}.", f"Name one with --column: {', '.join(table.columns)}."
        )
    values = (row.get(found) for row in table.rows)
    return ["" if value is None else str(value).strip() for value in values]


def _cases(table: Table, column: str | None, source: Path) -> list[EvalCase]:
    cases = [
        EvalCase(
            id=f"row-{number}",
            input=text,
            checks=(),
            split="dev",
            place=Place(file=source.name, line=number + 1),
        )
        for number, text in enumerate(_questions(table, column), start=1)
        if text
    ]
    if not cases:
        raise UsageError(f"{source} has no question.", "Fill the column, or name it: --column.")
    return cases


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


def _answered(
    table: Table, column: str | None, done: dict[str, Generation], domain: Domain
) -> Table:
    by_label = domain.settings.answer.kind == "label"
    added = [name for name in NEW if by_label or name != "confidence"]
    names = {name: _free(name, table.columns) for name in added}
    sources = {
        f"{one.document}{f', {one.where}' if one.where else ''}": one.text
        for one in domain.passages
    }
    rows = []
    for number, (row, text) in enumerate(
        zip(table.rows, _questions(table, column), strict=True), start=1
    ):
        one = done.get(f"row-{number}")
        new: dict[str, Any] = {"error": "" if one or not text else "not asked"}
        if one is not None and one.work is not None:
            cited = where_quoted(one.work.text, sources)
            cost = one.work.cost_usd
            new = {
                "answer": one.work.text,
                "confidence": _rounded(one.work.confidence),
                "nearest_similarity": _rounded(one.work.nearest),
                "citations": "; ".join(f"“{quote}” ({where})" for quote, where in cited),
                "cost_usd": None if cost is None else float(cost),
                "error": "",
            }
        elif one is not None:
            new = {"error": one.error}
        rows.append({**row, **{names[name]: new.get(name) for name in added}})
    return Table(columns=(*table.columns, *names.values()), rows=tuple(rows))


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _free(name: str, taken: tuple[str, ...]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
