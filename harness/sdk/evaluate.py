"""Joining the rooms for an eval: the folder's cases, the packer with its guard, the model."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, nullcontext
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from harness.errors import DomainInvalid, EvalError, UsageError
from harness.evals import (
    EvalRun,
    Judge,
    Plan,
    run_evals,
)
from harness.evals.check_lint import check_problems
from harness.evals.graders import WORK_GRADERS, Work, graders, work_of
from harness.evals.graders.python_ import python_grader
from harness.sdk.confidence import confidence_in
from harness.sdk.eval_budget import judging_in, refuse_unpriced
from harness.sdk.eval_resume import earlier
from harness.sdk.eval_runs import begun
from harness.sdk.eval_wishes import EvalWishes, Parts, config_of, judge_of
from harness.sdk.sealed import open_sealed_cases
from harness.sdk.trust import look_at
from harness.wiring import rate_limits_left

if TYPE_CHECKING:
    from harness.evals import EvalStore
    from harness.seams import Model
    from harness.values import EvalCase
    from harness.values_packed import Packed

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)


async def evaluate(parts: Parts, wishes: EvalWishes) -> EvalRun:
    """Run the cases of a split, and keep the result.

    Raises:
        DomainInvalid: A check can't be used, or rejects what its case expects.
        EvalError: There is no such case or run, or another process is at work on it.
        ModelError: No case can be answered: no key, unknown model, provider not allowed.
    """
    with closing(parts.store):
        return await _evaluated(parts, wishes)


async def _evaluated(parts: Parts, wishes: EvalWishes) -> EvalRun:
    domain = parts.current.domain
    store = parts.store
    before = earlier(parts, wishes, store)
    stored = wishes.regrade is not None or bool(before and before.regrades)
    _refuse(parts, wishes, stored=stored)
    cases, openings = await anyio.to_thread.run_sync(lambda: _chosen(parts, wishes, store))
    if problems := check_problems(domain, cases):
        raise DomainInvalid("The checks of these cases can't be used as they are:", problems)
    record, kept = begun(parts, wishes, cases, openings=openings, before=before)
    by_id = {case.id: case for case in cases}
    judge = judge_of(parts, wishes, cases)
    known = _graders(parts, wishes, cases, judge)
    budget = None if wishes.budget_usd is None else Decimal(str(wishes.budget_usd))
    judging = judging_in(domain, judge) if judge is not None and budget is not None else None
    fallback = parts.models.fallback(domain.settings)
    # A fallback answers at once where the first model refuses; else the runner makes fewer calls.
    quiet = nullcontext() if fallback else rate_limits_left()
    with store.alone(record.conditions.run), quiet:
        return await run_evals(
            [by_id[stub.id] for stub in record.cases],
            _ask_nobody if stored else _asking(parts, wishes),
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
                judging=judging,
                watch=wishes.watch,
                patient=fallback is None,
                of_work={
                    **WORK_GRADERS,
                    "python": python_grader(
                        domain.path / "tools", trusted=partial(_may_run, parts, wishes)
                    ),
                },
            ),
        )


def _refuse(parts: Parts, wishes: EvalWishes, *, stored: bool) -> None:
    """Make sure of all that can be known before a case is looked at: sealed ones are counted.

    Args:
        parts: What the eval is joined from.
        wishes: Of the caller.
        stored: Answers are there, and no model is asked for one.
    """
    for name, number in (
        ("limit", wishes.limit),
        ("jobs", wishes.jobs),
        ("repeat", wishes.repeats),
    ):
        if number is not None and number < 1:
            raise UsageError(f"--{name} is {number}.", "It has to be at least 1.")
    if wishes.budget_usd is not None and not stored:
        refuse_unpriced(parts.models, parts.current.domain)


def _may_run(parts: Parts, wishes: EvalWishes, function: str) -> bool:
    """Whether the user lets a function of `tools/` run in this process."""
    if wishes.trust_tools:
        return True
    own, trust = look_at(parts.current.domain.path, parts.home)
    return trust is not None and trust.digest == own.digest and function in trust.host


def _asking(parts: Parts, wishes: EvalWishes) -> Callable[[EvalCase, int], Awaitable[Work]]:
    domain = parts.current.domain
    sure_of = confidence_in(domain)
    # A baseline calls no tools: the loop around its one call would only take time.
    with_tools = domain.settings.tools and not parts.models.name(domain.settings).startswith(
        "baseline:"
    )

    async def ask_case(case: EvalCase, _repeat: int) -> Work:
        if with_tools:
            return await parts.run_case(parts, case, wishes)
        shown: list[Packed] = []
        answer = await parts.ask(
            case.input,
            files=[domain.path / name for name in case.files],
            policy=wishes.policy,
            sections=wishes.sections,
            guard_case=case if wishes.guard else None,
            current=parts.current,
            ratio=parts.ratio,
            record=False,
            account=shown.append,
        )
        return dataclasses.replace(work_of(answer), confidence=sure_of(answer, shown[0]))

    return ask_case


async def _ask_nobody(case: EvalCase, repeat: int) -> Work:
    raise EvalError(f"The run has no answer to {case.id} (repeat {repeat + 1}) to regrade.")


def _graders(
    parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase], model: Model | None
) -> dict[str, Any]:
    domain = parts.current.domain
    wanted = {check.grader for case in cases for check in case.checks}
    judge = None if model is None else Judge(model, jobs=wishes.jobs or parts.jobs)
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


# --- which cases ------------------------------------------------------------------------------


def _chosen(parts: Parts, wishes: EvalWishes, store: EvalStore) -> tuple[Sequence[EvalCase], int]:
    """Return the cases, and how often the domain's sealed ones have been opened."""
    domain = parts.current.domain
    split, limit = wishes.split, wishes.limit
    openings = len(store.openings(domain.name))
    if split == "sealed":
        name, config = parts.models.name(domain.settings), config_of(parts, wishes)
        cases, openings = open_sealed_cases(domain, parts.home, store, model=name, config=config)
    else:
        cases = [case for case in domain.cases if case.split == split]
    cases = _wanted(cases, wishes, openings)
    if limit is None or limit >= len(cases):
        return cases, openings
    shuffled = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())
    kept = {case.id for case in shuffled[:limit]}
    return [case for case in cases if case.id in kept], openings


