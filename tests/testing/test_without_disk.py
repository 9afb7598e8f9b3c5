"""The loop works on the fakes of journal and workspace as it does on the real ones."""

from __future__ import annotations

import anyio

from harness.journal.commands import Decide
from harness.journal.events import ContextPacked, RunStarted, ToolFinished
from harness.loop import Loop, Means, Opening, Resumption, Rules, load_state, replay, undo
from harness.testing import (
    MemoryJournal,
    MemoryWorkspace,
    ScriptedModel,
    ToolCall,
    Turn,
    WordCounter,
)
from harness.tools import make_kit
from harness.values_packed import Message, Part


def test_a_run_asks_waits_goes_on_is_replayed_and_undone() -> None:
    journal, workspace, counter = MemoryJournal(), MemoryWorkspace({"a.txt": b"old"}), WordCounter()
    call = ToolCall(name="write_file", arguments={"path": "b.txt", "text": "new"})
    model = ScriptedModel([Turn(tool_calls=(call,)), Turn(text="Done.")])
    means = Means(
        model=model,
        counter=counter,
        tools=make_kit(("files",), workspace=workspace),
        rules=Rules.read(ask=("write_file",)),
        workspace=workspace,
    )
    started = RunStarted(goal="Write.", domain="d", domain_version="v", model=model.name)
    said = Message(role="user", parts=(Part(text="Write."),))
    how = Opening(
        started=started, packed=ContextPacked(step=0, tokens=1, budget=9), messages=(said,)
    )

    async def emit(_: object) -> None:
        return None

    with journal.start("r1") as writer:
        finished = anyio.run(Loop(writer, means, how).run, emit)
    assert finished.stop == "needs_input"
    [waiting] = journal.run("r1").tally.waiting
    assert workspace.changes() == []

    journal.send("r1", Decide(call=waiting, decision="allow"))
    with journal.open_writer("r1") as writer:
        state = load_state(journal, "r1", counter)
        finished = anyio.run(Loop(writer, means, Resumption(), state=state).run, emit)
    assert (finished.stop, finished.answer) == ("completed", "Done.")
    assert workspace.read("b.txt") == b"new"
    results = [one.event for one in journal.read("r1") if isinstance(one.event, ToolFinished)]
    assert [one.outcome for one in results] == ["done"]

    assert anyio.run(replay, journal, "r1", counter).difference is None
    assert undo(journal, "r1", 1, workspace) == ("b.txt",)
    assert [one.path for one in workspace.files()] == ["a.txt"]
    assert journal.verify("r1").clean
