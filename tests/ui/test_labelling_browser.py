"""Labelling a judge's verdicts in a real browser: by hand, by keys, wide and narrow."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.testing import ScriptedModel, Turn
from tests.ui.conftest import Server, Visit, serving
from tests.ui.test_browser import SCREENS, serious

CASES = (
    (
        "My card is lost, and I fly tomorrow.",
        "We block it at once. A new one waits at the airport.",
    ),
    ("Why was I charged twice?", "One of the two is a hold. It goes in three days."),
    ("Close my account, please.", "No."),
)
RUBRIC = """\
reply:
  criteria:
    - {id: kind, text: The reply is kind and speaks to the worry behind the question.}
    - {id: next, text: The reply says what happens next and by when.}
"""


def a_judge(call: Any) -> Turn:
    nonce = re.findall(r"VERDICT-([0-9a-f]+): YES", call.messages[0].text)[0]
    verdict = "NO" if "No." in call.messages[1].text else "YES"
    return Turn(text=f"The reply speaks for itself.\nVERDICT-{nonce}: {verdict}")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, few_authorities: Path) -> Any:
    """The app over a domain with a run whose answers a judge has graded."""
    base = tmp_path_factory.mktemp("judged")
    folder = base / "letters"
    cases = [
        f"- {{id: c{n}, input: {question!r}, checks: [{{rubric: reply}}]}}\n"
        for n, (question, _) in enumerate(CASES)
    ]
    files = {
        "SKILL.md": "---\nname: letters\ndescription: Letters to customers.\n---\nBe kind.\n",
        "domain.yaml": "title: Letters\n",
        "examples/cases.yaml": "- {id: e1, input: Is it late, output: It comes today.}\n",
        "rubrics.yaml": RUBRIC,
        "evals/dev.yaml": "".join(cases),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")

    def says(call: Any) -> Turn:
        return Turn(text=next(a for q, a in CASES if q in call.messages[-1].text))

    with Harness(folder, home=base / "home", model=ScriptedModel(says)) as h:
        run = h.evaluate(judge=ScriptedModel(a_judge, name="scripted:judge")).run
    with serving(base, folder, HARNESS_USER="ada", SSL_CERT_FILE=str(few_authorities)) as server:
        yield server, run


WIDTHS = (1280, 400) if os.environ.get("HARNESS_SOAK") else (400,)


def photograph(one: Visit, name: str) -> list[Any]:
    """Photograph the page, narrow and in `make soak` wide; return what keeps people out of it."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    found: list[Any] = []
    for width in WIDTHS:
        one.page.set_viewport_size({"width": width, "height": 1500})
        one.still()
        one.page.screenshot(path=SCREENS / f"{name}-{width}-light.png")
        found += serious(one)
        if one.page.evaluate("document.documentElement.scrollWidth") > width:
            found.append((width, "too wide"))
    one.page.set_viewport_size({"width": 1280, "height": 900})
    return found


def labels(server: Server) -> list[dict[str, str]]:
    with (server.domain / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_verdicts_are_labelled_one_by_one(browser: Any, judged: tuple[Server, str]) -> None:
    server, run = judged
    one = Visit(browser, server).go("evals", run=run)
    one.key(f"eval-view-{run}").get_by_text("Label the judge", exact=True).click()
    one.sees("0 of 6 verdicts labelled")
    shown = one.key("to-label").inner_text()
    assert any(question in shown for question, _ in CASES)
    assert "The judge:" not in one.text()
    assert photograph(one, "label") == []
    one.page.get_by_label("Why, if you like").fill("It says so plainly")
    one.press("label-yes")
    one.sees("You: it meets it. The judge: it")
    one.sees("The reply speaks for itself.")
    assert photograph(one, "label-told") == []
    assert [(row["met"], row["comment"], row["expert"]) for row in labels(server)] == [
        ("yes", "It says so plainly", "ada")
    ]
    for number in range(1, 6):  # the rest by keys alone
        one.page.keyboard.press("Alt+y")
        one.page.wait_for_selector(".st-key-to-label")
        one.page.wait_for_selector(".st-key-label-no")
        one.settle()
        one.page.keyboard.press("Alt+n")
        one.sees(f"{number + 1} of 6 verdicts labelled")
        one.page.wait_for_selector(".st-key-label-next")
        one.settle()
    one.page.keyboard.press("Alt+y")
    one.sees("You have labelled them all.")
    one.sees("How far the judge agrees")
    assert photograph(one, "labelled") == []
    assert sorted(row["met"] for row in labels(server)) == ["no"] * 5 + ["yes"]
    assert one.foreign == []
    one.close()
