"""Taking up, forking, undoing, replaying."""

from __future__ import annotations

import dataclasses
from typing import Any

import anyio
import pytest

from harness.errors import JournalFull, UsageError
from harness.journal.commands import Answer, Decide, Steer
from harness.journal.events import (
    ApprovalRequested,
    FileChanged,
    ModelRequested,
    QuestionAsked,
    RunFinished,
    RunResumed,
    SteerReceived,
    ToolFinished,
    ToolStarted,
)
from harness.journal.parts import Limits
from harness.loop import (
    Loop,
    Opening,
    Replayed,
    Resumption,
    Rules,
    files_at,
    fork,
    load_state,
    replay,
    seq_of_step,
    undo,
)
from harness.testing import ScriptedModel, Turn, WordCounter
from harness.tools import make_kit
from tests.loop.desk import Desk, calls, controls, counting, tool

ALLOW = Rules.read(allow=["*"])


def replayed(desk: Desk, run: str = "r1") -> Replayed:
    return anyio.run(replay, desk.journal, run, WordCounter())


class Killed(BaseException):
    """Ends a process in the middle of things, as far as the loop can tell."""


class DyingWriter:
    """Lets through so many commits, then dies."""

    def __init__(self, writer: Any, commits: int) -> None:
        self._writer, self._left = writer, commits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def append(self, *events: Any, **how: Any) -> Any:
        if not self._left:
            raise Killed
        self._left -= 1
        return self._writer.append(*events, **how)


def run_until(desk: Desk, means: Any, commits: int) -> None:
    """Work on r1, new or begun, until so many commits were made."""

    async def work() -> None:
        begun = any(one.run == "r1" for one in desk.journal.runs())
        how = Resumption() if begun else desk.opening()
        state = desk.state() if begun else None
        writer = desk.journal.open_writer("r1") if begun else desk.journal.start("r1")
        with writer:
            loop = Loop(DyingWriter(writer, commits), means, how, state=state)  # type: ignore[arg-type]

            async def emit(item: object) -> None:
                del item

            await loop.run(emit)

    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- maybe in a group
        anyio.run(work)
    assert "Killed" in repr(caught.value)


def script(call: Any) -> Turn:
    """Note a, b, c, each in a step; then answer."""
    done = [one.content for one in call.messages if one.type == "tool"]
    if len(done) == 3:
        return Turn(text="All three are noted.")
    return calls(("note", {"text": "abc"[len(done)]}))


@pytest.mark.parametrize("commits", range(1, 8))
def test_killed_at_any_commit_nothing_is_lost_or_done_twice(desk: Desk, commits: int) -> None:
    notes, note = counting()
    means = desk.means(ScriptedModel(script), tools=[note], rules=ALLOW)
    run_until(desk, means, commits)
    before = len(desk.events())
    waits = dataclasses.replace(means, waits=False)
    done = desk.resume(waits)
    if done.stop == "needs_input":  # one had begun: somebody says whether to do it again
        (asked,) = desk.of(ApprovalRequested)
        assert "had begun" in asked.preview
        again = asked.arguments["text"] not in notes
        desk.journal.send("r1", Decide(call=asked.call, decision="allow" if again else "deny"))
        done = desk.resume(waits)
    assert done.stop == "completed"
    assert notes == ["a", "b", "c"]
    assert desk.types()[:before] == [one.TYPE for one in desk.events()][:before]
    assert desk.journal.verify("r1").clean
    assert replayed(desk).difference is None
    assert replayed(desk).complete


def test_a_request_cut_short_counts(desk: Desk) -> None:
    model = ScriptedModel([Turn(text="Done.")])
    run_until(desk, desk.means(model), 1)
    reserved = desk.of(ModelRequested)[0]
    done = desk.resume(desk.means([Turn(text="Done.")]))
    assert done.usage.input_tokens >= reserved.reserved_input_tokens
    assert done.usage.output_tokens >= reserved.reserved_output_tokens
    assert [one.attempt for one in desk.of(ModelRequested)] == [1, 2]


def test_one_that_is_idempotent_is_made_again(desk: Desk) -> None:
    made: list[str] = []

    def put(text: str) -> str:
        """Put."""
        made.append(text)
        return "put"

    means = desk.means(
        [calls(("put", {"text": "a"})), Turn(text="Done.")],
        tools=[tool(put, effect="write", idempotent=True)],
        rules=ALLOW,
    )
    run_until(desk, means, 2)
    done = desk.resume(desk.means([Turn(text="Done.")], tools=means.tools, rules=ALLOW))
    assert done.stop == "completed"
    assert made == ["a", "a"]
    assert [one.attempt for one in desk.of(ToolStarted)] == [1, 2]


