"""The flows of the web app in a real browser, over real questions."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.testing import Turn
from tests.ui.conftest import ROOT, Server, Visit

QUESTION = "My rabbit chewed the chip off my card, what now?"


def test_from_a_question_to_a_correction_that_the_next_answer_uses(
    visit: Callable[..., Visit], served: Server
) -> None:
    one = visit().go()
    one.ask(QUESTION)
    one.sees("baseline:nearest")
    one.press("correct")
    one.sees("Why is that right?")
    assert QUESTION in one.text()
    field = one.key("answer-" + one.page.url.split("run=")[1].split("&")[0])
    box = field.locator("input")
    box.fill("card_not_working")
    box.press("Enter")
    one.settle()
    one.write("why-" + one.page.url.split("run=")[1].split("&")[0], "A damaged chip does not work")
    one.press("save")
    one.sees("Saved as a draft")
    written = (served.domain / "examples" / "corrections.yaml").read_text("utf-8")
    assert "A damaged chip does not work" in written
    assert "status: draft" in written
    one.press("to-review")
    one.sees("The domain's instructions")
    one.press("accept")
    one.sees("is accepted")
    one.press("ask-again")
    one.page.wait_for_selector(".st-key-answer")
    one.settle()
    assert "card_not_working" in one.key("answer").inner_text()
    one.page.get_by_text("What the model saw").click()
    one.settle()
    one.sees("Every item that was considered")
    assert "status: approved" in (served.domain / "examples" / "corrections.yaml").read_text(
        "utf-8"
    )


PAGES = ("correct", "review", "evals", "runs", "people", "")
"""The others are looked at view by view, in test_views."""
SCREENS = ROOT / ".cache" / "screens"
SCHEMES = ["light", "dark"] if os.environ.get("HARNESS_SOAK") else ["light"]
"""Dark is looked at in `make soak`."""
AXE = """async () => (await axe.run({resultTypes: ["violations"]})).violations
  .map(v => [v.impact, v.id, v.nodes[0].html])"""


def serious(one: Visit) -> list[Any]:
    """Return what axe-core finds on the page that keeps people out."""
    if not one.page.evaluate("'axe' in window"):
        one.page.evaluate(axe_source())
    return [found for found in one.page.evaluate(AXE) if found[0] in ("serious", "critical")]


@cache
def axe_source() -> str:
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.mark.soak
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_can_be_used_by_everybody(visit: Callable[..., Visit], scheme: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    one = visit(color_scheme=scheme)
    one.go()
    found = {}
    for page in PAGES:
        one.page.set_viewport_size({"width": 1280, "height": 900})
        one.turn_to(page)
        for width in (1280, 400):
            one.page.set_viewport_size({"width": width, "height": 900})
            one.still()
            one.page.screenshot(path=SCREENS / f"{page or 'ask'}-{width}-{scheme}.png")
            if bad := serious(one):
                found[page, width] = bad
            wide = one.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, page
    assert found == {}


HOSTILE = (
    "<script>window.hacked = 1</script> <img src=x onerror='window.hacked = 2'> "
    "![seen](http://127.0.0.1:9/pixel.png) :material/home: $5 and $6 **bold**"
)


def test_markup_and_scripts_are_shown_and_never_run(
    visit: Callable[..., Visit], served: Server
) -> None:
    served.script.append(Turn(text=f"You said: {HOSTILE}"))
    one = visit().go()
    one.choose_model("openai:gpt-5")
    one.ask(HOSTILE)
    asked = one.page.locator("[class*=st-key-asked-]").inner_text()
    assert asked.replace("\u2060", "").strip() == HOSTILE
    assert "$5 and $6" in one.key("answer").inner_text()
    assert one.page.evaluate("window.hacked") is None
    assert one.page.locator("[data-testid=stMarkdown] img").count() == 0
    # even if something slipped through, the browser would not fetch it
    refused = one.page.evaluate(
        "fetch('http://127.0.0.1:9/').then(() => 'sent', error => 'refused')"
    )
    assert refused == "refused"
    assert any("Content Security Policy" in said for said in one.errors)
    one.foreign.clear()  # the attempt just made


def test_a_reload_in_the_middle_of_an_answer_loses_nothing(
    visit: Callable[..., Visit], served: Server
) -> None:
    served.script.append(Turn(text="A slow but sure answer " * 8, pace=0.15))
    one = visit().go()
    one.choose_model("openai:gpt-5")
    field = one.page.locator("[data-testid=stChatInputTextArea]")
    field.fill("How long does it take?")
    field.press("Enter")
    one.page.wait_for_selector(".st-key-coming")
    address = one.page.url
    one.page.reload()
    one.page.wait_for_selector(".st-key-coming")  # what was there is there again
    other = visit()
    other.page.goto(address)
    for tab in (one, other):
        tab.page.wait_for_selector(".st-key-answer")
        assert tab.key("answer").inner_text().count("A slow but sure answer") == 8
