"""What each page does with what people put in, run in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.domain.scaffold import scaffold
from harness.testing import ScriptedModel, Turn
from harness.values import Delta

App = Callable[..., Any]
QUESTION = "The courier left my parcel in the rain"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    scaffold(folder, name="desk", template="labels")
    return folder


def said(test: Any) -> str:
    """Return every text on the page."""
    parts = [*test.markdown, *test.caption, *test.error, *test.warning, *test.info, *test.success]
    return "\n".join(str(one.value) for one in parts).replace("\\", "")


def button(test: Any, key: str) -> Any:
    return test.button(key=key)


def run_of(test: Any) -> str:
    """Return which piece of work the page shows, from its address."""
    value = test.query_params["run"]
    return str(value if isinstance(value, str) else value[0])


def settled(test: Any) -> Any:
    """Draw the page anew until its work is done."""
    from harness_ui.desk import desk as shared

    job = shared().jobs.get(run_of(test))
    for _ in range(1200):
        if not job.busy:
            break
        time.sleep(0.05)
    return test.run()


def ask(test: Any, question: str = QUESTION) -> Any:
    test.chat_input[0].set_value(question).run()
    return settled(test)


def test_an_answer_says_by_whom_and_what_it_cost(app: App, desk: Path) -> None:
    test = ask(app("ask", desk))
    assert not test.exception
    assert "baseline:nearest" in said(test)
    assert "no cost" in said(test)
    assert any("What the model saw" in one.label for one in test.expander)
    again = app("ask", desk, run=run_of(test))
    assert QUESTION in said(again)  # a reload, or a second tab


def test_an_empty_question_and_a_job_that_is_gone(app: App, desk: Path) -> None:
    test = app("ask", desk, run="0123456789ab")
    assert "is not here any more" in said(test)
    test.chat_input[0].set_value("   ").run()
    assert "The question is empty" in said(test)


def test_a_model_without_a_key_says_how_and_offers_the_baseline(app: App, desk: Path) -> None:
    test = ask(app("ask", desk, model="openai:gpt-5"))
    assert "OPENAI_API_KEY" in said(test)
    assert "baseline:nearest" in said(test)
    button(test, "baseline").click().run()
    assert "no cost" in said(settled(test))


class Halting:
    """A model that says a word and then nothing more."""

    name = "own:halting"
    context_window = None
    destination = ""

    def cost(self, input_tokens: int, output_tokens: int) -> None:
        return None

    async def aclose(self) -> None:
        return None

    async def stream(self, messages: Any, **how: Any) -> Any:
        yield Delta(text="one ")
        await anyio.sleep(120)


def test_stopping_keeps_what_is_there(app: App, desk: Path) -> None:
    from harness_ui.desk import desk as shared

    test = app("ask", desk, model=Halting())
    test.chat_input[0].set_value(QUESTION).run()
    job = shared().jobs.get(run_of(test))
    for _ in range(1200):
        if job.text or not job.busy:
            break
        time.sleep(0.05)
    assert (job.busy, job.text) == (True, "one ")
    assert "one" in said(app("ask", desk, run=job.id))  # a reload in the middle of it
    test.run()
    button(test, "stop").click().run()
    assert (job.state, job.text) == ("stopped", "one ")
    assert "Stopped. What was there is kept." in said(test.run())


def test_a_domain_with_errors_shows_them_and_works_for_the_rest(app: App, desk: Path) -> None:
    (desk / "examples" / "broken.yaml").write_text("- id: [\n", "utf-8")
    assert "can't answer as it is: it has 1 error" in said(app("ask", desk))
    health = app("domain", desk)
    assert "1 error: until they are mended" in said(health)
    assert list(health.dataframe[0].value["File"]) == ["examples/broken.yaml"]
    assert len(app("examples", desk).dataframe[0].value) > 5
    assert "1 error" in said(ask(app("ask", desk)))


def test_a_correction_is_looked_at_while_it_is_written(app: App, desk: Path) -> None:
    test = app("correct", desk)
    test.text_area(key="question-new").set_value(QUESTION)
    test.selectbox(key="answer-new").set_value("complaint").run()
    assert not test.exception
    test.text_area(key="why-new").set_value("He is angry")
    button(test, "save").click().run()
    assert "Saved as a draft" in said(test)
    review = app("review", desk)
    assert QUESTION in said(review)
    assert "ada wrote it" in said(review)
    button(review, "accept").click().run()
    assert "is accepted" in said(review)
    assert "Nothing waits for review" in said(app("review", desk))
    people = app("people", desk)
    assert list(people.dataframe[0].value["Did"]) == ["accepted", "proposed"]


def test_a_second_person_is_waited_for(app: App, app_home: Path, desk: Path) -> None:
    with (desk / "domain.yaml").open("a", encoding="utf-8") as file:
        file.write("\nreview: two_people\n")
    from harness import Harness

    with Harness(desk, home=app_home) as h:
        h.examples.propose(QUESTION, "complaint", by="ada")
    test = app("review", desk)
    button(test, "accept").click().run()
    assert "waits for a second person's word" in said(test)
    assert "Two people have to stand behind it. So far: ada." in said(test)


def test_an_example_is_mended_where_it_stands(app: App, desk: Path) -> None:
    test = app("examples", desk, id="m-101")
    why = next(one for one in test.text_area if one.label == "Why")
    why.set_value("because ada says so").run()
    button(test, "save-one").click().run()
    assert "is saved" in said(test)
    assert any("because ada says so" in path.read_text() for path in (desk / "examples").iterdir())


def test_the_other_views_of_examples(app: App, desk: Path) -> None:
    test = app("examples", desk)
    for view in ("Similar", "Near-duplicates", "Map", "Import"):
        test.segmented_control(key="view").set_value(view).run()
        assert not test.exception, view
    test.segmented_control(key="view").set_value("Similar").run()
    test.text_area(key="like").set_value("I want to cancel").run()
    assert len(test.dataframe[0].value) > 3


def test_an_eval_from_start_to_a_comparison(app: App, desk: Path) -> None:
    test = app("evals", desk)
    for _ in range(2):
        button(test, "start-do").click().run()
        settled(test)
        assert "with 95 % confidence" in said(test)
        run = run_of(test)
    assert "Runs so far" in [one.value for one in test.header]
    for one in (test, test.run()):  # what was chosen comes back from the browser by its name
        assert "cases in common" in said(one)
        assert "0 newly failing" in said(one)
    names = test.selectbox(key="first-run").options
    assert len(set(names)) == len(names) == 2
    kept = app("evals", desk)
    assert len(kept.dataframe[0].value) == 2
    again = app("evals", desk, run=str(kept.dataframe[0].value["Id"][0]))
    assert "with 95 % confidence" in said(again)
    assert run


def test_settings_keep_the_comments_of_the_file(app: App, desk: Path) -> None:
    before = (desk / "domain.yaml").read_text("utf-8")
    test = app("domain", desk)
    test.segmented_control(key="domain-view").set_value("Settings").run()
    test.number_input(key="s-budget").set_value(40000)
    test.text_input(key="s-owners").set_value("Ada, Ben")
    next(one for one in test.button if one.label == "Save settings").click().run()
    assert "Saved: owners, context.budget" in said(test)
    after = (desk / "domain.yaml").read_text("utf-8")
    assert "budget: 40000" in after
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]


def test_a_text_is_checked_at_the_line_and_another_s_change_is_seen(app: App, desk: Path) -> None:
    test = app("domain", desk)
    test.segmented_control(key="domain-view").set_value("Texts").run()
    test.selectbox(key="which-text").set_value("Settings as text").run()
    area = test.text_area[0]
    area.set_value("title: Mail\nbudget: 3\n").run()
    assert "Line 2" in said(test)
    button(test, "save-text").click().run()
    assert "can't be saved" in said(test)
    (desk / "domain.yaml").write_text("title: Theirs\n", "utf-8")
    test.text_area[0].set_value("title: Mine\n").run()
    assert "was changed on disk" in said(test)
    button(test, "save-text").click().run()
    assert "Somebody changed" in said(test)
    assert (desk / "domain.yaml").read_text("utf-8") == "title: Theirs\n"
    button(test, "theirs").click().run()
    assert test.text_area[0].value == "title: Theirs\n"


def test_a_new_domain_from_a_template(app: App, desk: Path, tmp_path: Path) -> None:
    test = app("domain", desk)
    test.segmented_control(key="domain-view").set_value("New domain").run()
    test.text_input(key="new-name").set_value("Claims Desk").run()
    button(test, "new-do").click().run()
    assert "How about 'claims-desk'" in said(test)
    test.text_input(key="new-name").set_value("claims-desk").run()
    button(test, "new-do").click().run()
    assert (tmp_path / "claims-desk" / "SKILL.md").is_file()


def test_the_other_views_of_a_domain(app: App, desk: Path) -> None:
    test = app("domain", desk)
    for view in ("Files", "History"):
        test.segmented_control(key="domain-view").set_value(view).run()
        assert not test.exception, view


def test_roles_say_who_may_what(
    app: App, desk: Path, app_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness_ui import visit

    from harness.sdk.people import People

    monkeypatch.setattr(visit, "sign_in_configured", lambda: True)
    monkeypatch.setattr(visit, "person", lambda: "ben@example.org")
    monkeypatch.setattr(visit, "show_account", lambda: None)
    people = People(app_home)
    people.grant("desk", "ben@example.org", "reader", by="ada")
    assert "needs the role expert" in said(app("correct", desk)).replace("*", "")
    people.grant("desk", "ben@example.org", "expert", by="ada")
    assert app("correct", desk).text_area(key="question-new")
    assert not [one for one in app("people", desk).button if one.label == "Give this role"]
    people.grant("*", "BEN@example.org", "admin", by="ada")
    assert [one for one in app("people", desk).button if one.label == "Give this role"]


def test_a_question_goes_on_from_the_one_before_and_survives_a_restart(
    app: App, desk: Path
) -> None:
    from harness_ui.desk import desk as shared

    model = ScriptedModel([Turn(text="billing"), Turn(text="complaint")])
    first = ask(app("ask", desk, model=model))
    second = ask(first, "And if he is angry?")
    assert QUESTION in said(second)
    assert "And if he is angry?" in said(second)
    assert any("billing" in str(message.content) for message in model.calls[-1].messages)
    name = run_of(second.run())
    shared().jobs._jobs.clear()  # as in a new process
    again = app("ask", desk, run=name)
    for text in (QUESTION, "billing", "And if he is angry?", "complaint"):
        assert text in said(again)
    assert [one.label for one in app("ask", desk).button if (one.key or "").startswith("earlier-")]


def test_what_no_question_needed(app: App, desk: Path) -> None:
    ask(app("ask", desk))
    test = app("examples", desk)
    test.segmented_control(key="view").set_value("Never used").run()
    assert "needed by none of the last" in said(test)


def test_an_answer_is_taken_away_as_a_file(app: App, desk: Path) -> None:
    test = ask(app("ask", desk))
    form = next(one for one in test.radio if (one.key or "").startswith("form-"))
    for name in ("Word", "Excel", "Markdown"):
        form.set_value(name).run()
        assert not test.exception
        assert f"Fetch the {name} file" in [one.label for one in test.get("download_button")]


def test_a_reviewer_sees_how_a_draft_was_worked(app: App, app_home: Path, desk: Path) -> None:
    steps = ["I look it up.\nsearch: fees\n→ 5 EUR", "compute: 5 * 2\n→ 10"]
    from harness import Harness

    with Harness(desk, home=app_home) as h:
        h.examples.propose(QUESTION, "new-claim", steps=steps, by="ada")
    review = app("review", desk)
    assert [one.value for one in review.code] == steps
    assert "Step 2" in said(review)