def test_unattended_the_model_is_told_that_the_outcome_is_unknown(desk: Desk) -> None:
    notes, note = counting()
    means = desk.means([calls(("note", {"text": "a"}))], tools=[note], rules=ALLOW)

    async def begin() -> None:
        with desk.journal.start("r1") as writer:
            dying = DyingWriter(writer, 2)
            how = desk.opening(approvals="never")
            await Loop(dying, means, how).run(_nowhere)  # type: ignore[arg-type]

    with pytest.raises(BaseException):  # noqa: B017, PT011
        anyio.run(begin)
    model = ScriptedModel([Turn(text="I looked: it is noted.")])
    done = desk.resume(desk.means(model, tools=[note], rules=ALLOW))
    assert done.stop == "completed"
    assert notes == ["a"]
    (finished,) = desk.of(ToolFinished)
    assert finished.outcome == "unknown"
    assert "not known" in model.calls[0].messages[-1].content


async def _nowhere(item: object) -> None:
    del item


def test_a_question_is_answered_later(desk: Desk) -> None:
    turns = [calls(("ask", {"question": "Which law?", "choices": ["Bern", "Zug"]}))]
    done = desk.start(desk.means(turns, tools=controls("ask")))
    assert done.stop == "needs_input"
    (asked,) = desk.of(QuestionAsked)
    assert asked.choices == ("Bern", "Zug")
    desk.journal.send("r1", Answer(question=asked.question, text="Zug"))
    model = ScriptedModel([Turn(text="By the law of Zug.")])
    done = desk.resume(desk.means(model, tools=controls("ask")))
    assert done.answer == "By the law of Zug."
    assert "Zug" in model.calls[0].messages[-1].content
    assert replayed(desk).complete


def test_a_completed_run_goes_on_with_something_new(desk: Desk) -> None:
    desk.start(desk.means([Turn(text="One.")]))
    with pytest.raises(UsageError, match="completed"):
        desk.resume(desk.means([]))
    model = ScriptedModel([Turn(text="Two.")])
    done = desk.resume(desk.means(model), message="And in Zug?")
    assert done.answer == "Two."
    assert [one.content for one in model.calls[0].messages[-2:]] == ["One.", "And in Zug?"]
    assert desk.of(RunResumed)[0].reason == "completed"
    assert replayed(desk).complete


def test_steering_lands_at_the_next_boundary(desk: Desk) -> None:
    def look() -> str:
        """Look."""
        desk.journal.send("r1", Steer(text="Only clause 4."))
        return "looked"

    model = ScriptedModel([calls(("look", {}), ("look", {})), Turn(text="Only clause 4.")])
    desk.start(desk.means(model, tools=[tool(look)]))
    shown = model.calls[1].messages
    assert [one.type for one in shown[-4:]] == ["tool", "tool", "human", "human"]
    assert shown[-1].content == "Only clause 4."
    assert len(desk.of(SteerReceived)) == 2
    assert replayed(desk).complete


def test_fork_at_a_step(desk: Desk) -> None:
    notes, note = counting()
    means = desk.means(ScriptedModel(script), tools=[note], rules=ALLOW)
    desk.start(means, limits=Limits(steps=50))
    fork(desk.journal, "r1", "r2", seq=seq_of_step(desk.journal, "r1", 2), limits=Limits(steps=9))
    model = ScriptedModel(
        lambda call: (
            script(call)
            if len([1 for m in call.messages if m.type == "human"]) < 2
            else Turn(text="x")
        )
    )
    done = desk.resume(desk.means(model, tools=[note], rules=ALLOW), "r2")
    assert done.stop == "completed"
    assert notes == ["a", "b", "c", "c"]
    shown = model.calls[0].messages
    assert next(one.content for one in shown if one.type == "tool").startswith("noted a")
    assert done.steps == 2, "what the parent used does not count"
    assert desk.journal.run("r2").tally.parent == "r1"
    assert replayed(desk, "r2").difference is None
    with pytest.raises(UsageError, match="no step 9"):
        seq_of_step(desk.journal, "r1", 9)


