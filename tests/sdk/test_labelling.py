"""Labelling a judge's verdicts: what is asked, and what `labels.csv` says afterwards."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.errors import UsageError
from harness.testing import ScriptedModel, Turn

RUBRICS = """\
reply:
  pass_at: 50 %
  criteria:
    - {id: kind, text: It is kind., points: 2}
    - {id: wrong, text: It is wrong., points: -1}
"""
CASES = """\
- {id: d1, input: my card is lost, checks: [{rubric: reply}]}
- {id: d2, input: top up by card, expected: top_up}
"""

FILES = {
    "domain.yaml": "answer: {kind: label}\n",
    "examples/cases.yaml": "- {id: e1, input: where is my card, output: card_arrival}\n"
    "- {id: e2, input: how do I top up, output: top_up}\n",
    "evals/dev.yaml": CASES,
    "rubrics.yaml": RUBRICS,
}


def a_judge(call: Any) -> Turn:
    nonce = re.findall(r"VERDICT-([0-9a-f]+): YES", call.messages[0].text)[0]
    asked = call.messages[1].text.partition("criterion")[2]
    return Turn(text=f"So.\nVERDICT-{nonce}: {'YES' if 'kind' in asked[:40] else 'NO'}")


def harness_over(base: Path) -> Harness:
    model = ScriptedModel(lambda call: Turn(text="Dear customer"))
    return Harness(base / "post", home=base / "state", model=model)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A domain with a run that a judge has graded, indexed once for all tests."""
    base = tmp_path_factory.mktemp("graded")
    for name, text in FILES.items():
        (base / "post" / name).parent.mkdir(parents=True, exist_ok=True)
        (base / "post" / name).write_text(text, "utf-8")
    with harness_over(base) as harness:
        return base, harness.evaluate(judge=ScriptedModel(a_judge, name="scripted:judge")).run


@pytest.fixture
def judged(
    graded: tuple[Path, str], tmp_path: Path
) -> Iterator[Callable[..., tuple[Harness, str]]]:
    """Opens a copy of that domain, with more files."""
    opened: list[Harness] = []

    def open_(**files: str) -> tuple[Harness, str]:
        base, run = graded
        shutil.copytree(base, tmp_path / "copy")
        for name, text in files.items():
            path = tmp_path / "copy" / "post" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        opened.append(harness_over(tmp_path / "copy"))
        return opened[0], run

    yield open_
    for one in opened:
        one.close()


def folder_of(harness: Harness) -> Path:
    return harness.files.folder


def rows(harness: Harness) -> list[dict[str, str]]:
    text = (folder_of(harness) / "labels.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_verdict_of_the_judge_is_asked_about(judged: Any) -> None:
    harness, run = judged()
    found = {one.criterion: one for one in harness.evals.judged(run)}
    assert {name: one.met for name, one in found.items()} == {"kind": True, "wrong": False}
    kind = found["kind"]
    assert (kind.case, kind.repeat, kind.answer) == ("d1", 0, "Dear customer")
    assert (kind.words, kind.question) == ("It is kind.", "my card is lost")
    assert found["wrong"].counts_against
    assert [one.criterion for one in harness.evals.judged(run)] == list(found)  # a steady order


def test_a_label_is_what_calibration_reads(judged: Any) -> None:
    harness, run = judged()
    for one in harness.evals.judged(run):
        harness.evals.label(one, met=True, by="ana", comment="as\nI see it")
    found = harness.evals.calibrate(run)
    assert (found.agreement.n, found.agreement.tpr) == (2, 0.5)
    assert [row["comment"] for row in rows(harness)] == ["as I see it"] * 2
    deeds = [(one.deed, one.by) for one in harness.examples.log]
    assert deeds == [("labelled", "ana")] * 2


def test_a_label_on_one_run_s_answer_is_none_on_another_s(judged: Any) -> None:
    harness, run = judged()
    for one in harness.evals.judged(run):
        harness.evals.label(one, met=True, by="ana")
    again = harness.evaluate(judge=ScriptedModel(a_judge, name="scripted:judge")).run
    assert [dict(one.said) for one in harness.evals.judged(run)] == [{"ana": True}] * 2
    assert [dict(one.said) for one in harness.evals.judged(again)] == [{}] * 2


def test_who_changes_their_mind_is_counted_once_and_others_stay(judged: Any) -> None:
    written = "\ufeffcase,criterion,met,expert,own notes\r\nd1,kind,yes,ben,keep me\r\n"
    harness, run = judged(**{"labels.csv": written})
    kind = next(one for one in harness.evals.judged(run) if one.criterion == "kind")
    assert kind.said == {"ben": True}
    harness.evals.label(kind, met=True, by="ana")
    harness.evals.label(kind, met=False, by="Ana")
    assert [(row["expert"], row["met"], row["own notes"]) for row in rows(harness)] == [
        ("ben", "yes", "keep me"),
        ("Ana", "no", ""),
    ]
    data = (folder_of(harness) / "labels.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == data.count(b"\n") == 3
    again = next(one for one in harness.evals.judged(run) if one.criterion == "kind")
    assert again.said == {"ben": True, "Ana": False}


def test_a_row_more_leaves_every_byte_before_it(judged: Any) -> None:
    head = "case,repeat,criterion,met,expert,date,comment\n"
    written = head + 'd1,1,wrong,no,"Osei, M.",2026-10-02,"a ""real"" clause"'
    harness, run = judged(**{"labels.csv": written})
    kind = next(one for one in harness.evals.judged(run) if one.criterion == "kind")
    harness.evals.label(kind, met=True, by="ana")
    assert (folder_of(harness) / "labels.csv").read_text("utf-8").startswith(written + "\n")
    assert len(rows(harness)) == 2


def test_what_is_not_there_any_more_can_still_be_labelled(judged: Any) -> None:
    harness, run = judged()
    (folder_of(harness) / "evals" / "dev.yaml").write_text(
        "- {id: d9, input: x, expected: y}\n", "utf-8"
    )
    found = list(harness.evals.judged(run))
    assert {one.words for one in found} == {"kind", "wrong"}
    assert {one.question for one in found} == {""}
    with pytest.raises(UsageError, match="Nobody"):
        harness.evals.label(found[0], met=True, by="  ")


def test_sealed_cases_are_counted_and_not_opened(judged: Any) -> None:
    sealed = "- {id: s1, input: a secret, expected: top_up}\n"
    harness, run = judged(**{"evals/sealed/cases.yaml": sealed})
    assert run
    assert harness.evals.sealed_cases() == 1
    assert list(harness.evals.openings()) == []
    harness.evaluate(split="sealed")
    assert len(harness.evals.openings()) == 1
