"""Work with tools from the Ask page: steps, decisions, questions, quotes, files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness_ui.cited import passage_html
from harness_ui.run_words import change_words, deed, fenced
from hypothesis import given
from hypothesis import strategies as st

from harness.sdk.sources import Source
from harness.testing import ScriptedModel, Turn
from tests.ui.test_pages import button, run_of, said
from tests.ui.test_runs_page import FILES, call, until

App = Callable[..., Any]
TERMS = "# Terms\n\nA lost card is blocked at once.\n\nA new one costs 5 euros.\n"


@pytest.fixture
def office(write_domain: Callable[..., Path]) -> Path:
    return write_domain("office", **FILES, **{"references/terms.md": TERMS})


def asked(app: App, office: Path, turns: list[Turn], question: str = "Write the letter.") -> Any:
    test = app("ask", office, model=ScriptedModel(turns))
    test.chat_input[0].set_value(question).run()
    assert not test.exception
    return test


def test_a_refusal_reaches_the_model_and_the_answer_shows_where_it_is_from(
    app: App, office: Path
) -> None:
    turns = [
        call("search_references", "First the terms.", query="lost card"),
        call("write_file", path="letter.md", text="Dear Sir"),
        Turn(text='No letter then. [terms.md: "A lost card is blocked at once."]'),
    ]
    (office / "domain.yaml").write_text(
        "tools: [files, references]\napprovals:\n  ask: [write_file]\n", "utf-8"
    )
    test = until(asked(app, office, turns), "May it write a file?")
    assert "looks in the references for **lost card**" in said(test)
    assert "Dear Sir" in test.code[0].value
    reason = next(one for one in test.text_input if one.label == "Reason")
    reason.set_value("not to him").run()
    key = next(one.key for one in test.button if (one.key or "").startswith("deny-once-"))
    button(test, key).click().run()
    test = until(test, "1 quote, all found word for word")
    assert "No letter then." in said(test)
    again = app("ask", office, run=run_of(test))  # a second tab
    assert "No letter then." in said(again)
    assert any("How it was done" in one.label for one in again.expander)
    shown = button(again, f"cited-{run_of(test)}-0").label
    assert "terms" in shown
    listed = app("runs", office, run=run_of(test))
    assert "refused by ada: not to him" in said(listed)


def test_a_question_of_the_model_is_answered_below_the_steps_and_work_goes_on(
    app: App, office: Path
) -> None:
    turns = [
        call("ask", question="Which year?", choices=["2024", "2025"]),
        call("write_file", path="sum.md", text="2025: 12"),
        Turn(text="For 2025 then."),
        Turn(text="You are welcome."),
    ]
    (office / "domain.yaml").write_text("tools: [files, ask]\n", "utf-8")
    test = until(asked(app, office, turns, "Sum it up."), "Which year?")
    next(one for one in test.radio if one.label == "Answer").set_value("2025").run()
    next(one for one in test.button if one.label == "Answer it").click().run()
    test = until(test, "For 2025 then.", lambda: test.get("download_button"))  # when it has ended
    assert any("sum" in one.label for one in test.get("download_button"))
    assert "Correct this answer" in [one.label for one in test.button]
    test.chat_input[0].set_value("Thank you").run()  # goes on in the same run
    test = until(test, "You are welcome.")
    assert "For 2025 then." in said(test)
    corrected = app("correct", office, run=run_of(test))
    assert "Thank you" in said(corrected)


def test_one_answer_at_once_is_there_for_the_asking(app: App, office: Path) -> None:
    test = app("ask", office, model=ScriptedModel([Turn(text="At once.")]))
    test.toggle(key="tools-office").set_value(False).run()
    test.chat_input[0].set_value("Is it lost?").run()
    test = until(test, "At once.")
    assert not any("How it was done" in one.label for one in test.expander)


def test_work_that_is_stopped_keeps_what_was_said(app: App, office: Path) -> None:
    from harness_ui.desk import desk as shared

    from tests.ui.test_pages import Halting

    test = app("ask", office, model=Halting())
    test.chat_input[0].set_value("Take your time.").run()
    job = shared().jobs.get(run_of(test))
    for _ in range(600):
        if getattr(job, "text", ""):
            break
        time.sleep(0.05)
    test.run()
    button(test, "stop").click().run()
    test = until(test, "Stopped. What was there is kept.")
    assert "one" in said(test)


def test_a_passage_shows_its_quote_and_obeys_no_markup() -> None:
    text = "Say <b>no</b> & go."
    shown = passage_html(Source(document="a.md", text=text, mark=(4, 13)))
    assert ">&lt;b&gt;no&lt;/b&gt;</mark> &amp; go." in shown
    assert "<b>" not in shown


def test_what_a_tool_does_is_said_in_words() -> None:
    assert deed("search_references", {"query": "rent"}) == "looks in the references for **rent**"
    assert deed("compute", {"code": "1+1"}) == "calculates\n\n```\n1+1\n```"
    new = "--- /dev/null\n+++ a.md\n@@ -0,0 +1 @@\n+Dear Sir\n"
    assert change_words(new) == ("New file **a\\.md**", "+Dear Sir")
    assert change_words("to: ada") == ("", "to: ada")
    assert deed("desk__send", {"to": "x"}).startswith("uses **desk")


@given(st.text(alphabet="`a\n"))
def test_nothing_in_a_block_of_code_can_end_it(text: str) -> None:
    fence = fenced(text).split("\n")[0]
    assert not any(line.strip() == fence for line in text.rstrip().split("\n"))
