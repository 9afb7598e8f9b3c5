"""What can be done with evals beside running them: compare, ablate, export, seal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import anyio.to_thread

from harness.sdk import portal
from harness.sdk.eval_wishes import Parts
from harness.wiring import make_eval_store

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.evals import EvalRun, EvalStore
    from harness.evals.ablation import Ablation
    from harness.evals.compare import Comparison
    from harness.evals.labels import Calibration
    from harness.sdk.bulk import Mapped
    from harness.sdk.harness import Harness
    from harness.sdk.opened import Opened
    from harness.sdk.options import EvalOptions
    from harness.sdk.sealed import Sealed
    from harness.settings import Settings
    from harness.values import Split

__all__ = ["Evals"]


class Evals:
    """The evals of one domain.

    Args:
        harness: Open over the domain.
        opened: Its folder.
    """

    def __init__(self, harness: Harness, opened: Opened) -> None:
        self._harness = harness
        self._opened = opened

    async def parts(self) -> Parts:
        """Return what an eval is joined from, over the folder as it is now."""
        harness = self._harness
        current = await anyio.to_thread.run_sync(self._opened.current)
        return Parts(
            current=current,
            ask=harness.aask,
            models=harness.models,
            home=harness.home,
            store=self._store(),
            jobs=harness.settings["jobs"],
            ratio=harness.models.packing_ratio(harness.models.name(current.domain.settings)),
            embedder=lambda: self._opened.embedder(current.domain.settings),
            run_case=harness.run_case,
        )

    def _store(self) -> EvalStore:
        return make_eval_store(self._harness.home, self._harness.settings)

    def domain(self) -> Domain:
        """Return the folder as it is, errors and all, without indexing it."""
        return self._opened.read()

    def runs(self) -> list[dict[str, Any]]:
        """Return the kept runs of the domain, the newest first: id, split, finished."""
        name = self._opened.read().name
        return [
            {"run": run, "split": split, "finished": finished, "config": config}
            for run, _, config, finished, split in self._store().records(name)
        ]

    def load(self, run: str) -> EvalRun:
        """Return a kept run.

        Raises:
            EvalError: There is no such run.
        """
        return load(self._harness.home, run, self._harness.settings)

    def compare(self, first: EvalRun | str, second: EvalRun | str) -> Comparison:
        """Return how the second run does against the first, case by case.

        Raises:
            EvalError: There is no such run, or they have no scored case in common.
        """
        from harness.evals.compare import compare

        runs = [self.load(one) if isinstance(one, str) else one for one in (first, second)]
        return compare(*runs)

    def seal(self, split: Split = "sealed") -> Sealed:
        """Encrypt a split with a key kept outside the folder. See `harness.sdk.sealed.seal`."""
        from harness.sdk.sealed import seal

        return seal(self._opened.read(), split)

    def ablate(self, **how: Unpack[EvalOptions]) -> Ablation:
        """Run the same cases under several contexts. See `aablate`."""
        return portal.call(lambda: self.aablate(**how))

    async def aablate(self, **how: Unpack[EvalOptions]) -> Ablation:
        """Run the same cases without worked cases, with the core alone, and by each policy.

        Args:
            **how: As the attributes of `harness.sdk.eval_wishes.EvalWishes`, but for the policy.
        """
        from harness.sdk.ablate import ablate

        return await ablate(self._harness, **how)

    def map(self, source: str | Path, target: str | Path, **how: Any) -> Mapped:
        """Answer every row of a table. See `harness.sdk.bulk.answer_rows`."""
        from harness.sdk.bulk import answer_rows

        return portal.call(lambda: answer_rows(self._harness, Path(source), Path(target), **how))

    def calibrate(self, run: str, grader: str = "rubric") -> Calibration:
        """Hold a run's judge against the experts' `labels.csv`.

        Raises:
            EvalError: There are no labels on this run's cases.
        """
        from harness.evals.labels import calibrate, read_labels

        domain = self._opened.read()
        return calibrate(self.load(run), read_labels(domain.path / "labels.csv"), grader)


def load(home: Path, run: str, settings: Settings) -> EvalRun:
    """Return a run that is kept in a state folder, or the database that the settings name.

    Raises:
        EvalError: There is no such run.
    """
    from harness.evals.loading import load_run

    store = make_eval_store(home, settings)
    try:
        return load_run(store, run)
    finally:
        store.close()
