"""Harness: a domain folder in, a packed context and a measured answer out."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import anyio
import anyio.to_thread

from harness.domain import Domain
from harness.domain.core_lock import write_core_lock
from harness.errors import UsageError
from harness.sdk import portal
from harness.sdk.bundled import find_domain, refuse_bundled
from harness.sdk.journal_door import JournalDoor
from harness.sdk.long_work import LongWork
from harness.sdk.models import Models
from harness.sdk.opened import Current, Opened, linted
from harness.sdk.options import AskOptions, ContextOptions, EvalOptions, refuse_unknown
from harness.sdk.results import Estimate, Indexed
from harness.sdk.wishes import check_known, check_wishes, pack_options
from harness.settings import Settings
from harness.values import Answer, Delta, Problem
from harness.values_packed import Packed
from harness.wiring import make_ratios

if TYPE_CHECKING:
    from harness.evals import EvalRun
    from harness.sdk.conversation import Conversation
    from harness.sdk.domain_files import DomainFiles
    from harness.sdk.evals import Evals
    from harness.sdk.examples import Examples
    from harness.seams import Embedder, Model, Progress

__all__ = ["Estimate", "Harness", "Indexed"]


class Harness(LongWork):
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
        if settings is not None and (home is not None or (own is None and model is not None)):
            raise UsageError(
                "`settings` stand beside `model` or `home`.", "Put those into the settings."
            )
        flags = {"model": name, "home": str(home) if home else None}
        self.settings = settings or Settings(flags)
        self._opened = Opened(
            find_domain(domain), self.settings, embedder=embedder, progress=progress
        )
        ratios = make_ratios(self.home)
        self.models = Models(self.settings, dict(model_options or {}), own, self._recorded, ratios)
        self._door = JournalDoor(self.settings, self.home)

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Harness:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Let go of the index and of connections, and end what tools started.

        A later call opens them again.
        """
        if hands := self._hands_at_work():
            hands.close()
        self._opened.close()
        self._door.close()
        portal.call(self.models.aclose)

    async def aclose(self) -> None:
        """Let go of the index, of what tools started, and of the running loop's connections."""
        if hands := self._hands_at_work():
            await hands.aclose()
        self._opened.close()
        await anyio.to_thread.run_sync(self._door.close)
        await self.models.aclose()

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
        return linted(self._opened.read())

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
            write_core_lock(current.domain.path, ids, current.domain.examples)
        return ids

    @cached_property
    def examples(self) -> Examples:
        """The folder's examples: to list, propose, review, accept, retire, import."""
        from harness.sdk.examples import Examples

        return Examples(self._opened)

    @cached_property
    def files(self) -> DomainFiles:
        """The folder's files that experts write by hand: to read, check, save."""
        from harness.sdk.domain_files import DomainFiles

        return DomainFiles(self._opened)

    # --- questions ---------------------------------------------------------------------------

    def preview(self, text: str, **how: Unpack[ContextOptions]) -> Packed:
        """Return the packed context for a question; no model is called. See `apreview`."""
        return portal.call(lambda: self.apreview(text, **how))

    async def apreview(self, text: str, **how: Unpack[ContextOptions]) -> Packed:
        """Return the packed context for a question; no model is called.

        Args:
            text: The question.
            **how: See `harness.sdk.options.ContextOptions`.

        Raises:
            UsageError: An option is unknown, or its value is off.
            DomainInvalid: The folder has errors.
            QuestionTooLong: The question does not fit the budget.
        """
        return (await self._prepare(text, how))[1]

    async def _prepare(
        self,
        text: str,
        how: ContextOptions,
        current: Current | None = None,
        ratio: float | None = None,
    ) -> tuple[Current, Packed]:
        """Pack for a question, over the domain as it is now or as it was given."""
        refuse_unknown(how, ContextOptions)
        check_wishes(text, how)  # before a whole domain is indexed for nothing

        def work() -> tuple[Current, Packed]:
            now = current or self._opened.current()
            check_known(how, now.domain)
            name = self.models.name(now.domain.settings)
            known = self.models.packing_ratio(name) if ratio is None else ratio
            return now, now.packer.pack(text, ratio=known, **pack_options(how))

        return await anyio.to_thread.run_sync(work)

    def estimate(self, text: str, **how: Unpack[ContextOptions]) -> Estimate:
        """Return what asking would send, to whom, at what price; nothing is sent."""
        current, packed = portal.call(lambda: self._prepare(text, how))
        model = self.models.main(current.domain.settings)
        return Estimate(
            model=model.name,
            destination=model.destination,
            packed=packed,
            input_cost_usd=model.cost(int(packed.tokens * packed.ratio), 0),
        )

    def ask(self, text: str, **how: Unpack[AskOptions]) -> Answer:
        """Answer a question. See `aask`."""
        return portal.call(lambda: self.aask(text, **how))

    async def aask(self, text: str, **how: Unpack[AskOptions]) -> Answer:
        """Answer a question.

        Args:
            text: The question.
            **how: See `harness.sdk.options.AskOptions`.

        Raises:
            UsageError: An option is unknown, or its value is off.
            DomainInvalid: The folder has errors.
            QuestionTooLong: The question does not fit the budget.
            ModelError: The model could not answer; see `harness.errors`.
        """
        async with aclosing(self.astream(text, **how)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise AssertionError("astream ends with an Answer")

    def stream(self, text: str, **how: Unpack[AskOptions]) -> Iterator[Delta | Answer]:
        """Yield the answer as it comes. See `astream`."""
        return portal.iterate(lambda: self.astream(text, **how))

    async def astream(
        self, text: str, **how: Unpack[AskOptions]
    ) -> AsyncGenerator[Delta | Answer, None]:
        """Yield text as the model says it, and the whole `Answer` last.

        A `Delta` with `restart` says that the stream broke and begins anew.

        Args:
            text: The question.
            **how: See `harness.sdk.options.AskOptions`.

        Raises:
            As `aask`.
        """
        from harness.loop import UNKNOWN_RATIO
        from harness.sdk.asking import Asked, Question

        keep, before = how.pop("record", True), how.pop("before", None)
        current, ratio = how.pop("current", None), how.pop("ratio", None)
        account = how.pop("account", None)
        question = Question(self._door if keep else None, before, how.pop("name", None))
        try:
            current, packed = await self._prepare(text, how, current, ratio)
            settings = current.domain.settings
            model = self.models.main(settings)
            asked = Asked(
                domain=current.domain,
                text=text,
                packed=packed,
                model=model,
                ratio=self.models.known_ratio(model.name) or UNKNOWN_RATIO,
                fallback=self.models.fallback(settings),  # refused now, or never
                schema=how.get("schema"),
                listed=account is None,
            )
            if account is not None:
                account(packed)
        except BaseException:
            question.drop()
            raise
        async with aclosing(question.ask(asked)) as events:
            async for event in events:
                if isinstance(event, Answer) and ratio is None and question.state is not None:
                    await self.models.learn(question.state.learnt)
                yield event

    def conversation(self, run: str | None = None) -> Conversation:
        """Return a conversation: each question goes on with what was said before.

        Args:
            run: A question that was asked before, to go on from; None begins anew.
        """
        from harness.sdk.conversation import Conversation

        return Conversation(self.astream, self.runs, run)

    # --- evals -------------------------------------------------------------------------------

    def evaluate(self, **how: Unpack[EvalOptions]) -> EvalRun:
        """Run eval cases and score the answers. See `aevaluate`."""
        return portal.call(lambda: self.aevaluate(**how))

    async def aevaluate(self, **how: Unpack[EvalOptions]) -> EvalRun:
        """Run eval cases and score the answers.

        Args:
            **how: As the attributes of `harness.sdk.eval_wishes.EvalWishes`.

        Raises:
            UsageError: An option is unknown.
            EvalError: There is no such case.
            ModelError: No case can be answered: no key, unknown model, provider not allowed.
        """
        from harness.sdk.eval_wishes import EvalWishes
        from harness.sdk.evaluate import evaluate

        refuse_unknown(how, EvalOptions)
        return await evaluate(await self.evals.parts(), EvalWishes(**how))

    @property
    def evals(self) -> Evals:
        """What can be done with evals beside running them: compare, ablate, export, seal."""
        from harness.sdk.evals import Evals

        return Evals(self, self._opened)
