"""The flows of the web app in a real browser, over real questions."""

from __future__ import annotations

from collections.abc import Callable

from tests.ui.conftest import Server, Visit

QUESTION = "My rabbit chewed the chip off my card, what now?"


def test_from_a_question_to_a_correction_that_the_next_answer_uses(
    visit: Callable[..., Visit], served: Server
) -> None:
    one = visit().go()
    one.ask(QUESTION)
    assert "baseline:nearest" in one.text()
    one.press("correct")
    assert QUESTION in one.text()
    field = one.key("answer-" + one.page.url.split("run=")[1].split("&")[0])
    box = field.locator("input")
    box.fill("card_not_working")
    box.press("Enter")
    one.settle()
    one.write("why-" + one.page.url.split("run=")[1].split("&")[0], "A damaged chip does not work")
    one.press("save")
    assert "Saved as a draft" in one.text()
    written = (served.domain / "examples" / "corrections.yaml").read_text("utf-8")
    assert "A damaged chip does not work" in written
    assert "status: draft" in written
    one.press("to-review")
    assert "instructions" in one.text()
    one.press("accept")
    assert "is accepted" in one.text()
    one.press("ask-again")
    one.page.wait_for_selector(".st-key-answer")
    one.settle()
    assert "card_not_working" in one.key("answer").inner_text()
    one.page.get_by_text("What the model saw").click()
    one.settle()
    assert "Every item that was considered" in one.text()
    assert "status: approved" in (served.domain / "examples" / "corrections.yaml").read_text(
        "utf-8"
    )
