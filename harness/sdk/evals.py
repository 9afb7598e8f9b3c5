"""What can be done with evals beside running them: compare, ablate, export, seal."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import anyio.to_thread

from harness.sdk import portal
from harness.sdk.eval_wishes import Parts
from harness.wiring import make_eval_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.domain import Domain
    from harness.evals import EvalRun, EvalStore, Opening, RunRecord
    from harness.evals.ablation import Ablation
    from harness.evals.compare import Comparison
    from harness.evals.labels import Calibration
    from harness.evals.slices import Tagged
    from harness.evals.statistics import Score
    from harness.sdk.bulk import Mapped
    from harness.sdk.eval_unfinished import Unfinished
    from harness.sdk.harness import Harness
    from harness.sdk.labelling import Judged
    from harness.sdk.opened import Opened
    from harness.sdk.options import EvalOptions, MapOptions
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
            store=make_eval_store(harness.home, harness.settings),
            jobs=harness.settings["jobs"],
            ratio=harness.models.packing_ratio(harness.models.name(current.domain.settings)),
            embedder=lambda: self._opened.embedder(current.domain.settings),
            run_case=harness.run_case,
        )

    def _store(self) -> AbstractContextManager[EvalStore]:
        return closing(make_eval_store(self._harness.home, self._harness.settings))

    def domain(self) -> Domain:
        """Return the folder as it is, errors and all, without indexing it."""
        return self._opened.read()

    def runs(self) -> list[dict[str, Any]]:
        """Return the kept runs of the domain, the newest first: id, split, finished."""
        name = self._opened.read().name
        with self._store() as store:
            return [
                {"run": run, "split": split, "finished": finished, "config": config}
                for run, _, config, finished, split in store.records(name)
            ]

    def records(self, most: int) -> list[RunRecord]:
        """Return how the newest kept runs were begun: conditions and cases, without answers."""
        name = self._opened.read().name
        with self._store() as store:
            return [store.record(run) for run, *_ in store.records(name)[:most]]

    def unfinished(self, most: int = 5) -> Sequence[Unfinished]:
        """Return the newest runs that were stopped early, each with what goes on with it."""
        from harness.sdk.eval_unfinished import unfinished

        with self._store() as store:
            return unfinished(store, self._opened.read(), most)

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

    def openings(self) -> Sequence[Opening]:
        """Return every opening of the domain's sealed cases, the first one first."""
        name = self._opened.read().name
        with self._store() as store:
            return store.openings(name)

    def sealed_cases(self) -> int:
        """Return how many sealed cases the domain has; this is no opening."""
        from harness.sdk.sealed import count_sealed

        return count_sealed(self._opened.read())

    def judge(self, split: Split) -> str | None:
        """Return the model that judges a split's answers; "" where one has to be named first.

        None where its cases are graded without one. Sealed cases can't be looked into: where
        there are rubrics, they count as graded by them.
        """
        from harness.evals.graders import JUDGED

        domain = self._opened.read()
        cases = [case for case in domain.cases if case.split == split]
        judged = any(check.grader in JUDGED for case in cases for check in case.checks)
        if not judged and not (split == "sealed" and domain.rubrics):
            return None
        return self._harness.models.judge_name(domain.settings)

    def by_tag(self, run: EvalRun) -> Sequence[Tagged]:
        """Return a run's score for each tag of its cases."""
        from harness.evals.slices import by_tag

        return by_tag(run)

    def shared_scores(self, found: Comparison) -> tuple[Score, Score]:
        """Return each run's score, with its interval, over the cases that were compared."""
        from harness.evals.slices import shared_scores

        return shared_scores(found)

    def judged(self, run: str) -> Sequence[Judged]:
        """Return the verdicts of a run's judge, to be labelled in an order by chance.

        Raises:
            EvalError: There is no such run.
        """
        from harness.sdk.labelling import judged

        domain = self._opened.read()
        with self._store() as store:
            return judged(store, run, domain, self._harness.home)

    def label(self, one: Judged, *, met: bool, by: str = "", comment: str = "") -> None:
        """Write into `labels.csv` what an expert says of one verdict.

        Args:
            one: Of `judged`.
            met: The answer meets the criterion.
            by: Who says so; the user of this machine where nobody is named.
            comment: Why, in their words.

        Raises:
            DomainReadOnly: The domain ships with Harness, or can't be written.
        """
        from harness.sdk.examples import current_user
        from harness.sdk.labelling import write_label

        write_label(
            self._opened.read(),
            self._harness.home,
            one,
            met=met,
            by=by or current_user(),
            comment=comment,
        )

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

    def map(self, source: str | Path, target: str | Path, **how: Unpack[MapOptions]) -> Mapped:
        """Answer every row of a table. See `amap`."""
        return portal.call(lambda: self.amap(source, target, **how))

    async def amap(
        self, source: str | Path, target: str | Path, **how: Unpack[MapOptions]
    ) -> Mapped:
        """Answer every row of a table, and write it with the answers in new columns.

        Args:
            source: The table: .xlsx, .csv or .jsonl.
            target: The table with answers; its ending may be another one.
            **how: See `harness.sdk.options.MapOptions`.

        Raises:
            UsageError: An option is unknown; the table can't be read, or has no such column.
            StateError: What was answered can't be kept, or the target can't be written.
        """
        from harness.sdk.bulk import answer_rows
        from harness.sdk.options import MapOptions, refuse_unknown

        refuse_unknown(how, MapOptions)
        return await answer_rows(self._harness, Path(source), Path(target), **how)

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

    with closing(make_eval_store(home, settings)) as store:
        return load_run(store, run)
