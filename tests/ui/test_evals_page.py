"""The evals page: labels on a judge's verdicts, pictures with tables, sealed cases, what moved."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.testing import ScriptedModel, Turn
from tests.ui.test_pages import button, said, settled
from tests.ui.test_runs_page import until

App = Callable[..., Any]
CASES = """\
- {id: d1, input: my card is lost, tags: [loss], checks: [{rubric: reply}]}
- {id: d2, input: top up by card, expected: top_up, tags: [money]}
"""
FILES = {
    "domain.yaml": "answer: {kind: label}\n",
    "examples/cases.yaml": "- {id: e1, input: where is my card, output: card_arrival}\n"
    "- {id: e2, input: how do I top up, output: top_up}\n",
    "rubrics.yaml": "reply:\n  criteria:\n    - {id: kind, text: It is kind.}\n"
    "    - {id: clear, text: It is clear.}\n",
    "evals/dev.yaml": CASES,
    "evals/sealed/cases.yaml": "- {id: s1, input: a secret question, expected: top_up}\n",
}


def a_judge(call: Any) -> Turn:
    nonce = re.findall(r"VERDICT-([0-9a-f]+): YES", call.messages[0].text)[0]
    kind = "kind" in call.messages[1].text.partition("criterion")[2][:40]
    return Turn(text=f"It is so.\nVERDICT-{nonce}: {'YES' if kind else 'NO'}")


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory, app_home: Path) -> tuple[Path, str, str]:
    """A domain with two runs, the second one worse in one case."""
    folder = tmp_path_factory.mktemp("evals") / "post"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    runs = []
    for word in ("top_up", "card_arrival"):
        model = ScriptedModel(lambda call, word=word: Turn(text=word))
        with Harness(folder, home=app_home, model=model) as h:
            judge = ScriptedModel(a_judge, name="scripted:judge")
            runs.append(h.evaluate(judge=judge).run)
    return folder, runs[0], runs[1]


def test_a_judge_is_labelled_without_being_seen_first(app: App, post: Any) -> None:
    folder, _, run = post
    test = app("evals", folder, run=run)
    test.segmented_control(key=f"eval-view-{run}").set_value("Label the judge").run()
    assert "0 of 2 verdicts labelled" in str(test.get("progress")[0].proto.text)
    asked = said(test)
    assert "card_arrival" in asked  # the answer
    assert "It is kind." in asked or "It is clear." in asked
    assert "The judge:" not in asked
    assert "VERDICT" not in asked
    button(test, "label-yes").click().run()
    assert "You: it meets it. The judge: it" in said(test)
    assert "How far the judge agrees" in said(test)
    button(test, "label-next").click().run()
    button(test, "label-no").click().run()
    button(test, "label-next").click().run()
    assert "You have labelled them all." in said(test)
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["criterion"] for row in rows) == ["clear", "kind"]
    assert {row["expert"] for row in rows} == {"ada"}
    assert sorted(row["met"] for row in rows) == ["no", "yes"]


def test_two_runs_are_held_against_each_other_in_picture_and_table(app: App, post: Any) -> None:
    folder, first, second = post
    test = app("evals", folder)
    assert test.selectbox(key="first-run").value == first
    assert test.selectbox(key="second-run").value == second
    tables = {tuple(one.value.columns): one.value for one in test.dataframe}
    both = tables["Run", "Right", "At least", "At most"]
    assert list(both["Right"]) == ["50.0 %", "0.0 %"]
    difference = tables["In points", "Better by", "At least", "At most"]
    assert list(difference["Better by"]) == ["-50.0"]
    moved = tables["Case", "What", "Expected", "Answer before", "Answer after"]
    assert list(moved.iloc[0]) == ["d2", "newly failing", "top_up", "top_up", "card_arrival"]
    trend = tables[
        "When", "Cases", "Model", "Right", "At least", "At most", "Scored", "Context", "Id"
    ]
    assert list(trend["Id"])[-2:] == [second, first]
    assert "cases in common" in said(test)


def test_sealed_cases_are_counted_and_each_opening_shows(app: App, post: Any) -> None:
    folder, *_ = post
    test = app("evals", folder, model=ScriptedModel(lambda call: Turn(text="top_up")))
    assert "1 sealed case, never opened" in said(test)
    test.selectbox(key="split").set_value("sealed").run()
    assert "Each time they are opened is on record" in said(test)
    test.number_input(key="eval-budget").set_value(0.0)
    button(test, "start-do").click().run()
    settled(test)
    assert "opened once; the last time by" in said(test)
    assert "a secret question" not in said(test)
    run = test.query_params["run"]
    assert "sealed split" in said(app("evals", folder, run=run if isinstance(run, str) else run[0]))


def test_slices_of_one_run_stand_beside_the_whole(app: App, post: Any) -> None:
    folder, first, _ = post
    test = app("evals", folder, run=first)
    table = next(one.value for one in test.dataframe if "Cases" in one.value.columns)
    assert list(table["Cases"]) == ["all", "loss", "money"]
    assert list(table["Right"]) == ["50.0 %", "0.0 %", "100.0 %"]


def test_a_run_that_was_stopped_goes_on_from_the_page(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "post"
    cases = "".join(f"- {{id: d{n}, input: question {n}, expected: top_up}}\n" for n in range(6))
    for name, text in (FILES | {"evals/dev.yaml": cases, "evals/sealed/cases.yaml": ""}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    asked: list[str] = []

    def says(call: Any) -> Turn:
        question = re.findall(r"question \d", call.messages[-1].text)[-1]
        asked.append(question)
        quick = question in ("question 0", "question 1") or asked.count(question) > 1
        return Turn(text="top_up", delay=0.0 if quick else 120.0)

    test = app("evals", folder, model=ScriptedModel(says))
    test.number_input(key="eval-budget").set_value(0.0)
    button(test, "start-do").click().run()
    for _ in range(300):
        if any("2 of 6 cases" in str(one.proto.text) for one in test.get("progress")):
            break
        time.sleep(0.1)
        test.run()
    assert "Stopped early" not in said(test)  # it is at work: nobody else may go on with it
    button(test, "stop-eval").click().run()
    test = until(test, "2 of 6 answers · dev · scripted:model")
    go_on = next(one.key for one in test.button if (one.key or "").startswith("go-on-"))
    button(test, go_on).click().run()
    settled(test)
    assert "100 % right (6 of 6)" in said(test)
    assert sorted(asked) == sorted(
        [f"question {n}" for n in range(6)] + [f"question {n}" for n in range(2, 6)]
    )
    run = test.query_params["run"]
    assert go_on == f"go-on-{run if isinstance(run, str) else run[0]}"
    assert "Stopped early" not in said(test.run())


def test_a_run_of_another_version_of_the_domain_can_not_go_on(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "post"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    judge = ScriptedModel(a_judge, name="scripted:judge", cost_usd=Decimal(0))
    dear = ScriptedModel(lambda call: Turn(text="top_up"), cost_usd=Decimal(2))
    test = app("evals", folder, model=dear)
    from harness_ui.desk import desk as shared

    left = shared().harness("post").evaluate(judge=judge, budget_usd=1, jobs=1)
    assert left.n < 2
    assert not button(test.run(), f"go-on-{left.run}").disabled
    (folder / "rules.yaml").write_text("- {id: r1, text: Be kind.}\n", "utf-8")
    assert button(test.run(), f"go-on-{left.run}").disabled
    assert "The domain was changed since" in said(test)
