"""What a caller wishes of an eval, and what an eval is joined from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain import Policy
from harness.errors import EvalError
from harness.evals.graders import JUDGED, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.evals import EvalStore, Standing
    from harness.sdk.models import Models
    from harness.sdk.opened import Current
    from harness.sdk.options import Sections
    from harness.seams import Embedder, Model, Progress
    from harness.values import Answer, EvalCase, Split

__all__ = ["LATEST", "EvalWishes", "Parts", "config_of", "judge_name", "judge_of"]

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
        run_case: Does a case as long work, with the domain's tools.
        embedder: The domain's.
        home: The state folder.
        store: Keeps eval runs.
        jobs: Where the caller does not say.
        ratio: Of the model's tokens to ours, for packing: the same for all cases, and an eval
            learns nothing of it.
    """

    current: Current
    ask: Callable[..., Awaitable[Answer]]
    models: Models
    home: Path
    store: EvalStore
    jobs: int
    embedder: Callable[[], Embedder]
    ratio: float
    run_case: Callable[[Parts, EvalCase, EvalWishes], Awaitable[Work]]


def judge_of(parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]) -> Model | None:
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
            "Write `judge_model: provider:model` into domain.yaml, or name one for this run "
            "(--judge).",
        )
    return model


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


def judge_name(parts: Parts, wishes: EvalWishes, cases: Sequence[EvalCase]) -> str:
    """Return the name of the model that judges; "" where no check asks one."""
    model = judge_of(parts, wishes, cases)
    return "" if model is None else model.name
