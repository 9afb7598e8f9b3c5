"""Works on a run and is killed at random, again and again: `python loop_driver.py FOLDER …`.

Everything is imported once; each try is a forked child that opens the journal anew, as a process
after a power cut would, and is killed with SIGKILL at a moment that is drawn. The tool has a side
effect that no journal can undo: a line in a file, synced.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import StructuredTool

from harness.adapters.journal_sql import SqlJournal
from harness.errors import RunNotFound
from harness.journal.events import ContextPacked, Recorded, RunStarted
from harness.loop import Loop, Means, Opening, Resumption, Rules, load_state
from harness.testing import WordCounter
from harness.values import Reply, Usage
from harness.values_packed import Message, Part

GOAL = "Note every number, one after the other."
RUN = "r1"


class Counting:
    """A model that has the next number noted; it knows only what it is shown."""

    name = "scripted:counting"
    destination = ""
    context_window = 6_000

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        return Decimal(0)

    async def aclose(self) -> None:
        return None

    async def stream(self, messages: Sequence[BaseMessage], **how: Any) -> AsyncIterator[Reply]:
        if how.get("tools"):
            said = self._next(last_number(messages) + 1)
        else:
            found = [int(n) for n in re.findall(r"(?:number|up to) (\d+)", messages[-1].text)]
            said = AIMessage(content=f"All were noted up to {max(found)}.")
        usage = Usage(input_tokens=sum(len(one.text.split()) + 6 for one in messages))
        yield Reply(message=said, text=str(said.content), usage=usage, model="counting")

    def _next(self, number: int) -> AIMessage:
        if number > self.steps:
            return AIMessage(content=f"All {self.steps} are noted.")
        call = tool_call(name="note", args={"number": number}, id=f"call_{number}")
        return AIMessage(content=f"I note number {number}.", tool_calls=[call])


def last_number(messages: Sequence[BaseMessage]) -> int:
    """Return the last number that a model asked to be noted, as far as it is shown."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and message.tool_calls:
            return int(message.tool_calls[0]["args"]["number"])
        if found := re.search(r"All were noted up to (\d+)", message.text):
            return int(found[1])
    return 0


def work(folder: Path, steps: int, told: int) -> None:
    """Work on the run to its end, new or begun; tell of every event that is durable."""
    effects = os.open(folder / "effects", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def note(number: int) -> str:
        """Note a number."""
        os.write(effects, f"{number}\n".encode())
        os.fsync(effects)
        return f"Number {number} is noted."

    tool = StructuredTool.from_function(
        coroutine=note, name="note", description="Note a number.", metadata={"effect": "external"}
    )
    model = Counting(steps)
    means = Means(
        model=model,  # type: ignore[arg-type] # it takes any keywords
        counter=WordCounter(),
        tools=[tool],
        rules=Rules.read(allow=("note",)),
        token_ratio=1.0,
    )
    journal = SqlJournal(folder / "state", folder / "keys")

    async def emit(item: Any) -> None:
        if isinstance(item, Recorded):
            os.write(told, f"{item.seq} {item.hash}\n".encode())

    async def go() -> None:
        state, how = None, _opening(model)
        try:
            writer = journal.open_writer(RUN)
            state, how = load_state(journal, RUN, means.counter), Resumption()
            if state.finished:  # killed when all was done but going home
                writer.close()
                return
        except RunNotFound:
            writer = journal.start(RUN)
        with writer:
            await Loop(writer, means, how, state=state).run(emit)

    anyio.run(go)


def _opening(model: Counting) -> Any:
    started = RunStarted(
        goal=GOAL, domain="d", domain_version="v", model=model.name, approvals="auto"
    )
    said = Message(role="user", parts=(Part(text=GOAL),))
    packed = ContextPacked(step=0, tokens=10, budget=100)
    return Opening(started=started, packed=packed, messages=(said,))


def try_once(folder: Path, steps: int, seconds: float | None) -> tuple[bool, bytes]:
    """Work in a child, killed after so long; return whether it came to its end, and what it told.

    Raises:
        SystemExit: It failed by itself.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        try:
            work(folder, steps, writes)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(3)
        os._exit(0)
    os.close(writes)
    told = _read_until(reads, child, seconds)
    _, status = os.waitpid(child, 0)
    os.close(reads)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"a child failed by itself: {status}")
    return os.WIFEXITED(status), told


def _read_until(pipe: int, child: int, seconds: float | None) -> bytes:
    """Read what a child tells, and kill it in time; a pipe that is full would hold it up."""
    import select

    end = None if seconds is None else time.monotonic() + seconds
    told = b""
    while True:
        wait = None if end is None else max(0.0, end - time.monotonic())
        ready, _, _ = select.select([pipe], [], [], wait)
        if ready:
            more = os.read(pipe, 1 << 16)
            if not more:
                return told
            told += more
        elif end is not None:
            os.kill(child, signal.SIGKILL)
            end = None


def main() -> None:
    """Kill so many children at random, then let one come to the end; print what was told."""
    folder, steps, kills, seed, longest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:  # what is imported late is imported here, once
        work(Path(name), 2, os.open(os.devnull, os.O_WRONLY))
    draw = random.Random(int(seed))
    acknowledged: dict[int, str] = {}
    killed = 0
    over = False
    while not over:
        wait = draw.uniform(0.0, float(longest)) if killed < int(kills) else None
        over, told = try_once(Path(folder), int(steps), wait)
        killed += not over
        for line in told.decode().splitlines():
            seq, _, digest = line.partition(" ")
            if len(digest) == 64:  # the last line may be torn
                acknowledged[int(seq)] = digest
    print(json.dumps({"killed": killed, "acknowledged": acknowledged}))


if __name__ == "__main__":
    main()
