"""Long work on an open domain: runs with tools, the runs that there are, and their export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.documents.export import ExportFormat, Paper
    from harness.evals.graders.work import Work
    from harness.sdk.eval_wishes import EvalWishes, Parts
    from harness.sdk.examples import Examples, Saved
    from harness.sdk.hands import Hands
    from harness.sdk.journal_door import JournalDoor
    from harness.sdk.models import Models
    from harness.sdk.open_runs import OpenRuns, Said
    from harness.sdk.opened import Opened
    from harness.sdk.run import Budget, Respond, Run, RunResult
    from harness.sdk.sources import Sources
    from harness.seams import Model
    from harness.values import Answer, EvalCase

__all__ = ["LongWork"]


class LongWork:
    """The part of `Harness` that works on runs; it has the folder, the models and the journal."""

    models: Models
    _opened: Opened
    _door: JournalDoor

    if TYPE_CHECKING:

        @property
        def examples(self) -> Examples:
            """Of the folder."""

    @cached_property
    def runs(self) -> OpenRuns:
        """The runs of this state folder: to list, follow, steer, resume, fork, undo, verify."""
        from harness.sdk.open_runs import OpenRuns
        from harness.sdk.worker import Host, Worker

        host = Host(current=self._opened.current, models=self.models, hands=self._hands)
        return OpenRuns(self._door, Worker(host, self._door))

    @cached_property
    def _hands(self) -> Hands:
        """What the tools of runs work with; nothing is started before one is used."""
        from harness.sdk.hands import Hands

        return Hands(self._opened.home, self._opened.settings)

    def _hands_at_work(self) -> Hands | None:
        """Return the hands if any run had them."""
        found: Hands | None = self.__dict__.get("_hands")
        return found

    def example_of(self, run: str, *, answer: str | None = None, **how: Any) -> Saved:
        """Make a worked example of a run: what was asked, its answer, and the steps it took.

        It is a draft, as every correction is: accepted, it shows *how*, not only *what*.

        Args:
            run: Its id or the beginning of it, or `last`.
            answer: What it should have said, where that is not what it said.
            **how: `why`, `source`, `tags`, `name`, `by`, as for `examples.propose`.

        Raises:
            RunNotFound: There is none.
            UsageError: It has no answer, or no steps.
            DomainReadOnly, DomainInvalid: It can't be saved.
        """
        from harness.sdk.corrections import answered, propose_worked
        from harness.sdk.examples import Examples

        examples = Examples(self._opened)
        return propose_worked(examples, answered(self.runs, run), answer=answer, **how)

    def _recorded(self, run: str) -> Model:
        """Return what says again what the model of a run said: `replay:RUN`."""
        from harness.loop import recorded_model

        return recorded_model(self._door(), self.runs.find(run))

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
        pack: Mapping[str, Any] | None = None,
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
            pack: How the context is packed, as for `apreview`: policy, budget, sections, exclude.

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
            model=model,
            name=name,
            pack=pack,
        )

    def export(
        self,
        what: Answer | Run | RunResult | str,
        path: str | Path,
        *,
        form: ExportFormat | None = None,
        question: str = "",
        files: str | Path | Sequence[str | Path] = (),
    ) -> tuple[str, ...]:
        """Write an answer or a run to a file, with its sources and their pages.

        Args:
            what: An answer, a run, its result, or the id of one.
            path: The file.
            form: docx, pdf, xlsx, md or json; by default as the file's ending says.
            question: What was asked, where the answer was not recorded.
            files: That belonged to the question: quotes of the answer are looked up there, too.

        Returns:
            What a reader should know: characters that have no font, say.

        Raises:
            UsageError: The ending names no format.
            DocumentError: The file could not be made.
            OSError: It can't be written.
        """
        from harness.sdk.paper import form_of, write_paper

        target = Path(path)
        form = form or form_of(target)  # refused before anything is read
        return write_paper(self._paper(what, question, files), target, form)

    def sources(self, run: str = "", *, files: str | Path | Sequence[str | Path] = ()) -> Sources:
        """Return what answers can be quoted from: the references, and files that were attached.

        Args:
            run: Its attached files count, as they were then.
            files: Paths of files that belong to the question.

        Raises:
            RunNotFound, RunErased: The run can't be read.
        """
        from harness.sdk.attachments import quotable
        from harness.sdk.sources import Sources

        attached = self.runs.attached(run) if run else {}
        return Sources(self.examples.domain, {**attached, **quotable(files)})

    def _paper(self, what: Answer | Run | RunResult | str, question: str, files: Any) -> Paper:
        from harness.errors import RunNotFound
        from harness.sdk.attachments import quotable
        from harness.sdk.equipment import quotes_of
        from harness.sdk.paper import paper_of_answer
        from harness.values import Answer

        domain = self._opened.current().domain
        if not isinstance(what, Answer):
            run = _id_of(what)
            return replace(self.runs.paper(self.runs.find(run)), title=domain.title)
        with suppress(RunNotFound):
            question = question or self.runs.show(what.run).started.goal
        return paper_of_answer(
            what,
            title=domain.title,
            question=question,
            find_quote=quotes_of(domain, quotable(files)),
            language=domain.settings.language or "en",
        )

    async def run_case(self, parts: Parts, case: EvalCase, wishes: EvalWishes) -> Work:
        """Do an eval case as long work. See `harness.sdk.agentic`."""
        from harness.sdk.agentic import run_case

        return await run_case(self._door, self._hands, parts, case, wishes)

    arun = run  # for `async with` and `async for`


def _id_of(what: Run | RunResult | str) -> str:
    from harness.sdk.run import RunResult

    if isinstance(what, str):
        return what
    return what.run if isinstance(what, RunResult) else what.id
