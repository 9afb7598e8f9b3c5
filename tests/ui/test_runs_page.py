"""The page of runs: begun, followed, decided on, steered, taken up again, forked."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.testing import ScriptedModel, ToolCall, Turn
from tests.ui.conftest import ROOT
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


def until(test: Any, words: str, has: Callable[[], Any] = lambda: True) -> Any:
    """Draw the page anew until it says something, and has what else is wanted."""
    for _ in range(300):
        if (words in said(test) and has()) or test.exception:
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


def test_a_run_is_steered_stopped_gone_on_with_and_forked(app: App, office: Path) -> None:
    turns = [
        call("ask", question="Which year?"),
        Turn(text="Then I know."),
        Turn(text="Another way it is 7."),
    ]
    from harness_ui.desk import desk as shared
    from harness_ui.jobs import Working

    app("runs", office, model=ScriptedModel(turns))
    job = Working(domain="office", goal="Look it up.")
    shared().jobs.work(shared().harness("office"), job)
    test = until(app("runs", office, run=job.id), "Which year?")
    test.text_input(key=f"steer-words-{job.id}").set_value("Only in this file")
    button(test, "steer").click().run()
    until(test, "ada says: Only in this file")
    button(test, "cancel").click().run()
    until(test, "stopped by a person")
    for _ in range(300):  # its worker may still be putting things away
        if any(one.key == "resume" for one in test.button):
            break
        time.sleep(0.1)
        test.run()
    button(test, "resume").click().run()
    assert "Say what is still to be done" in said(test)
    test.text_area(key=f"resume-words-{job.id}").set_value("Guess it")
    button(test, "resume").click().run()
    until(test, "taken up again")  # its question is still open
    next(one for one in test.text_input if one.label == "Answer").set_value("2025").run()
    next(one for one in test.button if one.label == "Answer it").click().run()
    until(test, "Then I know.")
    harness = shared().harness("office")
    fork = Working(domain="office", goal="x", message="And otherwise?", forks=job.id)
    shared().jobs.work(harness, fork)
    other = until(app("runs", office, run=fork.id), "Another way it is 7.")
    assert run_of(other) == fork.id != job.id
    assert "Then I know." in said(app("runs", office, run=job.id))


KILLED = """
import sys
from pathlib import Path
from harness import Harness
from tests.ui.test_pages import Halting
with Harness(Path(sys.argv[1]), home=sys.argv[2], model=Halting()) as h:
    with h.run("Take long.", attended=True) as run:
        for event in run:
            print(run.id, flush=True)
"""


def test_a_run_whose_worker_was_killed_says_so_and_goes_on(
    app: App, app_home: Path, office: Path
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(office), str(app_home)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "ui")])},
    )
    assert worker.stdout is not None
    name = worker.stdout.readline().strip()
    assert name
    worker.kill()
    worker.wait(20)
    worker.stdout.close()
    asked = until(
        app(
            "ask",
            office,
            model=ScriptedModel([Turn(text="Here it is.")], name="own:halting"),
            run=name,
        ),
        "Nobody works on it",
    )
    button(asked, "take-up").click().run()
    until(asked, "Here it is.")
    assert "taken up again" in said(app("runs", office, run=name))


def test_a_long_conversation_opens_with_its_end_and_shows_more_if_asked(
    app: App, office: Path
) -> None:
    test = app("ask", office, model=ScriptedModel([Turn(text=f"Said {n}.") for n in range(16)]))
    from harness_ui.desk import desk as shared

    talk = shared().harness("office").conversation()
    for number in range(16):
        talk.ask(f"Question {number}.", policy="none")
    test = app("ask", office, run=talk.run or "")
    assert "Said 15." in said(test)
    assert "Said 2." not in said(test)
    button(test, "more-turns").click().run()
    assert "Said 0." in said(test)
