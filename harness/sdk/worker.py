"""The worker: gives runs their means and hands them to the loop: new, resumed, forked ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio.to_thread

from harness.errors import RunNotFound
from harness.journal.events import (
    Recorded,
    RunFinished,
    RunStarted,
)
from harness.journal.parts import ApprovalMode, Limits
from harness.loop import (
    UNKNOWN_RATIO,
    Delegation,
    Loop,
    Means,
    Resumption,
    Rules,
    files_at,
    fork,
    load_state,
)
from harness.sdk.equipment import checks_of, quotes_of, tools_of, values_of
from harness.sdk.forked import fork_workspace
from harness.sdk.journal_door import JournalDoor
from harness.sdk.openings import (
    filled,
    keep_files,
    notices,
    offered,
    opening_of,
    pack_task,
    readers,
)
from harness.sdk.records import Records, workspace_folder
from harness.sdk.run import Approve, Respond, attend
from harness.values import Delta
from harness.wiring import make_counter, make_workspace, remove_workspace

if TYPE_CHECKING:
    from harness.adapters.workspace_folder import FolderWorkspace
    from harness.sdk.hands import Hands
    from harness.sdk.models import Models
    from harness.sdk.opened import Current
    from harness.seams import Model
    from harness.seams_journal import Journal, Writer

__all__ = ["Host", "Task", "Worker"]

Items = AsyncGenerator[Delta | Recorded, None]


@dataclass(frozen=True, kw_only=True)
class Host:
    """What the worker asks of an open domain.

    Attributes:
        current: The domain as it is now.
        models: Makes models by name.
        hands: What its tools work with; the open domain ends what they start.
    """

    current: Callable[[], Current]
    models: Models
    hands: Hands


@dataclass(frozen=True, kw_only=True)
class Task:
    """How a run is worked on.

    Attributes:
        approve: Decides on calls that wait, in this process.
        respond: Answers questions, in this process.
        waits: Somebody will answer, here or elsewhere: wait for it.
        model: Name of a model instead of the one that answers now.
        pack: How the context is packed: policy, budget, sections, exclude.
    """

    approve: Approve | None = None
    respond: Respond | None = None
    waits: bool = False
    model: str | None = None
    pack: Mapping[str, Any] | None = None


class Worker:
    """Works on the runs of a domain.

    Args:
        host: The open domain.
        door: Opens the journal.
    """

    def __init__(self, host: Host, door: JournalDoor) -> None:
        self._host = host
        self._door = door
        self._records = Records(door)

    @property
    def journal(self) -> Journal:
        """The journal."""
        return self._door()

    # --- a new run ------------------------------------------------------------------------------

    async def begin(
        self,
        name: str,
        goal: str,
        *,
        files: Sequence[str | Path],
        mode: ApprovalMode,
        limits: Limits,
        task: Task,
    ) -> Items:
        """Work on a new run.

        Args:
            name: Its id.
            goal: The request.
            files: Copied into its workspace.
            mode: What becomes of calls that ask for approval.
            limits: What it may use.
            task: How it is worked on.

        Raises:
            UsageError: A file can't be attached; the domain names a kit that is not there.
            ModelError: There is no such model.
        """
        current = await _thread(self._host.current)
        model = self._host.models.named(task.model, current.domain.settings)
        folder = workspace_folder(self._door.home, name)
        workspace = await _thread(partial(make_workspace, folder))
        begun = False
        try:
            names = await _thread(partial(workspace.attach, files))
            pack = {"ratio": self._host.models.packing_ratio(model.name), **(task.pack or {})}
            packed = await _thread(partial(pack_task, current, goal, names, pack))
            means = self._means(current, model, task, workspace, {})
            with await _thread(partial(self.journal.start, name)) as writer:
                kept = {one: workspace.read(one) for one in names}
                attached = await _thread(partial(keep_files, writer, kept))
                finder = quotes_of(current.domain, readers(kept))
                how = opening_of(
                    current.domain,
                    packed,
                    goal=goal,
                    model=model.name,
                    approvals=mode,
                    limits=filled(limits, current.domain),
                    files=attached,
                )
                loop = Loop(writer, replace(means, find_quote=finder), how)
                async with aclosing(cast(Any, loop.events())) as items:
                    async for item in items:
                        begun = True
                        yield item
                await self._learn(loop, task)
        finally:
            workspace.close()
            if not begun:
                remove_workspace(folder)

    # --- a run that is there --------------------------------------------------------------------

    async def resume(
        self, name: str, *, limits: Limits | None = None, message: str = "", task: Task
    ) -> Items:
        """Take a run up where it ends.

        Args:
            name: Its id.
            limits: What holds from now on; None keeps what held.
            message: Something new from the user.
            task: How it is worked on.

        Raises:
            RunNotFound, RunErased, JournalDamaged: It can't be read.
            RunBusy: Another process works on it.
            UsageError: It is done, and there is no message.
        """
        with await _thread(partial(self.journal.open_writer, name)) as writer:
            async for item in self._on(writer, limits=limits, message=message, task=task):
                yield item

    async def _on(
        self,
        writer: Writer,
        *,
        limits: Limits | None = None,
        message: str = "",
        reason: str = "",
        task: Task,
    ) -> Items:
        """Go on with a run whose writer is open."""
        name = writer.run
        started = await _thread(partial(self.started, name))
        current = await _thread(self._host.current)
        model = self._host.models.named(task.model or started.model, current.domain.settings)
        counter = make_counter()
        state = await _thread(partial(load_state, self.journal, name, counter))
        workspace = await _thread(partial(make_workspace, workspace_folder(self._door.home, name)))
        try:
            await _thread(partial(self._acknowledge, workspace, name))
            attached = await _thread(partial(self.attached, name))
            means = self._means(current, model, task, workspace, attached)
            how = Resumption(
                reason=reason,
                notices=notices(started, current.domain, model.name, state.request),
                limits=limits,
                message=message,
            )
            loop = Loop(writer, means, how, state=state)
            async with aclosing(cast(Any, loop.events())) as items:
                async for item in items:
                    yield item
            await self._learn(loop, task)
        finally:
            workspace.close()

    async def fork(
        self, name: str, parent: str, *, at: int, message: str = "", task: Task
    ) -> Items:
        """Go another way from an event of a run on, in a run and a workspace of its own.

        Args:
            name: Id of the new run.
            parent: The run that it comes from.
            at: The parent's last event that counts.
            message: What is to be done otherwise.
            task: How it is worked on.
        """
        folder = workspace_folder(self._door.home, name)
        await _thread(partial(fork_workspace, self.journal, folder, parent, at))
        begin = partial(fork, self.journal, parent, name, seq=at, model=task.model or "")
        await _thread(begin)
        for recorded in await _thread(lambda: list(self.journal.read(name))):
            yield recorded
        with await _thread(partial(self.journal.open_writer, name)) as writer:
            async for item in self._on(writer, message=message, reason="fork", task=task):
                yield item

    def started(self, name: str) -> RunStarted:
        """Return a run's first event.

        Raises:
            RunNotFound: It has none.
        """
        for recorded in self.journal.read(name, until=1):
            if isinstance(recorded.event, RunStarted):
                return recorded.event
        raise RunNotFound(f"Run {name} never began.")

    def _acknowledge(self, workspace: FolderWorkspace, name: str) -> None:
        """Tell a workspace what of its changes the journal has, after a process was killed."""
        kept = files_at(self.journal, name)

        def recorded(path: str) -> bytes | None:
            one = kept.get(path)
            return self.journal.blob(one.run, one.blob) if one else None

        workspace.acknowledge(recorded)

    def attached(self, name: str) -> dict[str, Callable[[], bytes]]:
        """Return what reads the files that a run, or the one that it comes from, was given."""
        started = self.started(name)
        found = self.attached(started.parent) if started.relation == "fork" else {}
        for one in started.files:
            found[one.path] = partial(self.journal.blob, name, one.blob)
        return found

    async def _learn(self, loop: Loop, task: Task) -> None:
        """Remember how the models counted, but where the caller says how to pack for them."""
        if "ratio" not in (task.pack or {}):
            await self._host.models.learn(loop.state.learnt)

    # --- means ----------------------------------------------------------------------------------

    def _means(
        self,
        current: Current,
        model: Model,
        task: Task,
        workspace: Any,
        attached: Mapping[str, Callable[[], bytes]],
    ) -> Means:
        settings = current.domain.settings
        approvals = settings.approvals
        means = Means(
            model=model,
            counter=make_counter(),
            tools=offered(
                tools_of(current, workspace, self._host.hands, (task.pack or {}).get("guard")),
                here=bool(task.approve) and task.respond is None,
            ),
            fallback=self._host.models.fallback(settings),
            rules=Rules.read(deny=approvals.deny, ask=approvals.ask, allow=approvals.allow),
            workspace=workspace,
            find_quote=quotes_of(current.domain, attached),
            check=checks_of(current.domain),
            value=values_of(current.domain),
            mask=self._door.masker.text,
            waits=task.waits,
            token_ratio=self._host.models.known_ratio(model.name) or UNKNOWN_RATIO,
        )
        return replace(means, delegate=partial(self._delegate, current, means, task))

    # --- assistants -----------------------------------------------------------------------------

    async def _delegate(
        self, current: Current, means: Means, task: Task, given: Delegation
    ) -> RunFinished:
        """Work on a child run to its end, in its parent's workspace."""
        theirs = replace(
            means,
            tools=[one for one in means.tools if one.name not in ("ask", "delegate")],
            rules=given.rules,
            tracks_changes=False,
            check=None,
            value=None,
            delegate=None,
            stop=given.stop,
        )

        async def emit(item: Delta | Recorded) -> None:
            if isinstance(item, Recorded):
                await attend(self._records, given.run, item.event, task.approve, task.respond)

        writer, loop = await _thread(partial(self._child, current, theirs, given))
        with writer:
            finished: RunFinished = await loop.run(emit)
        return finished

    def _child(self, current: Current, means: Means, given: Delegation) -> tuple[Writer, Loop]:
        """Begin a child run, or take it up again after its parent was killed."""
        try:
            writer = self.journal.open_writer(given.run)
        except RunNotFound:
            writer = self.journal.start(given.run)
        if writer.seq:
            state = load_state(self.journal, given.run, means.counter)
            if state.finished and state.finished.stop in ("completed", "unverified"):
                return writer, cast(Loop, _Done(state.finished))
            return writer, Loop(writer, means, Resumption(), state=state)
        goal = f"{given.task}\n\n{given.context}".strip()
        how = opening_of(
            current.domain,
            pack_task(
                current,
                goal,
                (),
                {"ratio": self._host.models.packing_ratio(means.model.name)},
            ),
            goal=goal,
            model=means.model.name,
            approvals=given.mode,
            limits=given.limits,
        )
        started = replace(
            how.started, parent=given.parent, parent_seq=given.parent_seq, relation="delegate"
        )
        return writer, Loop(writer, means, replace(how, started=started))


class _Done:
    """Stands where the loop of a child does that had ended before its parent was killed."""

    def __init__(self, finished: RunFinished) -> None:
        self._finished = finished

    async def run(self, emit: object) -> RunFinished:
        """Return how it ended."""
        del emit
        return self._finished


async def _thread(work: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(work)