def _wanted(cases: list[EvalCase], wishes: EvalWishes, openings: int) -> list[EvalCase]:
    """Return the cases with the ids and the tags that are wished for.

    Raises:
        EvalError: There are none. Which sealed ones there are only shows once they are opened, so
            it says that this was an opening.
    """
    split, counted = wishes.split, ""
    if split == "sealed":
        counted = f" They were opened to see that: this was opening {openings}."
    if wishes.cases is not None:
        ids = frozenset(wishes.cases)
        unknown = sorted(ids - {case.id for case in cases})
        if unknown:
            raise EvalError(
                f"The {split} split has no case {', '.join(unknown)}.{counted}",
                f"The ids stand in the folder's evals/{split}.*."
                if split != "sealed"
                else "Whoever sealed them knows the ids; `harness eval` without --case runs all.",
            )
        cases = [case for case in cases if case.id in ids]
    if wishes.tags is not None:
        tags = frozenset(wishes.tags)
        cases = [case for case in cases if tags.intersection(case.tags)]
        if not cases:
            raise EvalError(
                f"The {split} split has no case with the tag {', '.join(sorted(tags))}.{counted}",
                "Tags stand in the cases' `tags`.",
            )
    return cases


def _stopped(run: EvalRun, planned: int) -> None:
    logger.warning(
        "Stopped early: %d of %d cases are done, and kept as the run %s. --resume goes on.",
        *(run.n, planned, run.run),
    )
