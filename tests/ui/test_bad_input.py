"""What goes wrong in an office: two at one example, a folder that changes, a file too big."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.domain.scaffold import scaffold
from tests.ui.conftest import Server, Visit
from tests.ui.test_browser import HOSTILE
from tests.ui.test_pages import button, said, settled

App = Callable[..., Any]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    scaffold(folder, name="desk", template="labels")
    return folder


def why_of(test: Any) -> Any:
    return next(one for one in test.text_area if one.label == "Why")


def all_text(folder: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.*")))


def test_two_experts_save_the_same_example_and_nobody_s_text_is_lost(app: App, desk: Path) -> None:
    one, other = (app("examples", desk, id="m-101") for _ in range(2))
    why_of(one).set_value("because the first one says so").run()
    why_of(other).set_value("because the second one says so").run()
    button(one, "save-one").click().run()
    assert "is saved" in said(one)
    button(other, "save-one").click().run()
    assert "Your text is kept as the draft" in said(other)
    for words in ("because the first one says so", "because the second one says so"):
        assert all_text(desk / "examples").count(words) == 1
    assert "because the second one says so" in str(
        [area.value for area in app("review", desk).text_area]
    )


def test_an_example_that_was_taken_away_meanwhile_is_told_of(app: App, desk: Path) -> None:
    test = app("examples", desk, id="m-101")
    why_of(test).set_value("too late").run()
    for path in (desk / "examples").iterdir():
        path.write_text("id,input,output\nm-900,Where is it,delivery\n", "utf-8") if (
            path.suffix == ".csv"
        ) else path.unlink()
    test.run()
    assert not test.exception
    assert len(test.dataframe[0].value) <= 1


@pytest.mark.parametrize("page", ["evals", "review", "people", "domain", "examples"])
def test_a_domain_with_errors_still_shows_each_page(app: App, desk: Path, page: str) -> None:
    (desk / "domain.yaml").write_text("titel: Mail\n", "utf-8")
    (desk / "examples" / "broken.yaml").write_text("- id: [\n", "utf-8")
    test = app(page, desk)
    assert not test.exception
    if page == "evals":
        button(test, "start-do").click().run()
        assert "title" in said(settled(test))  # did you mean
    if page == "domain":
        shown = test.dataframe[0].value
        assert {"domain.yaml", "examples/broken.yaml"} <= set(shown["File"])


def test_evals_with_a_model_without_a_key_say_how_to_set_one(app: App, desk: Path) -> None:
    test = app("evals", desk, model="openai:gpt-5")
    button(test, "start-do").click().run()
    words = said(settled(test))
    assert "OPENAI_API_KEY" in words
    assert "baseline:nearest" in words


def test_a_table_with_columns_of_its_own_is_asked_about(app: App, desk: Path) -> None:
    from harness import Harness

    table = b"Question,Answer,Team,\nIt is late,delivery,north,\n,returns,south,\n"
    with Harness(desk) as h:
        first = h.examples.import_("new.csv", data=table)
        assert first.unknown == ("Team",)
        assert not first.to_add()
        left_out = h.examples.import_("new.csv", data=table, columns={"Team": ""})
        assert [one.input for one in left_out.to_add()] == ["It is late"]
        assert [one.place.line for one in left_out.problems] == [3]
        tagged = h.examples.import_("new.csv", data=table, columns={"Team": "tags"})
        assert tagged.to_add()[0].tags == ("north",)


def test_a_file_that_is_too_big_is_refused_in_words(
    visit: Callable[..., Visit], tmp_path: Path
) -> None:
    big = tmp_path / "all-our-cases.csv"
    with big.open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    one = visit().go("examples")
    one.key("view").get_by_text("Import", exact=True).click()
    one.settle()
    one.page.set_input_files("input[type=file]", str(big))
    said = one.page.get_by_text("File must be 50.0MB or smaller").first
    said.wait_for()
    box = said.bounding_box()
    assert box["width"] > 100, "it is read out, and can't be seen"
    assert one.page.locator("h1").inner_text() == "Examples"  # the page goes on


def test_markup_in_examples_and_names_of_files_is_shown_and_never_run(
    visit: Callable[..., Visit], served: Server
) -> None:
    from harness import Harness

    name = "references/<img src=x onerror='window.hacked=3'>.md"
    office = served.domain.parent / "office"  # small: a change is read and indexed at once
    (office / name).write_text("# " + HOSTILE + "\n\nA text.\n", "utf-8")
    with Harness(office, home=served.home) as h:
        saved = h.examples.propose(HOSTILE, "card_arrival", why=HOSTILE, by="<b>eve</b>")
        try:
            one = visit()
            for page, query in (
                ("review", {"id": saved.example.id}),
                ("examples", {"id": saved.example.id}),
                ("people", {}),
                ("domain", {}),
            ):
                one.go(page, domain="office", **query)
                if page == "domain":
                    one.key("domain-view").get_by_text("Files", exact=True).click()
                    one.settle()
                assert one.page.evaluate("window.hacked") is None
                assert one.page.locator("[data-testid=stMainBlockContainer] img").count() == 0
                assert one.page.locator("[data-testid=stMainBlockContainer] b").count() == 0
        finally:
            h.examples.reject(saved.example.id, "a test", by="ada")
            (office / name).unlink()
