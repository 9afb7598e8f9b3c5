"""Questions as runs: kept in the journal, carried on as a conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.errors import NotAuthorized, QuestionTooLong, RunNotFound
from harness.sdk.conversation import last_question
from harness.testing import Fault, Turn
from tests.sdk.runs.conftest import Desk, Opened


def test_a_question_is_a_run(opened: Opened) -> None:
    harness = opened(Turn(text="Block it."))
    answer = harness.ask("My card is gone")
    assert answer.text == "Block it."
    told = harness.runs.show(answer.run)
    assert told.started.goal == "My card is gone"
    assert told.finished
    assert told.finished.answer == "Block it."
    assert harness.runs.verify(answer.run)[0].clean
    assert harness.runs.replay(answer.run).difference is None


def test_a_question_that_fails_is_kept_and_raised_as_what_it_is(opened: Opened) -> None:
    harness = opened(Turn(fault=Fault(kind="unauthorized")))
    with pytest.raises(NotAuthorized):
        harness.ask("My card is gone")
    assert harness.runs.list()[0].tally.state == "failed"


def test_a_question_that_can_not_be_packed_leaves_no_run(opened: Opened) -> None:
    harness = opened()
    before = [one.run for one in harness.runs.list()]
    with pytest.raises(QuestionTooLong):
        harness.ask("word " * 2_000, budget=500)
    assert [one.run for one in harness.runs.list()] == before
    assert all(one.clean for one in harness.runs.verify())


def test_a_conversation_goes_on_in_any_process(desk: Desk) -> None:
    harness = desk.opened(Turn(text="Block it."), Turn(text="In two days."), Turn(text="By post."))
    talk = harness.conversation()
    talk.ask("My card is gone")
    assert talk.ask("When is the new one there?").text == "In two days."
    assert talk.run
    harness.runs.door.close()
    later = harness.conversation(last_question(harness.runs, "small"))
    answer = later.ask("How does it come?")
    shown = "\n".join(str(one.content) for one in desk.model.calls[-1].messages)
    for words in ("My card is gone", "Block it.", "When is the new", "In two days.", "How does it"):
        assert shown.count(words) == 1, words
    assert harness.runs.show(answer.run).started.parent == talk.run


def test_there_is_nothing_to_go_on_from(opened: Opened) -> None:
    with pytest.raises(RunNotFound, match="without --continue"):
        last_question(opened().runs, "of another name")


def test_cases_of_an_eval_are_no_runs(own: Callable[..., Desk]) -> None:
    cases = "- id: c1\n  input: Lost my card abroad\n  expected: Block it.\n"
    harness = own(**{"evals/dev.yaml": cases}).opened(Turn(text="Block it."))
    assert harness.evaluate().scored == 1
    assert harness.runs.list() == []
