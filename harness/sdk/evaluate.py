"""Joining the rooms for an eval: the folder's cases, the packer with its guard, the model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from harness.domain import Policy
from harness.errors import DomainInvalid, EvalError, UsageError
from harness.evals import (
    Conditions,
    EvalRun,
    Generation,
    Judge,
    Kept,
    Plan,
    RunRecord,
    run_evals,
)
from harness.evals.check_lint import check_problems
from harness.evals.graders import JUDGED, WORK_GRADERS, Work, graders, work_of
from harness.evals.graders.python_ import python_grader
from harness.evals.record import CaseStub, generation_key, stub_of
from harness.sdk.confidence import confidence_of
from harness.sdk.runs import new_run_id
from harness.sdk.sealed import open_sealed_cases
from harness.wiring import make_eval_store, rate_limits_left

if TYPE_CHECKING:
    from harness.evals import EvalStore, Standing
    from harness.sdk.models import Models
    from harness.sdk.opened import Current
    from harness.sdk.wishes import Sections
    from harness.seams import Embedder, Model, Progress
    from harness.values import Answer, EvalCase, Split

__all__ = ["EvalWishes", "Parts", "evaluate"]

logger = logging.getLogger(__name__)

LATEST = "latest"
"""Stands for the newest run of the same configuration that was stopped early."""


@dataclass(frozen=True, kw_only=True)
class EvalWishes:
    """What a caller wishes of an eval.

    Attributes:
        split: `dev`, `holdout` or `sealed`; opening sealed cases is counted.
        limit: Only the first so many cases of a fixed shuffle of the split.
        cases: Only the cases with these ids.
        tags: Only cases with one of these tags.
        repeats: Times that each case is asked; None: as the case says.
        jobs: How many cases run at once, at most.
        policy: How the tail is chosen.
        sections: Room of sections of the context.
        guard: Keep each case, its twins and siblings out of its own context. Without it the
            score is inflated; for showing by how much.
        resume: Id of a run to go on with, or `latest`; None begins a new one.
        retry_errors: When going on, ask again what gave no answer, and judge again what gave no
            verdict.
        regrade: Id of a run whose answers are graded by the cases as they are now; no model is
            asked, but a judge where the checks want one.
        reuse: Take answers of any earlier run of the same configuration.
        budget_usd: US dollars after which nothing more is asked.
        judge: Model that judges, instead of the settings' `judge_model`.
        trust_tools: Code in the domain's `tools/` may run, for `python` checks.
        progress: Told (done, of how many).
        watch: Told how the run stands.
    """

    split: Split = "dev"
    limit: int | None = None
    cases: Iterable[str] | None = None
    tags: Iterable[str] | None = None
    repeats: int | None = None
    jobs: int | None = None
    policy: Policy | None = None
    sections: Sections | None = None
    guard: bool = True
    resume: str | None = None
    retry_errors: bool = False
    regrade: str | None = None
    reuse: bool = False
    budget_usd: Decimal | float | str | None = None
    judge: str | Model | None = None
    trust_tools: bool = False
    progress: Progress | None = None
    watch: Callable[[Standing], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an eval is joined from.

    Attributes:
        current: The version of the domain that the run keeps to, whatever becomes of the folder.
        ask: As `Harness.aask`.
        run_case: Does a case as long work, through the loop; None where there is no loop.
        embedder: The domain's.
        home: The state folder.
        jobs: Where the caller does not say.
    """

    current: Current
    ask: Callable[..., Awaitable[Answer]]
    models: Models
    home: Path
    jobs: int
    embedder: Callable[[], Embedder]
    run_case: Callable[[EvalCase, int], Awaitable[Work]] | None = None


async def evaluate(parts: Parts, wishes: EvalWishes) -> EvalRun:
    """Run the cases of a split, and keep the result.

    Raises:
        DomainInvalid: A check can't be used, or rejects what its case expects.
        EvalError: There is no such case or run, or another process is at work on it.
        ModelError: No case can be answered: no key, unknown model, provider not allowed.
    """
    domain = parts.current.domain
    store = make_eval_store(parts.home)
    cases, openings = await anyio.to_thread.run_sync(lambda: _chosen(parts, wishes, store))
    if problems := check_problems(domain, cases):
        raise DomainInvalid("The checks of these cases can't be used as they are:", problems)
    record, kept = _begun(parts, wishes, store, cases, openings)
    by_id = {case.id: case for case in cases}
    known = _graders(parts, wishes, cases)
    budget = None if wishes.budget_usd is None else Decimal(str(wishes.budget_usd))
    fallback = parts.models.fallback(domain.settings)
    # A fallback answers at once where the first model refuses; else the runner makes fewer calls.
    quiet = nullcontext() if fallback else rate_limits_left()
    with _alone(parts.home, record.conditions.run), quiet:
        return await run_evals(
            [by_id[stub.id] for stub in record.cases],
            _asking(parts, wishes),
            conditions=record.conditions,
            settings=dataclasses.replace(domain.settings.answer, labels=domain.labels),
            graders=known,
            jobs=wishes.jobs or parts.jobs,
            progress=wishes.progress,
            keep=lambda done: _stopped(done, len(record.cases)),
            plan=Plan(
                store=store,
                kept=kept,
                record=record,
                budget_usd=budget,
                watch=wishes.watch,
                of_work={
                    **WORK_GRADERS,
                    "python": python_grader(
                        domain.path / "tools", trusted=lambda _: wishes.trust_tools
                    ),
                },
            ),
        )