def test_a_conversation_continues(desk: Desk) -> None:
    desk.start(desk.means([Turn(text="One.")]))

    async def go_on(model: ScriptedModel) -> RunFinished:
        state = load_state(desk.journal, "r1", WordCounter())
        state.leave_parent()
        seq = desk.journal.run("r1").events
        opening = desk.opening(goal="And two?", relation="continue", parent="r1", parent_seq=seq)
        with desk.journal.start("r2") as writer:
            return await Loop(writer, desk.means(model), opening, state=state).run(_nowhere)

    model = ScriptedModel([Turn(text="Two.")])
    done = anyio.run(go_on, model)
    assert (done.answer, done.steps) == ("Two.", 1)
    shown = model.calls[0].messages
    assert [one.type for one in shown] == ["system", "human", "ai", "human"]
    assert "And two?" in shown[-1].text
    assert replayed(desk, "r2").complete
    assert desk.state("r2").conversation.sha256() != desk.state("r1").conversation.sha256()


def test_undo_sets_files_back_turn_by_turn(desk: Desk) -> None:
    workspace = desk.workspace()
    turns = [
        calls(("write_file", {"path": "a.md", "text": "one"})),
        calls(
            ("write_file", {"path": "a.md", "text": "two"}),
            ("write_file", {"path": "b.md", "text": "b"}),
        ),
        Turn(text="Done."),
    ]
    tools = make_kit(["files"], workspace=workspace)
    means = desk.means(turns, tools=tools, workspace=workspace)
    assert desk.start(means).stop == "completed"
    assert [(one.path, one.turn) for one in desk.of(FileChanged)] == [
        ("a.md", 1),
        ("a.md", 2),
        ("b.md", 2),
    ]
    assert replayed(desk).complete
    assert undo(desk.journal, "r1", 2, workspace) == ("a.md", "b.md")
    assert workspace.read("a.md") == b"one"
    assert [one.path for one in workspace.files()] == ["a.md"]
    assert desk.journal.run("r1").tally.state == "completed"
    assert undo(desk.journal, "r1", 1, workspace) == ("a.md",)
    assert not workspace.files()
    kept = files_at(desk.journal, "r1", seq_of_step(desk.journal, "r1", 1))
    assert kept["a.md"] is not None
    assert desk.journal.blob("r1", kept["a.md"].blob) == b"one"
    assert replayed(desk).difference is None
    model = ScriptedModel([Turn(text="I see.")])
    desk.resume(desk.means(model, tools=tools, workspace=workspace), message="Go on.")
    assert any("a.md" in str(one.content) for one in model.calls[0].messages[-5:])
    assert replayed(desk).complete


def test_a_replay_names_the_first_difference(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, note = counting()
    desk.start(desk.means(ScriptedModel(script), tools=[note], rules=ALLOW))
    read = type(desk.journal).read

    def altered(self: Any, run: str, *args: Any, **how: Any) -> Any:
        for one in read(self, run, *args, **how):
            event = one.event
            if isinstance(event, ToolFinished) and event.text == "noted b":
                event = dataclasses.replace(event, text="noted B")
            yield dataclasses.replace(one, event=event)

    monkeypatch.setattr(type(desk.journal), "read", altered)
    found = replayed(desk)
    assert found.difference is not None
    assert found.difference.what == "model.requested.request_sha256"
    assert not found.complete
    assert notes == ["a", "b", "c"]


def test_disk_full_stops_cleanly_and_goes_on_later(desk: Desk) -> None:
    notes, note = counting()
    means = desk.means(ScriptedModel(script), tools=[note], rules=ALLOW)

    class Full(DyingWriter):
        def append(self, *events: Any, **how: Any) -> Any:
            if not self._left:
                raise JournalFull("No room.", "Make some.")
            self._left -= 1
            return self._writer.append(*events, **how)

    async def begin() -> None:
        with desk.journal.start("r1") as writer:
            loop = Loop(Full(writer, 3), means, desk.opening())  # type: ignore[arg-type]
            async for _ in loop.events():
                pass

    with pytest.raises(JournalFull):
        anyio.run(begin)
    assert notes == ["a"]
    assert desk.resume(means).stop == "completed"
    assert notes == ["a", "b", "c"]


def test_leaving_early_stops_the_work_and_keeps_it(desk: Desk) -> None:
    notes, note = counting()
    means = desk.means(ScriptedModel(script), tools=[note], rules=ALLOW)

    async def begin(how: Opening) -> None:
        with desk.journal.start("r1") as writer:
            events = Loop(writer, means, how).events()
            async for item in events:
                if isinstance(getattr(item, "event", None), ToolFinished):
                    break
            await events.aclose()  # type: ignore[attr-defined]

    anyio.run(begin, desk.opening())
    assert desk.journal.run("r1").worker == ""
    assert desk.resume(means).stop == "completed"
    assert notes == ["a", "b", "c"]
