"""The world: all that a run touches outside of its journal. A replay has another one.

Methods that a replay looks up in the record are told the id of the call.
"""

# ruff: noqa: ARG002 -- what only a replay needs to know

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio.to_thread import run_sync

from harness.errors import HarnessError
from harness.journal.events import RunFinished
from harness.loop.gate import Gated, gate
from harness.loop.invoke import Callee
from harness.loop.means import Delegation, Means
from harness.loop.tooling import (
    Outcome,
    ToolFacts,
    argument_problem,
    defaults_of,
    described,
    facts_of,
    said_by,
)
from harness.seams import Change
from harness.values import Delta, Reply

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from harness.journal.commands import Received
    from harness.loop.record import Record
    from harness.seams import Model

__all__ = ["DEFAULT_WINDOW", "World"]

LOG = logging.getLogger(__name__)
DEFAULT_WINDOW = 128_000
"""Input tokens of a model that does not say how many it takes."""


class World:
    """Models, tools, people, workspace and checks, as they are.

    Args:
        means: What the run works with.
    """

    def __init__(self, means: Means) -> None:
        self.means = means
        self._tools = {one.name: one for one in means.tools}
        self._facts = {name: facts_of(one) for name, one in self._tools.items()}
        self._defaults = {name: defaults_of(one) for name, one in self._tools.items()}
        self._callees = {name: Callee(one) for name, one in self._tools.items()}

    def noted(self) -> Mapping[str, Any]:
        """Return what the run notes of its means when it begins: all that a replay has to know."""
        means, rules = self.means, self.means.rules
        return {
            "tools": {
                name: {
                    "effect": one.effect,
                    "idempotent": one.idempotent,
                    "control": one.control,
                    "defaults": self._defaults[name],
                }
                for name, one in self._facts.items()
            },
            "tool_tokens": self.tool_tokens(),
            "window": means.window or means.model.context_window or DEFAULT_WINDOW,
            "ratio": means.token_ratio,
            "most_output": means.max_output_tokens,
            "deny": [str(one) for one in rules.deny],
            "ask": [str(one) for one in rules.ask],
            "allow": [str(one) for one in rules.allow],
            "grants": [[str(one.rule), one.allow] for one in rules.grants],
        }

    def tool_tokens(self) -> int:
        """Return about how many tokens the tools' descriptions have."""
        return sum(self.means.counter.count(described(one)) for one in self.means.tools)

    # --- models ---------------------------------------------------------------------------------

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
        # Said only where there is one: a model of a user's own need not know the word.
        limit: dict[str, Any] = {} if most is None else {"max_output_tokens": most}
        if bare:
            return model.stream(messages, **limit)
        return model.stream(messages, tools=self.means.tools, schema=self.means.schema, **limit)

    def clock(self) -> float:
        """Return seconds that only grow."""
        return self.means.clock()

    def elapsed(self, since: float, call: str = "") -> float:
        """Return the seconds that a call took: of a tool, or else of a model."""
        return round(self.means.clock() - since, 4)

    # --- people ---------------------------------------------------------------------------------

    def waits(self, record: Record) -> bool:
        """Return whether somebody will answer what is asked."""
        return self.means.waits

    async def received(self, record: Record) -> list[Received]:
        """Return the commands that wait."""
        return record.received()

    # --- tools ----------------------------------------------------------------------------------

    def facts(self, name: str) -> ToolFacts | None:
        """Return what is known of a tool; None where there is none."""
        return self._facts.get(name)

    def names(self) -> Sequence[str]:
        """Return the names of the tools."""
        return tuple(self._facts)

    def problem(self, call: str, name: str, arguments: Mapping[str, Any]) -> str:
        """Return why a tool does not take these arguments; empty where it does."""
        return argument_problem(self._tools[name], arguments)

    def full_arguments(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments with those that were left out, for rules to look at."""
        return {**self._defaults[name], **arguments}

    async def preview(self, call: str, name: str, arguments: Mapping[str, Any]) -> str:
        """Return the exact change or message that a call would make, where the tool can say it."""
        show = self._facts[name].preview
        if show is None:
            return ""
        try:
            return str(await run_sync(lambda: show(dict(arguments))))
        except Exception as error:
            return f"[What it would do can't be shown: {said_by(error)}]"

    async def execute(
        self, call: str, name: str, arguments: Mapping[str, Any], most: float
    ) -> Outcome:
        """Make a call; `most` is the longest that it may take, in seconds."""
        return await self._callees[name].call(arguments, most)

    async def delegate(self, call: str, delegation: Delegation) -> Outcome:
        """Work on a child run to its end; what it says is the result."""
        if self.means.delegate is None:
            return Outcome(text="This run can't delegate. Do the work yourself.", outcome="failed")
        try:
            finished = await self.means.delegate(delegation)
        except HarnessError as error:
            return Outcome(text=f"The assistant could not do it: {error}", outcome="failed")
        return _told(delegation.run, finished)

    # --- workspace ------------------------------------------------------------------------------

    async def changes(self, call: str) -> Sequence[Change]:
        """Return what changed in the workspace since it was last asked."""
        workspace = self.means.workspace
        if workspace is None or not self.means.tracks_changes:
            return ()
        return await run_sync(workspace.changes)

    async def write(self, call: str, path: str, content: bytes) -> bool:
        """Write a file for the model to read; return whether that worked."""
        workspace = self.means.workspace
        if workspace is None:
            return False
        try:
            await run_sync(lambda: workspace.write(path, content))
        except (HarnessError, OSError) as error:
            LOG.warning("%s could not be written to the workspace: %s", path, error)
            return False
        return True

    # --- the answer -----------------------------------------------------------------------------

    async def gate(self, answer: str) -> Gated:
        """Check an answer."""
        if self.means.find_quote is None and self.means.check is None:
            return Gated()
        try:
            return await run_sync(partial(gate, answer, self.means.find_quote, self.means.check))
        except Exception as error:
            return Gated(problems=(f"The answer could not be checked: {said_by(error)}",))

    async def value(self, answer: str) -> Any:
        """Return an answer's typed value, or None."""
        if self.means.value is None:
            return None
        try:
            return await run_sync(partial(self.means.value, answer))
        except Exception as error:
            LOG.warning("The answer's value could not be read: %s", said_by(error))
            return None


def _told(run: str, finished: RunFinished) -> Outcome:
    """Return what a child run came to, for its parent."""
    usage = finished.usage
    child = {
        "run": run,
        "stop": finished.stop,
        "steps": finished.steps,
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "usd": None if usage.cost_usd is None else str(usage.cost_usd),
    }
    text = finished.answer or "(It gave no answer.)"
    if finished.stop != "completed":
        reasons = "".join(f"\n- {one}" for one in finished.problems)
        text = f"The assistant did not complete it ({finished.stop}).{reasons}\n\n{text}"
    failed = finished.stop == "failed"
    return Outcome(text=text, artifact={"child": child}, outcome="failed" if failed else "done")
