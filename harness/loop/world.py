"""The world: all that a run touches outside of its journal. A replay has another one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread

from harness.errors import HarnessError
from harness.journal.events import RunFinished
from harness.loop.gate import Gated, gate
from harness.loop.means import Delegation, Means
from harness.loop.tooling import (
    Outcome,
    ToolFacts,
    argument_problem,
    call_tool,
    facts_of,
    said_by,
    with_defaults,
)
from harness.seams import Change
from harness.values import Delta, Reply

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from harness.seams import Model

__all__ = ["World"]

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class World:
    """Models, tools, workspace and checks, as they are.

    Args:
        means: What the run works with.
    """

    def __init__(self, means: Means) -> None:
        self.means = means
        self._tools = {one.name: one for one in means.tools}
        self._facts = {name: facts_of(one) for name, one in self._tools.items()}

    # --- models -------------------------------------------------------------------------------

    def stream(
        self, model: Model, messages: Sequence[BaseMessage], most: int | None, *, bare: bool
    ) -> AsyncIterator[Delta | Reply]:
        """Call a model.

        Args:
            model: Which.
            messages: What it is shown.
            most: Tokens that it may write; None for no limit of ours.
            bare: Without tools and schema.
        """
        if bare:
            return model.stream(messages, max_output_tokens=most)
        return model.stream(
            messages, tools=self.means.tools, schema=self.means.schema, max_output_tokens=most
        )

    def clock(self) -> float:
        """Return seconds that only grow."""
        return self.means.clock()

    # --- tools --------------------------------------------------------------------------------

    def facts(self, name: str) -> ToolFacts | None:
        """Return what is known of a tool; None where there is none."""
        return self._facts.get(name)

    def names(self) -> Sequence[str]:
        """Return the names of the tools."""
        return tuple(self._tools)

    def problem(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Return why a tool does not take these arguments; empty where it does."""
        return argument_problem(self._tools[name], arguments)

    def full_arguments(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments with their defaults."""
        return with_defaults(self._tools[name], arguments)

    async def preview(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Return the exact change or message that a call would make, where the tool can say it."""
        show = self._facts[name].preview
        if show is None:
            return ""
        try:
            return str(await in_thread(lambda: show(dict(arguments))))
        except Exception as error:
            return f"[What it would do can't be shown: {said_by(error)}]"

    async def execute(
        self,
        call: str,  # noqa: ARG002 -- a replay goes by it
        name: str,
        arguments: Mapping[str, Any],
        most: float,
    ) -> Outcome:
        """Make a call; `most` is the longest that it may take, in seconds."""
        return await call_tool(self._tools[name], arguments, most)

    async def delegate(self, call: str, delegation: Delegation) -> RunFinished:  # noqa: ARG002 -- a replay goes by `call`
        """Work on a child run to its end."""
        if self.means.delegate is None:
            raise HarnessError("This run can't delegate.", "Do the work yourself.")
        return await self.means.delegate(delegation)

    # --- workspace ----------------------------------------------------------------------------

    async def changes(self, call: str) -> Sequence[Change]:  # noqa: ARG002 -- a replay goes by `call`
        """Return what changed in the workspace since it was last asked."""
        workspace = self.means.workspace
        if workspace is None or not self.means.tracks_changes:
            return ()
        return await in_thread(workspace.changes)

    async def write(self, path: str, content: bytes) -> bool:
        """Write a file for the model to read; return whether that worked."""
        workspace = self.means.workspace
        if workspace is None:
            return False
        try:
            await in_thread(lambda: workspace.write(path, content))
        except (HarnessError, OSError) as error:
            LOG.warning("%s could not be written to the workspace: %s", path, error)
            return False
        return True

    # --- the answer ---------------------------------------------------------------------------

    async def gate(self, answer: str) -> Gated:
        """Check an answer."""
        if self.means.find_quote is None and self.means.check is None:
            return Gated()
        try:
            return await in_thread(partial(gate, answer, self.means.find_quote, self.means.check))
        except Exception as error:
            return Gated(problems=(f"The answer could not be checked: {said_by(error)}",))

    async def value(self, answer: str) -> Any:
        """Return an answer's typed value, or None."""
        if self.means.value is None:
            return None
        try:
            return await in_thread(partial(self.means.value, answer))
        except Exception as error:
            LOG.warning("The answer's value could not be read: %s", said_by(error))
            return None


async def in_thread(work: Callable[[], T]) -> T:
    """Run what may block beside the event loop."""
    return await anyio.to_thread.run_sync(work)
