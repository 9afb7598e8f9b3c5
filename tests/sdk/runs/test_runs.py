"""Long work through the SDK: the real loop, journal and workspace; a scripted model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.errors import DomainInvalid, RunErased, UsageError
from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    MessageCompleted,
    QuestionAsked,
    RunResumed,
    SteerReceived,
    ToolFinished,
)
from harness.sdk import forked
from harness.sdk.run import Budget, Decision
from harness.testing import HashEmbedder, Turn
from harness.values import Delta
from tests.sdk.runs.conftest import Desk, Opened
from tests.sdk.runs.turns import call

WRITE = call("write_file", path="letter.md", text="Dear Sir")
DONE = call("finish", answer="Done.")


def results(events: list[Any]) -> list[str]:
    return [one.text for one in events if isinstance(one, ToolFinished)]


class TestWork:
    def test_it_reads_what_it_was_given_and_hands_in_what_it_can_prove(
        self, opened: Opened, tmp_path: Path
    ) -> None:
        (tmp_path / "bill.txt").write_text("Fee charged: 7 EUR\n", "utf-8")
        harness = opened(
            call("read_file", "I look at the bill.", path="bill.txt"),
            call("search_references", query="fee"),
            call("write_file", path="letter.md", text="You charged 7, it is 5."),
            call("finish", answer='Too much. [fees.md: "The fee is 5 EUR"] [bill.txt: "7 EUR"]'),
        )
        with harness.run("Check the bill", files=[tmp_path / "bill.txt"]) as run:
            events = list(run)
        result = run.result
        assert result.completed
        assert [(one.document, one.verified) for one in result.citations] == [
            ("fees.md", True),
            ("bill.txt", True),
        ]
        assert result.files == ("letter.md",)
        assert (result.workspace / "files" / "letter.md").read_text() == "You charged 7, it is 5."
        assert (tmp_path / "bill.txt").read_text() == "Fee charged: 7 EUR\n"
        assert "7 EUR" in results(events)[0]
        assert (
            "".join(one.text for one in events if isinstance(one, Delta)) == "I look at the bill."
        )
        assert harness.runs.verify(run.id)[0].clean
        told = harness.runs.show(run.id)
        assert [one.path for one in told.started.files] == ["bill.txt"]
        assert told.finished == events[-1]

    def test_what_it_wrote_itself_is_no_source(self, opened: Opened) -> None:
        answer = call("finish", answer='So it is. [mine.md: "It is so"]')
        harness = opened(call("write_file", path="mine.md", text="It is so"), answer, answer)
        result = harness.run("Prove it").result
        assert result.stop == "unverified"
        assert "no source" in result.problems[0]

    def test_the_form_of_the_answer_is_checked(self, own: Callable[..., Desk]) -> None:
        settings = "answer:\n  kind: label\n  labels: [pay, refuse]\n"
        cases = "- id: e1\n  input: x\n  output: pay\n"
        desk = own(**{"domain.yaml": settings, "examples/cases.yaml": cases})
        harness = desk.opened(call("finish", answer="Hm, perhaps?"), call("finish", answer="pay"))
        result = harness.run("Pay or refuse?").result
        assert (result.stop, result.value) == ("completed", "pay")

    async def _collect(self, harness: Harness) -> list[Any]:
        async with harness.arun("Write", approve=self._allow) as run:
            events = [event async for event in run]
        assert (await run.aresult()).completed
        return events

    async def _allow(self, waits: ApprovalRequested) -> bool:
        return waits.tool == "write_file"

    def test_it_works_in_a_loop_of_ones_own(self, asking: Opened) -> None:
        import anyio

        harness = asking(WRITE, DONE)
        events = anyio.run(self._collect, harness)
        assert any(isinstance(one, ApprovalDecided) and one.by != "policy" for one in events)

    def test_a_request_that_is_none_and_files_that_are_not_there(self, opened: Opened) -> None:
        harness = opened()
        before = [one.run for one in harness.runs.list()]
        with pytest.raises(UsageError, match="empty"):
            harness.run("  ")
        with pytest.raises(UsageError, match="no file"):
            harness.run("Go", files=["/no/such.pdf"]).result  # noqa: B018
        assert [one.run for one in harness.runs.list()] == before
        assert len(list((harness.home / "workspaces").iterdir())) <= len(before)

    def test_a_kit_that_is_not_there_is_said(self, own: Callable[..., Desk]) -> None:
        harness = own(**{"domain.yaml": "tools: [files, telepathy]\n"}).opened()
        with pytest.raises(DomainInvalid, match="telepathy"):
            harness.run("Go").result  # noqa: B018


class TestApprovals:
    def test_a_callback_sees_the_change_and_its_word_counts(self, asking: Opened) -> None:
        seen: list[ApprovalRequested] = []

        def decide(waits: ApprovalRequested) -> bool | Decision:
            seen.append(waits)
            if len(seen) == 1:
                return Decision(allow=False, reason="Not so formal.")
            return Decision(allow=True, arguments={"path": "letter.md", "text": "Hello"})

        harness = asking(WRITE, WRITE, DONE)
        with harness.run("Write", approve=decide) as run:
            events = list(run)
        assert seen[0].preview == (
            "--- /dev/null\n+++ letter.md\n@@ -0,0 +1 @@\n+Dear Sir\n\\ No newline at end of file"
        )
        assert "Not so formal." in results(events)[0]
        assert (run.workspace / "files" / "letter.md").read_text() == "Hello"

    def test_for_this_run_is_asked_once(self, asking: Opened) -> None:
        asked: list[str] = []

        def decide(waits: ApprovalRequested) -> Decision:
            asked.append(waits.call)
            return Decision(allow=True, scope="run")

        again = call("write_file", path="letter.md", text="Dear Madam")
        result = asking(WRITE, again, DONE).run("Write", approve=decide).result
        assert len(asked) == 1
        assert result.completed

    def test_unattended_it_is_refused_and_the_model_told(self, asking: Opened) -> None:
        with asking(WRITE, DONE).run("Write", approve="never") as run:
            events = list(run)
        assert "--approve never" in results(events)[0]
        assert run.result.files == ()

    def test_what_waits_outlives_the_process_and_is_decided_later(self, asking: Opened) -> None:
        first = asking(WRITE)
        run = first.run("Write")
        assert run.result.stop == "needs_input"
        assert [one.tool for one in first.runs.show(run.id).approvals] == ["write_file"]
        first.runs.door.close()
        later = asking(DONE)
        later.runs.approve(run.id, reason="fine")
        assert later.runs.resume(run.id).result.completed
        assert (run.workspace / "files" / "letter.md").read_text() == "Dear Sir"

    @pytest.mark.parametrize("mode", ["never", "auto"])
    def test_who_resumes_unattended_has_it_refused_and_replayed(
        self, asking: Opened, mode: Any
    ) -> None:
        run = asking(WRITE).run("Write")
        assert run.result.stop == "needs_input"
        harness = asking(Turn(text="I was not allowed to."))
        later = harness.runs.resume(run.id, approve=mode)
        assert (later.result.stop, later.result.files) == ("completed", ())
        told = [one.event for one in harness.runs.journal.read(run.id)]
        [decided] = [one for one in told if isinstance(one, ApprovalDecided)]
        assert (decided.decision, mode in decided.reason) == ("deny", True)
        assert harness.runs.replay(run.id).difference is None

    def test_a_fork_may_be_unattended_where_the_run_was_not(self, asking: Opened) -> None:
        run = asking(call("list_files"), WRITE).run("Write")
        assert run.result.stop == "needs_input"
        harness = asking(WRITE, Turn(text="I was not allowed to."))
        fork = harness.runs.fork(run.id, step=1, approve="never")
        assert (fork.result.stop, fork.result.files) == ("completed", ())

    def test_a_question_still_waits_for_who_resumes_unattended(self, opened: Opened) -> None:
        run = opened(call("ask", question="Which?")).run("Go")
        assert run.result.stop == "needs_input"
        later = opened().runs.resume(run.id, approve="never")
        assert later.result.stop == "needs_input"

    def test_what_waits_is_put_to_the_callback_of_who_resumes(self, asking: Opened) -> None:
        run = asking(WRITE).run("Write")
        assert run.result.stop == "needs_input"
        later = asking(DONE)
        assert later.runs.resume(run.id, approve=lambda _: True).result.files == ("letter.md",)


class TestQuestions:
    ASK = call("ask", question="Which lease?", choices=["A", "B"])

    def test_a_callback_answers(self, opened: Opened) -> None:
        harness = opened(self.ASK, DONE)
        with harness.run("Go", respond=lambda asked: asked.choices[1]) as run:
            events = list(run)
        assert "B" in results(events)[0]

    def test_it_is_answered_later(self, opened: Opened) -> None:
        run = opened(self.ASK).run("Go")
        assert run.result.stop == "needs_input"
        later = opened(DONE)
        assert [one.text for one in later.runs.show(run.id).questions] == ["Which lease?"]
        later.runs.answer(run.id, "A")
        assert later.runs.resume(run.id).result.completed

    def test_who_only_approves_is_not_asked(self, opened: Opened) -> None:
        harness = opened(self.ASK, DONE)
        with harness.run("Go", approve=lambda _: True) as run:
            events = list(run)
        assert "no tool `ask`" in results(events)[0]


class TestResuming:
    def test_to_leave_early_keeps_the_work(self, opened: Opened) -> None:
        # Two, since the next message may be on its way when the loop is left.
        harness = opened(WRITE, call("list_files"), call("list_files"), DONE)
        with harness.run("Write") as run:
            for event in run:
                if isinstance(event, ToolFinished):
                    break
        again = harness.runs.resume(run.id)
        events = list(again)
        assert isinstance(events[0], RunResumed)
        assert again.result.completed
        steps = [
            one.event.step
            for one in harness.runs.events(run.id)
            if isinstance(one.event, MessageCompleted)
        ]
        assert steps == list(range(1, len(steps) + 1))
        assert len(steps) in (3, 4)

    def test_a_done_run_goes_on_with_something_new(self, opened: Opened) -> None:
        harness = opened(DONE, call("finish", answer="Shorter."))
        run = harness.run("Write")
        assert run.result.completed
        with pytest.raises(UsageError, match="completed"):
            harness.runs.resume(run.id).result  # noqa: B018
        assert harness.runs.resume(run.id, message="Shorter, please").result.text == "Shorter."

    def test_a_changed_domain_is_said(self, own: Callable[..., Desk]) -> None:
        desk = own()
        run = desk.opened(call("ask", question="Which?")).run("Go")
        assert run.result.stop == "needs_input"
        fees = desk.folder / "references/fees.md"
        fees.write_text("# Fees\n\nThe fee is 6 EUR.\n", "utf-8")
        later = desk.opened(DONE)
        later.runs.answer(run.id, "A")
        events = list(later.runs.resume(run.id))
        assert isinstance(events[0], RunResumed)
        assert "The domain changed" in events[0].notices[0]

    def test_another_domain_can_not_go_on_with_it(
        self, opened: Opened, desk: Desk, write_domain: Any
    ) -> None:
        run = opened(call("ask", question="Which?")).run("Go")
        assert run.result.stop == "needs_input"
        folder = write_domain("other", **{"examples/a.yaml": "- id: a\n  input: x\n  output: y\n"})
        settings = desk.harness.settings
        other = Harness(folder, model=desk.model, settings=settings, embedder=HashEmbedder())
        with other, pytest.raises(UsageError, match="of the domain small"):
            other.runs.resume(run.id).result  # noqa: B018

    def test_what_is_said_meanwhile_lands_before_the_next_step(self, opened: Opened) -> None:
        def respond(_: QuestionAsked) -> str:
            run.steer("Only the first page")
            return "A"

        harness = opened(call("ask", question="Which?"), DONE)
        run = harness.run("Go", respond=respond)
        events = list(run)
        order = [one for one in events if isinstance(one, SteerReceived | MessageCompleted)]
        assert [type(one).__name__ for one in order] == [
            "MessageCompleted",
            "SteerReceived",
            "MessageCompleted",
        ]

    def test_cancelled_it_keeps_its_work(self, opened: Opened) -> None:
        def respond(_: QuestionAsked) -> str:
            run.cancel("enough")
            return "A"

        run = opened(WRITE, call("ask", question="Which?"), DONE).run("Go", respond=respond)
        assert (run.result.stop, run.result.files) == ("cancelled", ("letter.md",))
        assert run.result.problems == ("enough",)


class TestFilesOfARun:
    def test_undo_brings_back_what_was(self, opened: Opened) -> None:
        second = call("write_file", path="letter.md", text="Second")
        harness = opened(WRITE, second, call("write_file", path="b.md", text="B"), DONE)
        run = harness.run("Write")
        assert run.result.completed
        files = run.workspace / "files"
        assert harness.runs.undo(run.id, 2) == ("b.md", "letter.md")
        assert [one.name for one in files.iterdir()] == ["letter.md"]
        assert (files / "letter.md").read_text() == "Dear Sir"
        harness.runs.undo(run.id, 1)
        assert list(files.iterdir()) == []
        assert harness.runs.undo(run.id, 1) == ()
        with pytest.raises(UsageError, match="no turn 5"):
            harness.runs.undo(run.id, 5)
        assert harness.runs.verify(run.id)[0].clean
        assert harness.runs.show(run.id).summary.tally.state == "completed"

    def test_a_fork_goes_another_way_in_a_workspace_of_its_own(
        self, opened: Opened, tmp_path: Path
    ) -> None:
        (tmp_path / "in.md").write_text("given", "utf-8")
        harness = opened(
            call("read_file", path="in.md"),
            WRITE,
            call("edit_file", path="letter.md", old="Sir", new="Madam"),
            DONE,
        )
        run = harness.run("Write", files=[tmp_path / "in.md"])
        assert run.result.completed
        later = opened(
            call("list_files"), call("finish", answer='Other. [in.md: "given"] [letter.md: "Dear"]')
        )
        fork = later.runs.fork(run.id, step=2, message="Otherwise")
        assert fork.result.stop == "failed"  # it cites what it wrote itself, and says no more
        assert (fork.workspace / "files" / "letter.md").read_text() == "Dear Sir"
        assert (run.workspace / "files" / "letter.md").read_text() == "Dear Madam"
        started = later.runs.show(fork.id).started
        assert (started.parent, started.relation) == (run.id, "fork")
        with pytest.raises(UsageError, match="no step 99"):
            later.runs.fork(run.id, step=99)

    def test_in_a_fork_the_model_knows_what_it_had_seen_and_nothing_else(
        self, opened: Opened, tmp_path: Path
    ) -> None:
        (tmp_path / "in.md").write_text("given", "utf-8")
        (tmp_path / "unread.md").write_text("not looked at", "utf-8")
        files = [tmp_path / "in.md", tmp_path / "unread.md"]
        run = opened(
            call("read_file", path="in.md"),
            WRITE,
            call("write_file", path="letter.md", text="Dear Madam"),
            call("read_file", path="unread.md"),
            DONE,
        ).run("Write", files=files)
        assert run.result.completed
        later = opened(
            call("write_file", path="letter.md", text="Dear all"),
            call("edit_file", path="./in.md", old="given", new="taken"),
            call("write_file", path="unread.md", text="x"),
            DONE,
        )
        fork = later.runs.fork(run.id, step=2)
        assert fork.result.completed
        told = [one.event for one in later.runs.events(fork.id)]
        ended = [one for one in told if isinstance(one, ToolFinished)]
        assert [one.error for one in ended] == [False, False, True, False]
        assert "have not read it" in ended[2].text
        again = opened(call("edit_file", path="letter.md", old="all", new="both"), DONE)
        twice = again.runs.fork(fork.id, step=4)
        assert twice.result.completed
        assert (twice.workspace / "files" / "letter.md").read_text() == "Dear both"

    def test_tools_that_show_files_are_tools(self) -> None:
        source = (Path(forked.__file__).parents[1] / "tools").rglob("*.py")
        code = "".join(one.read_text("utf-8") for one in source)
        assert [one for one in forked.SHOWING if f"def {one}(" not in code] == []


class TestRecord:
    def test_a_run_is_replayed_exported_erased(self, opened: Opened) -> None:
        harness = opened(call("list_files"), WRITE, DONE)
        run = harness.run("Write")
        assert run.result.completed
        done = harness.runs.replay(run.id)
        assert (done.difference, done.complete) == (None, True)
        assert "Write" in "".join(harness.runs.export(run.id, "markdown"))
        harness.runs.erase(run.id)
        assert harness.runs.verify(run.id)[0].clean
        assert not run.workspace.exists()
        with pytest.raises(RunErased):
            harness.runs.show(run.id)


class TestBudgets:
    def test_steps_of_the_call_go_before_those_of_the_domain(
        self, own: Callable[..., Desk]
    ) -> None:
        turns = [call("list_files", path="") if n % 2 else WRITE for n in range(9)]
        harness = own(**{"domain.yaml": "budgets:\n  steps: 50\n  minutes: 30\n"}).opened(*turns)
        run = harness.run("Go", budget=Budget(steps=3))
        assert run.result.stop == "budget"
        assert run.result.steps <= 3
        limits = harness.runs.show(run.id).started.limits
        assert (limits.steps, limits.minutes) == (3, 30.0)

    def test_money_without_a_price_is_refused(self, opened: Opened) -> None:
        with pytest.raises(UsageError, match="price"):
            opened(DONE).run("Go", budget=Budget(usd=1)).result  # noqa: B018


class TestAssistants:
    def test_a_piece_of_work_is_given_away_and_comes_back(self, asking: Opened) -> None:
        harness = asking(
            call("delegate", task="Write the letter", context="short"),
            WRITE,
            call("finish", answer="Written."),
            call("finish", answer="All done."),
        )
        asked: list[str] = []

        def decide(waits: ApprovalRequested) -> bool:
            asked.append(waits.tool)
            return True

        with harness.run("Go", approve=decide) as run:
            events = list(run)
        assert asked == ["write_file"]
        assert "Written." in results(events)[0]
        assert (run.workspace / "files" / "letter.md").exists()
        children = harness.runs.journal.runs(parent=run.id)
        assert [one.tally.relation for one in children] == ["delegate"]
        assert run.result.files == ("letter.md",)
        harness.runs.erase(run.id)
        assert all(one.erased for one in harness.runs.journal.runs(parent=run.id))
