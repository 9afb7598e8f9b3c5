"""One way of working for many steps, in a process of its own: ours, or LangChain's agent."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import BaseTool, StructuredTool

GOAL = "Read every page, one after the other."
FEW = 100
"""Steps that a median is taken of."""


class Clock:
    """Notes when the tool is called: the time between two calls is a step's."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.used: list[float] = []

    def tool(self) -> BaseTool:
        """Return the trivial tool."""

        async def read_page(number: int) -> str:
            """Read a page."""
            return self.read(number)

        def read_here(number: int) -> str:
            """Read a page."""
            return self.read(number)

        return StructuredTool.from_function(
            func=read_here,
            coroutine=read_page,
            name="read_page",
            description="Read a page.",
            metadata={"effect": "write"},
        )

    def read(self, number: int) -> str:
        self.at.append(time.perf_counter())
        self.used.append(time.process_time())
        return f"Page {number} says that nothing is due before the {number % 28 + 1}th."

    def told(self) -> dict[str, float]:
        """Return medians of the steps about the tenth, and of the last."""
        few = min(FEW, len(self.at) // 3)

        def medians(times: Sequence[float]) -> tuple[float, float]:
            steps = [later - before for before, later in pairwise(times)]
            first = statistics.median(steps[5 : 5 + few])
            return first * 1000, statistics.median(steps[-few:]) * 1000

        wall, used = medians(self.at), medians(self.used)
        return {
            "first_ms": wall[0],
            "last_ms": wall[1],
            "first_processor_ms": used[0],
            "last_processor_ms": used[1],
        }


def message(number: int, steps: int) -> AIMessage:
    """Return what the model says at a step."""
    if number > steps:
        return AIMessage(content="Nothing is due.")
    call = tool_call(name="read_page", args={"number": number}, id=f"call_{number}")
    return AIMessage(content=f"I read page {number}.", tool_calls=[call])


class Scripted:
    """A model of ours that calls the tool a number of times; it keeps nothing."""

    name = "scripted:model"
    context_window = 128_000
    destination = ""

    def __init__(self, steps: int) -> None:
        self.steps, self.said, self.summaries = steps, 0, 0

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        return Decimal(0)

    async def aclose(self) -> None:
        return None

    async def stream(self, messages: Sequence[BaseMessage], **how: Any) -> AsyncIterator[Any]:
        from harness.values import Reply, Usage

        del messages
        if how.get("tools"):
            self.said += 1
            said = message(self.said, self.steps)
        else:
            self.summaries += 1
            said = AIMessage(content="All pages so far were read; nothing is due.")
        yield Reply(message=said, text=str(said.content), usage=Usage(), model="model")


def ours(steps: int, folder: Path) -> dict[str, Any]:
    """Work with the harness's loop, journal and all."""
    from harness.adapters.journal_sql import SqlJournal
    from harness.journal.events import ContextPacked, RunStarted
    from harness.loop import Loop, Means, Opening, Resumption, load_state
    from harness.values_packed import Message, Part
    from harness.wiring import make_counter

    clock, model, counter = Clock(), Scripted(steps), make_counter()
    means = Means(model=model, counter=counter, tools=[clock.tool()])  # type: ignore[arg-type]
    means = _allowing(means)
    started = RunStarted(goal=GOAL, domain="d", domain_version="v", model=model.name)
    said = Message(role="user", parts=(Part(text=GOAL),))
    packed = ContextPacked(step=0, tokens=counter.count(GOAL), budget=1_000)
    how = Opening(started=started, packed=packed, messages=(said,))
    journal = SqlJournal(folder / "state", folder / "keys")

    async def work() -> None:
        with journal.start("r1") as writer:
            async for _ in Loop(writer, means, how).events():
                pass

    anyio.run(work)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    with journal.open_writer("r1") as writer:
        state = load_state(journal, "r1", counter)
        loop = Loop(writer, means, Resumption(message="And now?"), state=state)
        loop.state.conversation.messages  # noqa: B018 -- what the next request would show
    resumed = time.perf_counter() - began
    journal.close()
    return {
        **clock.told(),
        **_journal_bytes(folder / "state" / "harness.db"),
        "resume_s": resumed,
        "memory_mb": memory,
        "compacted": model.summaries,
        "sync_ms": _sync(folder),
    }


def _allowing(means: Any) -> Any:
    from dataclasses import replace

    from harness.loop import Rules

    return replace(means, rules=Rules.read(allow=("read_page",)))


def _journal_bytes(file: Path) -> dict[str, float]:
    """Return what a step left in each half of the run: rows of events, all columns."""
    database = sqlite3.connect(file)
    lengths = (
        "length(payload) + length(previous) + length(hash) + length(type) + length(blobs) + 40"
    )
    rows = database.execute(
        f"SELECT SUM({lengths}) OVER (ORDER BY seq), type FROM events ORDER BY seq"
    ).fetchall()
    database.close()
    sums = [total for total, kind in rows if kind == "tool.finished"]
    half = len(sums) // 2
    return {
        "first_bytes": (sums[half] - sums[0]) / half,
        "last_bytes": (sums[-1] - sums[half]) / (len(sums) - 1 - half),
    }


def _sync(folder: Path) -> float:
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 8192)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def bare(steps: int, folder: Path) -> dict[str, Any]:
    """Work with LangChain's agent, nothing kept."""
    del folder
    clock = Clock()
    _agent(clock, steps, None)
    return {**clock.told(), "first_bytes": 0, "last_bytes": 0}


def saver(steps: int, folder: Path) -> dict[str, Any]:
    """Work with LangChain's agent and its checkpointer for SQLite."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    clock, file = Clock(), folder / "checkpoints.db"
    sizes: list[int] = []

    def note() -> None:
        sizes.append(sum(one.stat().st_size for one in folder.glob("checkpoints.db*")))

    with SqliteSaver.from_conn_string(str(file)) as kept:
        _agent(clock, steps, kept, note)
    note()
    half = len(sizes) // 2
    return {
        **clock.told(),
        "first_bytes": (sizes[half] - sizes[0]) / half,
        "last_bytes": (sizes[-1] - sizes[half]) / (len(sizes) - 1 - half),
    }


def _agent(clock: Clock, steps: int, kept: Any, note: Callable[[], None] | None = None) -> None:
    from langchain.agents import create_agent
    from langchain_core.language_models import BaseChatModel
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Model(BaseChatModel):
        said: int = 0

        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Any, **how: Any) -> Any:
            return self

        def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
            self.said += 1
            if note is not None:
                note()
            generation = ChatGeneration(message=message(self.said, steps))
            return ChatResult(generations=[generation])

    agent = create_agent(Model(), [clock.tool()], checkpointer=kept)
    agent.invoke(
        {"messages": [("user", GOAL)]},
        {"recursion_limit": 10 * steps, "configurable": {"thread_id": "t1"}},
    )


WAYS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "ours": ours,
    "bare": bare,
    "saver": saver,
}


def main() -> None:
    """Work one way and print what was found, as JSON."""
    way, steps, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        found = WAYS[way](int(steps), Path(name))
    print(json.dumps({**found, "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
