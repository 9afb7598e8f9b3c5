"""Joining the rooms for an eval: the folder's cases, the packer with its guard, the model."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain import Domain, Policy
from harness.errors import EvalError, UsageError
from harness.evals import Conditions, EvalRun, run_evals, save_run
from harness.evals.graders import graders
from harness.sdk.runs import new_run_id
from harness.values import Answer, EvalCase

if TYPE_CHECKING:
    from harness.sdk.harness import Harness
    from harness.seams import Progress
    from harness.values import Split

__all__ = ["evaluate"]


async def evaluate(
    harness: Harness,
    *,
    split: Split,
    limit: int | None,
    jobs: int,
    policy: Policy | None,
    guard: bool,
    progress: Progress | None,
    ids: frozenset[str] | None,
) -> EvalRun:
    """Run the cases of a split; the result is kept in the state folder. See `aevaluate`."""
    import anyio.to_thread

    domain = (await anyio.to_thread.run_sync(harness.current)).domain
    cases = _chosen(domain, split, limit, ids)

    async def ask(case: EvalCase, _repeat: int) -> Answer:
        return await harness.aask(
            case.input,
            files=[domain.path / name for name in case.files],
            policy=policy,
            guard_case=case if guard else None,
            record=False,
        )

    folder = harness.home / "evals"
    run = await run_evals(
        cases,
        ask,
        conditions=Conditions(
            run=new_run_id(),
            domain=domain.name,
            version=domain.version,
            split=split,
            model=harness.model_name(),
            policy=policy or domain.settings.context.policy,
            guard=guard,
        ),
        settings=dataclasses.replace(domain.settings.answer, labels=domain.labels),
        graders=graders(domain.settings.language or "en"),
        jobs=jobs,
        progress=progress,
        keep=lambda done: _keep(folder, done),
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
            raise EvalError(f"The {split} split has no case {', '.join(unknown)}.")
        cases = [case for case in cases if case.id in ids]
    if limit is None or limit >= len(cases):
        return cases
    shuffled = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())
    kept = {case.id for case in shuffled[:limit]}
    return [case for case in cases if case.id in kept]


def _keep(folder: Path, run: EvalRun) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_run(folder, run)
