"""Harness: a domain folder in, a packed context and a measured answer out."""

from __future__ import annotations

import time
from collections.abc import (
    AsyncGenerator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from harness.context import Guard
from harness.domain import Domain, Policy, SectionSize, lint
from harness.errors import UsageError
from harness.sdk import portal
from harness.sdk.attachments import read_files
from harness.sdk.bundled import find_domain, refuse_bundled
from harness.sdk.core_lock import write_core_lock
from harness.sdk.opened import Current, Opened
from harness.sdk.records import JournalDoor
from harness.sdk.results import Estimate, Indexed
from harness.settings import Settings
from harness.values import Answer, Delta, EvalCase, Packed, Problem, Section
from harness.wiring import make_model

if TYPE_CHECKING:
    from harness.evals import EvalRun
    from harness.sdk.asking import Before
    from harness.sdk.conversation import Conversation
    from harness.sdk.open_runs import OpenRuns, Said
    from harness.sdk.run import Budget, Respond, Run
    from harness.seams import Embedder, Model, Progress
    from harness.values import Split

__all__ = ["Estimate", "Harness", "Indexed"]

Sections = Mapping[Section, int | str | SectionSize]


class Harness:
    """A domain, open for questions.

    Every method that waits has a twin for async callers (`ask`, `aask`); both run the same code.
    The folder may change at any time: each call sees it as it is then.

    Args:
        domain: Path of a domain folder, or the name of a shipped domain.
        model: `provider:model` or `baseline:nearest`; goes before every other word on it. A
            `Model` of your own is used as it is.
        model_options: Reach the provider's client as they are; go before the domain's.
        home: The state folder.
        settings: All settings, where the caller has resolved them.
        embedder: Instead of the one that the domain names.
        progress: Told (done, of how many) while texts are embedded.
    """

    def __init__(
        self,
        domain: str | Path,
        *,
        model: str | Model | None = None,
        model_options: Mapping[str, Any] | None = None,
        home: str | Path | None = None,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        progress: Progress | None = None,
    ) -> None:
        own = None if model is None or isinstance(model, str) else model
        name = own.name if own else model
        flags = {"model": name, "home": str(home) if home else None}
        self.settings = settings or Settings(flags)
        self._own_model = own
        self._options = dict(model_options or {})
        self._opened = Opened(
            find_domain(domain), self.settings, embedder=embedder, progress=progress
        )
        self._models: dict[str, Model] = {}
        self._door = JournalDoor(self.settings, self.home)
        self._runs: OpenRuns | None = None

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index and of connections; a later call opens them again."""
        self._opened.close()
        self._door.close()
        for model in self._models.values():
            portal.call(model.aclose)

    async def aclose(self) -> None:
        """Let go of the index, and of the connections that the running loop opened."""
        self._opened.close()
        await anyio.to_thread.run_sync(self._door.close)
        for model in self._models.values():
            await model.aclose()

    @property
    def home(self) -> Path:
        """The state folder."""
        return self._opened.home

    @property
    def domain(self) -> Domain:
        """The domain as it is now.

        Raises:
            DomainInvalid: It has errors.
        """
        return self._opened.current().domain

    # --- the folder --------------------------------------------------------------------------

    def lint(self) -> tuple[Problem, ...]:
        """Return everything that is wrong in the folder, by file and line.

        Raises:
            DomainNotFound: There is no domain there.
        """
        return lint(self._opened.read())

    def index(self) -> Indexed:
        """Bring the index up to date.

        Raises:
            DomainInvalid: The folder has errors.
            BankError: The index can't be written.
        """
        started = time.perf_counter()
        current = self._opened.current()
        kinds = [item.kind for item in current.bank.items]
        return Indexed(
            domain=current.domain.name,
            version=current.domain.version,
            items={
                "examples": kinds.count("example"),
                "evals": kinds.count("eval"),
                "passages": kinds.count("passage"),
            },
            embedded=current.embedded,
            reused=current.reused,
            seconds=time.perf_counter() - started,
        )

    def core(self, *, write: bool = True) -> list[str]:
        """Choose the stable core anew; return the chosen ids.

        Args:
            write: Write them to the folder's `core.lock`.

        Raises:
            DomainReadOnly: The domain ships with Harness.
        """
        current = self._opened.current()
        if write:
            refuse_bundled(current.domain.path)
        ids = current.packer.foundation.core_ids()
        if write:
            write_core_lock(current.domain.path, ids)
        return ids

    # --- questions ---------------------------------------------------------------------------

    def preview(self, text: str, **how: Any) -> Packed:
        """Return the packed context for a question; no model is called. See `apreview`."""
        return portal.call(lambda: self.apreview(text, **how))

    async def apreview(
        self,
        text: str,
        *,
        files: Sequence[str | Path] = (),
        policy: Policy | None = None,
        budget: int | None = None,
        sections: Sections | None = None,
        exclude: Iterable[str] = (),
        guard_case: EvalCase | None = None,
    ) -> Packed:
        """Return the packed context for a question; no model is called.

        Args:
            text: The question.
            files: Paths of files that belong to it.
            policy: How the tail is chosen.
            budget: Tokens of everything that is packed.
            sections: Tokens (`500`) or shares (`"25 %"`) of sections.
            exclude: Ids of items that shall not be shown.
            guard_case: The eval case that the question comes from.

        Raises:
            DomainInvalid: The folder has errors.
            QuestionTooLong: The question does not fit the budget.
        """
        if not text.strip():  # before a whole domain is indexed for nothing
            raise UsageError("The question is empty.", "Say what you want to know.")

        def work() -> Packed:
            return self._opened.current().packer.pack(
                text,
                files=read_files(files),
                policy=policy,
                budget=budget,
                sections=_sizes(sections),
                exclude=exclude,
                guard=Guard(guard_case) if guard_case else None,
            )

        return await anyio.to_thread.run_sync(work)

    def estimate(self, text: str, **how: Any) -> Estimate:
        """Return what asking would send, to whom, at what price; nothing is sent."""
        packed = self.preview(text, **how)
        model = self._model()
        return Estimate(
            model=model.name,
            destination=model.destination,
            packed=packed,
            input_cost_usd=model.cost(packed.tokens, 0),
        )

    def ask(self, text: str, **how: Any) -> Answer:
        """Answer a question. See `aask`."""
        return portal.call(lambda: self.aask(text, **how))

    async def aask(self, text: str, **how: Any) -> Answer:
        """Answer a question.

        Args:
            text: The question.
            **how: As for `apreview`, and `schema`: a JSON Schema for this answer.

        Raises:
            DomainInvalid: The folder has errors.
            QuestionTooLong: The question does not fit the budget.
            ModelError: The model could not answer; see `harness.errors`.
        """
        async with aclosing(self.astream(text, **how)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise AssertionError("astream ends with an Answer")

    def stream(self, text: str, **how: Any) -> Iterator[Delta | Answer]:
        """Yield the answer as it comes. See `astream`."""
        return portal.iterate(lambda: self.astream(text, **how))

    async def astream(
        self,
        text: str,
        *,
        schema: Mapping[str, Any] | None = None,
        record: bool = True,
        before: Before | None = None,
        **how: Any,
    ) -> AsyncGenerator[Delta | Answer, None]:
        """Yield text as the model says it, and the whole `Answer` last.

        A `Delta` with `restart` says that the stream broke and begins anew.

        Args:
            text: The question.
            schema: A JSON Schema for this answer.
            record: Keep it in the journal, as a run.
            before: The conversation that it goes on with; see `conversation`.
            **how: As for `apreview`.

        Raises:
            As `aask`.
        """
        from harness.sdk.asking import Asked, Question

        question = Question(self._door if record else None, before)
        try:
            packed = await self.apreview(text, **how)
            asked = Asked(
                domain=self._opened.current().domain,
                text=text,
                packed=packed,
                model=self._model(),
                fallback=self._fallback(),
                schema=schema,
            )
        except BaseException:
            question.drop()
            raise
        async with aclosing(question.ask(asked)) as events:
            async for event in events:
                yield event

    def conversation(self, run: str | None = None) -> Conversation:
        """Return a conversation: each question goes on with what was said before.

        Args:
            run: A question that was asked before, to go on from; None begins anew.
        """
        from harness.sdk.conversation import Conversation

        return Conversation(self, self.runs, run)

    # --- long work ---------------------------------------------------------------------------

    @property
    def runs(self) -> OpenRuns:
        """The runs of this state folder: to list, follow, steer, resume, fork, undo, verify."""
        if self._runs is None:
            from harness.sdk.open_runs import OpenRuns
            from harness.sdk.worker import Host, Worker

            host = Host(
                current=self._opened.current,
                model=lambda name: self._made(name) if name else self._model(),
                fallback=self._fallback,
            )
            self._runs = OpenRuns(self._door, Worker(host, self._door))
        return self._runs

    def run(
        self,
        goal: str,
        *,
        files: Sequence[str | Path] = (),
        approve: Said = "ask",
        respond: Respond | None = None,
        attended: bool | None = None,
        budget: Budget | None = None,
        model: str | None = None,
        name: str | None = None,
        **pack: Any,
    ) -> Run:
        """Work on a task with tools; returns at once, and works as it is iterated over.

        with h.run("Check this lease", files=["lease.pdf"], approve=lambda call: True) as run:
            for event in run:
                ...
        print(run.result.text)

        Args:
            goal: What is to be done.
            files: Copied into the run's workspace.
            approve: A function that decides on calls which ask for approval (True, False or a
                `Decision`); or `ask`: somebody else decides; `never`: such calls are refused;
                `auto`: only what the domain's rules allow is done.
            respond: A function that answers the model's questions.
            attended: Wait for what others decide or answer (`harness runs approve`); else a run
                that needs it ends as `needs_input` and can be resumed. By default: whether
                there is a function to ask.
            budget: What it may use; the domain's `budgets` fill the gaps.
            model: `provider:model` instead of the one that answers now.
            name: Id for the run.
            **pack: As for `apreview`: policy, budget, sections, exclude.

        Raises:
            UsageError: The goal is empty. What else is wrong is raised while it works.
        """
        return self.runs.begin(
            goal,
            files=files,
            approve=approve,
            respond=respond,
            attended=attended,
            budget=budget,
            defaults=_budget(self.domain),
            model=model,
            name=name,
            **pack,
        )

    def arun(self, goal: str, **how: Any) -> Run:
        """Work on a task, for `async with` and `async for`. See `run`."""
        return self.run(goal, **how)

    # --- evals -------------------------------------------------------------------------------

    def evaluate(self, **how: Any) -> EvalRun:
        """Run eval cases and score the answers. See `aevaluate`."""
        return portal.call(lambda: self.aevaluate(**how))

    async def aevaluate(
        self,
        *,
        split: Split = "dev",
        limit: int | None = None,
        jobs: int | None = None,
        policy: Policy | None = None,
        guard: bool = True,
        progress: Callable[[int, int], None] | None = None,
        cases: Iterable[str] | None = None,
    ) -> EvalRun:
        """Run eval cases and score the answers.

        Args:
            split: `dev` or `holdout`.
            limit: Only the first so many cases of a fixed shuffle of the split.
            jobs: How many cases run at once.
            policy: How the tail is chosen.
            guard: Keep each case, its twins and siblings out of its own context. Without it the
                score is inflated; for showing by how much.
            progress: Told (done, of how many).
            cases: Only the cases with these ids.

        Raises:
            EvalError: There is no such case.
            ModelError: No case can be answered: no key, unknown model, provider not allowed.
        """
        from harness.sdk.evaluate import evaluate

        return await evaluate(
            self,
            split=split,
            limit=limit,
            jobs=jobs or self.settings["jobs"],
            policy=policy,
            guard=guard,
            progress=progress,
            ids=None if cases is None else frozenset(cases),
        )

    # --- the model ---------------------------------------------------------------------------

    def current(self) -> Current:
        """Return the domain with its index and packer, as the folder is now."""
        return self._opened.current()

    def model_name(self) -> str:
        """Return the name of the model that would answer now."""
        said = self._opened.current().domain.settings.model
        return str(self.settings.beside("model", said).value)

    def _model(self) -> Model:
        return self._made(self.model_name())

    def _fallback(self) -> Model | None:
        said = self._opened.current().domain.settings.fallback_model
        name = self.settings.beside("fallback_model", said).value
        return self._made(name) if name else None

    def _made(self, name: str) -> Model:
        """Return the model of that name; one is made for each name and kind of options."""
        if self._own_model and name == self._own_model.name:
            return self._own_model
        if name.startswith("replay:"):
            from harness.loop import recorded_model

            return recorded_model(self._door(), self.runs.find(name.removeprefix("replay:")))
        settings = self._opened.current().domain.settings
        options = {**settings.model_options, **self._options}
        key = f"{name}\0{options!r}\0{settings.providers_allowed!r}"
        if key not in self._models:
            self._models[key] = make_model(
                name, settings=self.settings, options=options, allowed=settings.providers_allowed
            )
        return self._models[key]


def _sizes(sections: Sections | None) -> dict[Section, SectionSize]:
    try:
        return {name: SectionSize.read(size) for name, size in (sections or {}).items()}
    except ValueError as error:
        raise UsageError(f"A section's size is off: {error}.", "Write 500 or 25 %.") from error


def _budget(domain: Domain) -> Budget:
    """Return what `domain.yaml` lets one run use."""
    from harness.sdk.run import Budget

    given = domain.settings.budgets
    minutes = None if given.minutes is None else float(given.minutes)
    return Budget(usd=given.usd, tokens=given.tokens, steps=given.steps, minutes=minutes)