def _asking(parts: Parts, wishes: EvalWishes) -> Callable[[EvalCase, int], Awaitable[Work]]:
    domain = parts.current.domain

    async def ask_case(case: EvalCase, repeat: int) -> Work:
        if parts.run_case is not None and domain.settings.tools:
            return await parts.run_case(case, repeat)
        answer = await parts.ask(
            case.input,
            files=[domain.path / name for name in case.files],
            policy=wishes.policy,
            sections=wishes.sections,
            guard_case=case if wishes.guard else None,
            current=parts.current,
        )
        sure = confidence_of(answer, domain)
        return dataclasses.replace(work_of(answer), confidence=sure)

    async def ask_nobody(case: EvalCase, repeat: int) -> Work:
        raise EvalError(f"The run has no answer to {case.id} (repeat {repeat + 1}) to regrade.")

    return ask_nobody if wishes.regrade else ask_case


def _graders(parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]) -> dict[str, Any]:
    domain = parts.current.domain
    wanted = {check.grader for case in cases for check in case.checks}
    model = _judge(parts, wishes, cases)
    judge = None if model is None else Judge(model)
    documents: dict[str, str] = {}
    for passage in domain.passages if "cites" in wanted else ():
        documents[passage.document] = documents.get(passage.document, "") + "\n" + passage.text
    return graders(
        domain.settings.language or "en",
        documents=documents,
        judge=judge,
        rubrics=domain.rubrics,
        embed=parts.embedder().embed if "similar" in wanted else None,
    )


def _judge(parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]) -> Model | None:
    """Return the model that judges; None where no check asks one.

    Raises:
        EvalError: A check does, and none is named.
    """
    domain = parts.current.domain
    if not any(check.grader in JUDGED for case in cases for check in case.checks):
        return None
    model = wishes.judge
    if model is None or isinstance(model, str):
        model = parts.models.judge(domain.settings, model)
    if model is None:
        raise EvalError(
            f"Some cases of {domain.name} are graded by a judge, and none is named.",
            "Write `judge_model: provider:model` into domain.yaml, or give --judge.",
        )
    return model


def _judge_name(parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]) -> str:
    model = _judge(parts, wishes, cases)
    return "" if model is None else model.name


# --- which cases ------------------------------------------------------------------------------


def _chosen(parts: Parts, wishes: EvalWishes, store: EvalStore) -> tuple[Sequence[EvalCase], int]:
    """Return the cases, and how often they have been opened where they are sealed."""
    domain = parts.current.domain
    split, limit = wishes.split, wishes.limit
    if limit is not None and limit < 1:
        raise UsageError(f"--limit is {limit}.", "It has to be at least 1.")
    openings = 0
    if split == "sealed":
        name, config = parts.models.name(domain.settings), _config(parts, wishes)
        cases, openings = open_sealed_cases(domain, parts.home, store, model=name, config=config)
    else:
        cases = [case for case in domain.cases if case.split == split]
    if wishes.cases is not None:
        ids = frozenset(wishes.cases)
        unknown = sorted(ids - {case.id for case in cases})
        if unknown:
            raise EvalError(
                f"The {split} split has no case {', '.join(unknown)}.",
                f"The ids stand in the folder's evals/{split}.*.",
            )
        cases = [case for case in cases if case.id in ids]
    if wishes.tags is not None:
        tags = frozenset(wishes.tags)
        cases = [case for case in cases if tags.intersection(case.tags)]
        if not cases:
            raise EvalError(
                f"The {split} split has no case with the tag {', '.join(sorted(tags))}.",
                "Tags stand in the cases' `tags`.",
            )
    if limit is None or limit >= len(cases):
        return cases, openings
    shuffled = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())
    kept = {case.id for case in shuffled[:limit]}
    return [case for case in cases if case.id in kept], openings


# --- which run --------------------------------------------------------------------------------


def _begun(
    parts: Parts,
    wishes: EvalWishes,
    store: EvalStore,
    cases: Sequence[EvalCase],
    openings: int,
) -> tuple[RunRecord, Kept]:
    """Return the run to do, new or gone on with, and what of it is there."""
    if sum(one is not None for one in (wishes.resume, wishes.regrade)) > 1:
        raise UsageError("A run is resumed or regraded, not both.", "Give one of them.")
    config = _config(parts, wishes)
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


def _config(parts: Parts, wishes: EvalWishes) -> str:
    """Return the hash of all that decides an answer beside the question: 16 hex digits."""
    domain = parts.current.domain
    said = [
        parts.models.fingerprint(domain.settings),
        domain.version,
        wishes.policy or domain.settings.context.policy,
        wishes.guard,
        sorted((str(name), str(size)) for name, size in (wishes.sections or {}).items()),
    ]
    text = json.dumps(said, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _alone(home: Path, run: str) -> Iterator[None]:
    """Keep a second process from working on the same run.

    Raises:
        EvalError: One does already.
    """
    from filelock import FileLock, Timeout

    folder = home / "evals"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{run}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise EvalError(
            f"Another process is at work on the run {run}.", "Wait until it is done, or stop it."
        ) from None
    try:
        yield
    finally:
        lock.release()
        (folder / f"{run}.lock").unlink(missing_ok=True)


def _stopped(run: EvalRun, planned: int) -> None:
    logger.warning(
        "Stopped early: %d of %d cases are done, and kept as the run %s. --resume goes on.",
        *(run.n, planned, run.run),
    )
