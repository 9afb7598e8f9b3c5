"""Labelling a judge's verdicts: what is asked, and what `labels.csv` says afterwards."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
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


def a_judge(call: Any) -> Turn:
    nonce = re.findall(r"VERDICT-([0-9a-f]+): YES", call.messages[0].text)[0]
    asked = call.messages[1].text.partition("criterion")[2]
    return Turn(text=f"So.\nVERDICT-{nonce}: {'YES' if 'kind' in asked[:40] else 'NO'}")


@pytest.fixture
def judged(opened: Any, write: Any, tmp_path: Path) -> Callable[..., tuple[Harness, str]]:
    """Opens a domain with a run that a judge has graded."""

    def open_(**files: str) -> tuple[Harness, str]:
        folder = write({"evals/dev.yaml": CASES, "rubrics.yaml": RUBRICS, **files})
        model = ScriptedModel(lambda call: Turn(text="Dear customer"))
        harness = opened(folder, model=model, home=tmp_path / "state")
        run = harness.evaluate(judge=ScriptedModel(a_judge, name="scripted:judge"))
        return harness, run.run

    return open_


def rows(harness: Harness) -> list[dict[str, str]]:
    text = (harness.domain.path / "labels.csv").read_text("utf-8-sig")
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
    data = (harness.domain.path / "labels.csv").read_bytes()
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
    assert (harness.domain.path / "labels.csv").read_text("utf-8").startswith(written + "\n")
    assert len(rows(harness)) == 2


def test_what_is_not_there_any_more_can_still_be_labelled(judged: Any) -> None:
    harness, run = judged()
    (harness.domain.path / "evals" / "dev.yaml").write_text(
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
