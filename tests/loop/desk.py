"""A journal, a scripted model and a few tools: everything to run the loop for real."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from langchain_core.tools import BaseTool, StructuredTool

from harness.adapters.journal_sql import SqlJournal
from harness.adapters.workspace_folder import FolderWorkspace
from harness.journal.events import ContextPacked, Event, Recorded, RunFinished, RunStarted
from harness.journal.parts import Limits
from harness.loop import Loop, Means, Opening, Resumption, RunState, load_state
from harness.seams import Model
from harness.testing import ScriptedModel, ToolCall, Turn, WordCounter
from harness.tools import make_kit
from harness.values import Delta
from harness.values_packed import Message, Part

GOAL = "Check the contract, clause by clause, and say what is missing."
RULES = "Rule 7: never accept unlimited liability."


@dataclass
class Desk:
    """A journal in a folder, and runs in it."""

    folder: Path
    journal: SqlJournal = field(init=False)
    seen: list[Recorded | Delta] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = SqlJournal(self.folder / "state", self.folder / "keys")

    def workspace(self, run: str = "r1") -> FolderWorkspace:
        return FolderWorkspace(self.folder / "workspaces" / run)

    def means(self, model: Model | Sequence[Turn], **how: Any) -> Means:
        if not hasattr(model, "stream"):
            model = ScriptedModel(model)  # type: ignore[arg-type]
        return Means(model=model, counter=WordCounter(), **how)  # type: ignore[arg-type]

    def opening(self, **how: Any) -> Opening:
        started = RunStarted(
            **{
                "goal": GOAL,
                "domain": "law",
                "domain_version": "v1",
                "model": "scripted:model",
                **how,
            }
        )
        messages = (
            Message(role="system", parts=(Part(text=f"You check contracts. {RULES}", cache=True),)),
            Message(role="user", parts=(Part(text=f"<question>{started.goal}"),)),
        )
        return Opening(
            started=started,
            packed=ContextPacked(step=0, tokens=20, budget=100),
            messages=messages,
        )

    async def astart(self, means: Means, run: str = "r1", **how: Any) -> RunFinished:
        limits = how.pop("limits", Limits())
        with self.journal.start(run) as writer:
            loop = Loop(writer, means, self.opening(limits=limits, **how))
            return await self._run(loop, means)

    async def aresume(self, means: Means, run: str = "r1", **how: Any) -> RunFinished:
        state = self.state(run)
        with self.journal.open_writer(run) as writer:
            loop = Loop(writer, means, Resumption(**how), state=state)
            return await self._run(loop, means)

    async def _run(self, loop: Loop, means: Means) -> RunFinished:
        self.loops.append(loop)

        async def emit(item: Recorded | Delta) -> None:
            self.seen.append(item)

        try:
            return await loop.run(emit)
        finally:
            for model in (means.model, means.fallback):
                if model is not None:
                    await model.aclose()

    def start(self, means: Means, run: str = "r1", **how: Any) -> RunFinished:
        return anyio.run(lambda: self.astart(means, run, **how))

    def resume(self, means: Means, run: str = "r1", **how: Any) -> RunFinished:
        return anyio.run(lambda: self.aresume(means, run, **how))

    def state(self, run: str = "r1") -> RunState:
        return load_state(self.journal, run, WordCounter())

    def events(self, run: str = "r1") -> list[Event]:
        return [one.event for one in self.journal.read(run)]

    def types(self, run: str = "r1") -> list[str]:
        return [one.TYPE for one in self.events(run)]

    def of(self, kind: type[Any], run: str = "r1") -> list[Any]:
        return [one for one in self.events(run) if isinstance(one, kind)]


def tool(
    function: Callable[..., Any], *, effect: str = "read", name: str = "", **metadata: Any
) -> BaseTool:
    """A function as a tool."""
    how: dict[str, Any] = {"name": name} if name else {}
    if inspect.iscoroutinefunction(function):
        how["coroutine"] = function
    else:
        how["func"] = function
    return StructuredTool.from_function(
        **how,
        description=function.__doc__ or "A tool.",
        metadata={"effect": effect, **metadata},
    )


def calls(*given: tuple[str, dict[str, Any] | str], text: str = "") -> Turn:
    """A turn that calls tools."""
    return Turn(
        text=text, tool_calls=tuple(ToolCall(name=name, arguments=args) for name, args in given)
    )


def controls(*names: str) -> list[BaseTool]:
    return make_kit(names)


def counting() -> tuple[list[str], BaseTool]:
    """A tool that notes each call."""
    notes: list[str] = []

    def note(text: str) -> str:
        """Note a text."""
        notes.append(text)
        return f"noted {text}"

    return notes, tool(note, effect="write")
