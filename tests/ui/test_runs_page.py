"""The page of runs: begun, followed, decided on, steered, taken up again, forked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.testing import ScriptedModel, ToolCall, Turn
from tests.ui.test_pages import button, run_of, said

App = Callable[..., Any]
FILES = {
    "domain.yaml": "tools: [files, ask, plan]\napprovals:\n  ask: [write_file]\n",
    "examples/cases.yaml": "- id: e1\n  input: My card is lost\n  output: Block the card.\n",
}


def call(tool: str, words: str = "", /, **arguments: Any) -> Turn:
    return Turn(text=words, tool_calls=(ToolCall(name=tool, arguments=arguments),))


@pytest.fixture
def office(write_domain: Callable[..., Path]) -> Path:
    return write_domain("office", **FILES)


def until(test: Any, words: str) -> Any:
    """Draw the page anew until it says something."""
    for _ in range(300):
        if words in said(test) or test.exception:
            break
        time.sleep(0.1)
        test.run()
    assert not test.exception
    assert words in said(test)
    return test


def test_an_approval_shows_the_exact_change_and_is_recorded(app: App, office: Path) -> None:
    turns = [
        call("write_file", "I write it.", path="letter.md", text="Dear Sir,\nno.\n"),
        Turn(text="The letter is written."),
    ]
    app("runs", office, model=ScriptedModel(turns))
    from harness_ui.desk import desk as shared
    from harness_ui.jobs import Working

    job = Working(domain="office", goal="Write the letter.")
    shared().jobs.work(shared().harness("office"), job)
    test = until(app("runs", office, run=job.id), "May it write a file?")
    assert "Dear Sir," in test.code[0].value
    key = next(one.key for one in test.button if (one.key or "").startswith("allow-once-"))
    button(test, key).click().run()
    until(test, "The letter is written.")
    assert "allowed by ada" in said(test)
    assert "Files" in said(test)
    button(test, "verify").click().run()
    assert "Nothing was changed since it was written" in said(test)
    listed = app("runs", office)
    assert listed.dataframe[0].value["How it stands"].iloc[0] == "done"
    assert run_of(test) == job.id


def test_a_question_waits_for_an_answer(app: App, office: Path) -> None:
    turns = [call("ask", question="Which year?"), Turn(text="For 2025 then.")]
    app("runs", office, model=ScriptedModel(turns))
    from harness_ui.desk import desk as shared
    from harness_ui.jobs import Working

    job = Working(domain="office", goal="Sum it up.")
    shared().jobs.work(shared().harness("office"), job)
    test = until(app("runs", office, run=job.id), "Which year?")
    next(one for one in test.text_input if one.label == "Answer").set_value("2025").run()
    next(one for one in test.button if one.label == "Answer it").click().run()
    until(test, "For 2025 then.")
    assert "ada answers: 2025" in said(test)


def test_a_run_that_nobody_works_on_can_be_taken_up(app: App, office: Path) -> None:
    test = app("runs", office, run="20200101-000000-000000000000")
    assert "There is no run" in said(test) or "has no run" in said(test)
