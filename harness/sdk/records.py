"""The runs of a state folder: list, read, follow, steer, decide, verify, export, erase.

What asks something of a run at work goes into its inbox: only the process that works on a run
writes its journal.
"""

from __future__ import annotations

import builtins
import getpass
import os
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import UsageError
from harness.journal.commands import Answer, Cancel, Command, Decide, Steer
from harness.journal.events import Recorded
from harness.journal.export import to_jsonl, to_markdown
from harness.journal.parts import Scope
from harness.sdk.account import Account, Following, Telling
from harness.sdk.journal_door import JournalDoor
from harness.sdk.run_files import RunFiles
from harness.sdk.runs import STATES, is_eval_run, state_of
from harness.settings import Settings, find_home

if TYPE_CHECKING:
    from harness.documents.export import Paper
    from harness.journal.summary import RunSummary
    from harness.journal.verify import Verdict
    from harness.loop import Replayed
    from harness.seams_journal import Journal

__all__ = ["Account", "Records", "workspace_folder"]

Form = Literal["jsonl", "markdown"]
LOOK = 0.5
"""Seconds between looks whether somebody still works on a run."""


class Records:
    """The runs of a state folder, as `h.runs` and `harness runs` have them.

    Args:
        door: Opens the journal.
    """

    def __init__(self, door: JournalDoor) -> None:
        self._door = door

    @classmethod
    def of(cls, settings: Settings) -> Records:
        """Return the runs of the state folder that the settings name; needs no domain."""
        return cls(JournalDoor(settings, find_home(settings)))

    @property
    def journal(self) -> Journal:
        """The journal behind it."""
        return self._door()

    @property
    def door(self) -> JournalDoor:
        """What opens the journal."""
        return self._door

    # --- reading -------------------------------------------------------------------------------

    def list(
        self, *, domain: str | None = None, state: str | None = None, evals: bool = False
    ) -> list[RunSummary]:
        """Return all runs, newest first.

        Args:
            domain: Only of this domain.
            state: Only in this state: see `STATES`.
            evals: Those that work on eval cases, too.

        Raises:
            UsageError: There is no such state.
        """
        if state is not None and state not in STATES:
            raise UsageError(f"There is no state {state!r}.", f"Give one of: {', '.join(STATES)}.")
        return [
            one
            for one in self.journal.runs()
            if domain in (None, one.tally.domain)
            and state in (None, one.tally.state, state_of(one))
            and (evals or not is_eval_run(one.run))
        ]

    def find(self, name: str) -> str:
        """Return the id of a run from its beginning, or from `last`.

        Raises:
            RunNotFound: There is none.
            UsageError: Several begin so.
        """
        if name == "last":
            every = [one for one in self.list() if one.tally.relation != "delegate"]
            return every[0].run if every else self.journal.run(name).run
        found = [one.run for one in self.journal.runs() if one.run.startswith(name)]
        if name in found or not found:
            return self.journal.run(name).run
        if len(found) > 1:
            raise UsageError(f"{len(found)} runs begin with {name}.", "Write more of the id.")
        return found[0]

    def show(self, run: str) -> Account:
        """Return what is known of a run.

        Raises:
            RunNotFound: There is none.
            RunErased: It can't be read any more.
            JournalDamaged: It was altered.
        """
        summary = self.journal.run(run)
        telling = Telling()
        for recorded in self.journal.read(run):
            telling.note(recorded.event)
        return telling.account(summary)

    def following(self, run: str) -> Following:
        """Return what looks at a run again and again, and reads only what is new of it."""
        return Following(self.journal, run)

    def folder_of(self, run: str) -> str:
        """Return the domain folder that a run began with.

        Raises:
            UsageError: The record does not say, or it is not there any more.
        """
        for recorded in self.journal.read(run, until=1):
            folder = getattr(recorded.event, "options", {}).get("folder", "")
            if folder and Path(folder).is_dir():
                return str(folder)
        raise UsageError(
            f"The domain folder of run {run} is not where it was.", "Name it with --domain."
        )

    def events(self, run: str, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """Yield the events of a run as they stand now, behind one number, up to another."""
        return self.journal.read(run, after, until)

    def tail(
        self, run: str, after: int = 0, *, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Recorded]:
        """Yield the events of a run as they come, from any process, until it ends."""
        return self.journal.tail(run, after, stop=stop)

    def follow(self, run: str, after: int = 0) -> Iterator[Recorded]:
        """Yield the events of a run as they come, until it ends or nobody works on it."""
        looked = [0.0]

        def left_alone() -> bool:
            now = time.monotonic()
            if now - looked[0] < LOOK:
                return False
            looked[0] = now
            return not self.journal.run(run).worker

        for recorded in self.journal.tail(run, after, stop=left_alone):
            yield recorded
            after = recorded.seq
        yield from self.journal.read(run, after)  # what came after the last look

    def export(self, run: str, form: Form = "jsonl") -> Iterator[str]:
        """Yield a run for other programs or for people, piece by piece; reasoning is in neither."""
        events = self.journal.read(run)
        return to_jsonl(events) if form == "jsonl" else to_markdown(events)

    def files(self, run: str) -> RunFiles:
        """Return the files that came of a run: to list with type, size, hash and step, to save."""
        return RunFiles(self.journal, run, workspace_folder(self._door.home, run))

    def worked_steps(self, run: str) -> tuple[str, ...]:
        """Return how a run was worked, as the `steps` of an example: calls, code, results."""
        from harness.sdk.worked_steps import steps_of

        return steps_of(self.journal.read(run))

    def paper(self, run: str) -> Paper:
        """Return a run as a paper: see `harness.documents.export`.

        Quotes that nobody looked up yet are looked up in the domain, if it is where it was.
        """
        from harness.sdk.paper import paper_of_events

        return paper_of_events(self.journal.read(run), self._quotes(run))

    def _quotes(self, run: str) -> Callable[[str, str], Any] | None:
        from harness.domain import read_domain
        from harness.sdk.equipment import quotes_of

        def find(source: str, quote: str) -> Any:
            if not finders:
                finders.append(quotes_of(read_domain(Path(self.folder_of(run)))))
            return finders[0](source, quote)

        finders: builtins.list[Any] = []
        try:
            self.folder_of(run)
        except UsageError:
            return None
        return find

    def verify(self, run: str | None = None) -> builtins.list[Verdict]:
        """Compare a run, or all, with chain, signatures, anchors and blobs."""
        journal = self.journal
        return [journal.verify(run)] if run else list(journal.verify_all())

    def replay(self, run: str) -> Replayed:
        """Do a run again without a model or tools; say the first difference, if there is one.

        Raises:
            RunNotFound, RunErased, JournalDamaged: It can't be read.
        """
        from harness.loop import replay
        from harness.sdk import portal
        from harness.wiring import make_counter, make_model

        def price(model: str, tokens: int, output: int) -> Decimal | None:
            return make_model(model, settings=self._door.settings).cost(tokens, output)

        return portal.call(lambda: replay(self.journal, run, make_counter(), price=price))

    def erase(self, run: str) -> None:
        """Destroy a run's key, and its workspace: nobody can read it any more.

        The chain still verifies. The runs that it delegated to are erased with it.

        Raises:
            RunBusy: A process works on it.
        """
        from harness.wiring import remove_workspace

        for child in self.journal.runs(parent=run):
            if child.tally.relation == "delegate":
                self.erase(child.run)
        self.journal.erase(run)
        remove_workspace(workspace_folder(self._door.home, run))

    # --- asking something of a run ---------------------------------------------------------------

    def steer(self, run: str, text: str, *, by: str = "") -> None:
        """Say something to a run at work; it lands at the next boundary between tools."""
        if not text.strip():
            raise UsageError("There is nothing to say.", "Give the words.")
        self._send(run, Steer(text=text, by=by or _user()))

    def cancel(self, run: str, reason: str = "", *, by: str = "") -> None:
        """End a run; what it has done is kept."""
        self._send(run, Cancel(reason=reason, by=by or _user()))

    def answer(self, run: str, text: str, *, question: str | None = None) -> None:
        """Answer a question that the run asks.

        Args:
            run: Its id.
            text: The answer.
            question: Which question, where several wait.

        Raises:
            UsageError: None waits, or it is not clear which is meant.
        """
        asked = {one.question: one for one in self.show(run).questions}
        self.respond(run, _chosen(question, list(asked), "question"), text)

    def approve(
        self,
        run: str,
        call: str | None = None,
        *,
        scope: Scope = "once",
        arguments: Mapping[str, Any] | None = None,
        pattern: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> None:
        """Allow a call that waits for a decision.

        Args:
            run: Its id.
            call: Which call, where several wait.
            scope: This call, this tool for the rest of the run, or a rule.
            arguments: What to call it with instead.
            pattern: Of the rule: a glob for each argument that it binds.
            reason: Why, for the record.

        Raises:
            UsageError: None waits, or it is not clear which is meant.
        """
        self._decide(
            run, call, "allow", scope=scope, arguments=arguments, pattern=pattern, reason=reason
        )

    def deny(
        self, run: str, call: str | None = None, *, scope: Scope = "once", reason: str = ""
    ) -> None:
        """Refuse a call that waits for a decision; the model is told the reason."""
        self._decide(run, call, "deny", scope=scope, reason=reason)

    def _decide(
        self, run: str, call: str | None, decision: Literal["allow", "deny"], **how: Any
    ) -> None:
        waiting = [one.call for one in self.show(run).approvals]
        self.decide(run, _chosen(call, waiting, "approval"), decision, **how)

    def decide(
        self, run: str, call: str, decision: Literal["allow", "deny"], *, by: str = "", **how: Any
    ) -> None:
        """Send a decision on a call that is known to wait; see `approve`."""
        self._send(run, Decide(call=call, decision=decision, by=by or _user(), **how))

    def respond(self, run: str, question: str, text: str, *, by: str = "") -> None:
        """Send the answer to a question that is known to wait; see `answer`."""
        self._send(run, Answer(question=question, text=text, by=by or _user()))

    def _send(self, run: str, command: Command) -> None:
        state = self.journal.run(run).tally.state
        if state not in ("new", "running", "waiting", "needs_input"):
            raise UsageError(
                f"Run {run} has ended ({state}).", f"Take it up with `harness runs resume {run}`."
            )
        self.journal.send(run, command)


def workspace_folder(home: Path, run: str) -> Path:
    """Return the folder of a run's workspace, which need not be there."""
    return home / "workspaces" / run


def _chosen(given: str | None, waiting: list[str], what: str) -> str:
    if given is not None and given in waiting:
        return given
    if not waiting:
        raise UsageError(f"The run waits for no {what}.", "`harness runs show` says what it does.")
    if given is None and len(waiting) == 1:
        return waiting[0]
    said = f"There is no {what} {given}." if given else f"{len(waiting)} of them wait."
    raise UsageError(said, f"Give one of: {', '.join(waiting)}.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a process without a name on this machine
        return f"user {os.getuid()}"
