"""Joining the rooms for an eval: the folder's cases, the packer with its guard, the model."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain import Domain, Policy
from harness.errors import EvalError, UsageError
from harness.evals import Conditions, EvalRun, run_evals, save_run
from harness.evals.graders import graders
from harness.sdk.runs import new_run_id
from harness.values import Answer, EvalCase

if TYPE_CHECKING:
    from harness.sdk.opened import Current
    from harness.seams import Progress
    from harness.values import Split

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)


async def evaluate(
    current: Current,
    ask: Callable[..., Awaitable[Answer]],
    *,
    folder: Path,
    model: str,
    split: Split,
    limit: int | None,
    jobs: int,
    policy: Policy | None,
    guard: bool,
    progress: Progress | None,
    ids: frozenset[str] | None,
) -> EvalRun:
    """Run the cases of a split, and keep the result.

    Args:
        current: The version of the domain that the run keeps to, whatever becomes of the folder.
        ask: As `Harness.aask`.
        folder: Where results are kept.
        model: Name of the model that answers.
        split: As for `Harness.aevaluate`, and so are the others.
        limit: Only so many cases.
        jobs: How many cases run at once.
        policy: How the tail is chosen.
        guard: Keep each case, its twins and siblings out of its own context.
        progress: Told (done, of how many).
        ids: Only these cases.
    """
    domain = current.domain
    cases = _chosen(domain, split, limit, ids)

    async def ask_case(case: EvalCase, _repeat: int) -> Answer:
        return await ask(
            case.input,
            files=[domain.path / name for name in case.files],
            policy=policy,
            guard_case=case if guard else None,
            current=current,
            record=False,
        )

    run = await run_evals(
        cases,
        ask_case,
        conditions=Conditions(
            run=new_run_id(),
            domain=domain.name,
            version=domain.version,
            split=split,
            model=model,
            policy=policy or domain.settings.context.policy,
            guard=guard,
        ),
        settings=dataclasses.replace(domain.settings.answer, labels=domain.labels),
        graders=graders(domain.settings.language or "en"),
        jobs=jobs,
        progress=progress,
        keep=lambda done: _keep_part(folder, done, len(cases)),
    )
    _keep(folder, run)
    return run


def _chosen(
    domain: Domain, split: Split, limit: int | None, ids: frozenset[str] | None
) -> Sequence[EvalCase]:
    """Return the split's cases; a limit takes from a fixed shuffle, so that files don't matter."""
    if split == "sealed":
        raise UsageError("Sealed cases can't be opened here.", "Use --split dev or holdout.")
    if limit is not None and limit < 1:
        raise UsageError(f"--limit is {limit}.", "It has to be at least 1.")
    cases = [case for case in domain.cases if case.split == split]
    if ids is not None:
        unknown = sorted(ids - {case.id for case in cases})
        if unknown:
            raise EvalError(
                f"The {split} split has no case {', '.join(unknown)}.",
                f"The ids stand in the folder's evals/{split}.*.",
            )
        cases = [case for case in cases if case.id in ids]
    if limit is None or limit >= len(cases):
        return cases
    shuffled = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())
    kept = {case.id for case in shuffled[:limit]}
    return [case for case in cases if case.id in kept]


def _keep_part(folder: Path, run: EvalRun, planned: int) -> None:
    _keep(folder, run)
    logger.warning(
        "Stopped early: %d of %d cases are done, and kept in %s.",
        *(run.n, planned, folder / f"{run.run}.json"),
    )


def _keep(folder: Path, run: EvalRun) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_run(folder, run)
