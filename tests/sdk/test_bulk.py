"""Bulk work over real folders: every row of a table answered, and the table otherwise as it was."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from harness import Harness
from harness.errors import UsageError
from harness.sdk.bulk import estimate_rows
from harness.sdk.rows import Table, read_rows, write_rows
from harness.testing import Fault, ScriptedModel, Turn


def always(text: str) -> ScriptedModel:
    return ScriptedModel(lambda call: Turn(text=text), cost_usd=Decimal("0.01"))


@pytest.fixture
def evals(opened, write, tmp_path: Path):
    """Opens a small domain with a state folder of its own."""

    def open_(model: Any, files: dict[str, str] | None = None) -> Harness:
        return opened(write(files or {}), model=model, home=tmp_path / "state")

    return open_


def test_every_row_of_a_table_is_answered_once(evals, tmp_path: Path) -> None:
    model = always("lost_card")
    harness = evals(model)
    source, target = tmp_path / "in.csv", tmp_path / "out.xlsx"
    source.write_text("no;question;answer\n1;my card is gone;?\n2;;\n3;=1+1;x\n", "utf-8")
    wanted = estimate_rows(harness, source)
    assert (wanted.rows, wanted.input_cost_usd) == (2, Decimal("0.02"))
    done = harness.evals.map(source, target)
    assert (done.rows, done.asked, done.failed, done.unasked) == (3, 2, 1, 1)
    sheet = openpyxl.load_workbook(target).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == [
        *("no", "question", "answer", "answer_2", "confidence", "nearest_similarity"),
        *("citations", "cost_usd", "error"),
    ]
    assert rows[1][:4] == ["1", "my card is gone", "?", "lost_card"]
    assert 0 <= rows[1][4] <= 1
    assert 0 < rows[1][5] <= 1
    assert rows[2][3] is None
    assert rows[2][8] == "The row has no question: its column `question` is empty."
    assert sheet.cell(4, 2).data_type == "s"  # a formula in the question stays text
    asked = len(model.calls)
    again = harness.evals.map(source, tmp_path / "out.jsonl")
    assert (again.asked, len(model.calls)) == (0, asked)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["answer_2"] for line in lines] == ["lost_card", None, "lost_card"]
    assert harness.evals.runs() == []  # bulk work is no eval


def test_the_estimate_is_of_what_is_left(evals, tmp_path: Path) -> None:
    harness = evals(always("lost_card"))
    source = tmp_path / "in.csv"
    source.write_text("no,input\n1,my card is gone\n2,where is it\n3,\n", "utf-8")
    before = estimate_rows(harness, source)
    assert (before.rows, before.done, before.unasked) == (2, 0, 1)
    harness.evals.map(source, tmp_path / "out.csv")
    after = estimate_rows(harness, source)
    assert (after.rows, after.done, after.input_tokens, after.input_cost_usd) == (0, 2, 0, 0)
    assert after.model == before.model
    # another way of choosing the worked cases is another run: nothing of it is there
    assert estimate_rows(harness, source, policy="nearest").rows == 2


def test_a_budget_that_ends_the_work_is_said_and_the_same_command_goes_on(
    evals, tmp_path: Path
) -> None:
    model = always("lost_card")
    harness = evals(model)
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("input\none\ntwo\nthree\nfour\nfive\n", "utf-8")
    done = harness.evals.map(source, target, budget_usd="0.025", jobs=1)
    assert (done.rows, done.asked, done.failed) == (5, 2, 3)
    assert done.stopped.startswith("The budget of $0.025 is used up, and 3 rows have no answer")
    errors = [row["error"] for row in csv.DictReader(target.read_text("utf-8-sig").splitlines())]
    assert [error[:20] for error in errors] == ["", "", *["Not asked. The budge"] * 3]
    assert estimate_rows(harness, source).rows == 3
    again = harness.evals.map(source, target, budget_usd="0.025", jobs=1)
    assert (again.asked, again.failed, len(model.calls)) == (2, 1, 4)
    last = harness.evals.map(source, target, budget_usd="0.025", jobs=1)
    assert (last.asked, last.failed, last.stopped) == (1, 0, "")


def test_the_table_that_is_read_is_never_written_over(
    evals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = always("lost_card")
    harness = evals(model)
    source = tmp_path / "q.jsonl"
    source.write_text('{"input": "my card"}\n', "utf-8")
    (tmp_path / "other.jsonl").symlink_to(source)
    (tmp_path / "hard.jsonl").hardlink_to(source)
    monkeypatch.chdir(tmp_path)
    for name in ("q.jsonl", "../" + tmp_path.name + "/q.jsonl", "other.jsonl", "hard.jsonl"):
        with pytest.raises(UsageError, match="Choose another name"):
            harness.evals.map(source, name)
    with pytest.raises(UsageError, match="no table"):  # said before anything is asked
        harness.evals.map(source, "out.txt")
    assert source.read_text("utf-8") == '{"input": "my card"}\n'
    assert not model.calls
    (tmp_path / "out.jsonl").write_text("an older result", "utf-8")
    assert harness.evals.map(source, "out.jsonl").failed == 0


def workbook(path: Path) -> None:
    """A workbook as people have them: two sheets, a formula, a date, widths."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Fragen"
    sheet.append(["no", "question", "since", "net"])
    sheet.append([1, "my card is gone", datetime(2025, 3, 31), "=A2*2"])  # noqa: DTZ001
    sheet.append([None, None, None, None])
    sheet.append([2, '=CONCATENATE("where is ", "my card")', None, None])
    sheet.append([3, None, None, None])
    sheet.column_dimensions["B"].width = 55
    sheet["B1"].font = Font(bold=True)
    book.create_sheet("Notes")["A1"] = "keep me"
    book.save(path)


def test_a_workbook_keeps_all_that_it_has(evals, tmp_path: Path) -> None:
    source, target = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    workbook(source)
    before = source.read_bytes()
    done = evals(always("=1+1")).evals.map(source, target)
    assert (done.rows, done.asked, done.failed, done.unasked) == (3, 1, 2, 2)
    assert source.read_bytes() == before
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["Fragen", "Notes"]
    sheet = book["Fragen"]
    assert book["Notes"]["A1"].value == "keep me"
    assert sheet.column_dimensions["B"].width == 55
    assert sheet["D2"].value == "=A2*2"
    assert sheet["C2"].value == datetime(2025, 3, 31)  # noqa: DTZ001
    assert [cell.value for cell in sheet[1]][3:6] == ["net", "answer", "confidence"]
    assert (sheet["E2"].value, sheet["E2"].data_type) == ("=1+1", "s")
    last = sheet.max_column
    assert sheet.cell(1, last).value == "error"
    assert sheet.cell(3, last).value is None
    assert "formula in cell B4 has no stored result" in sheet.cell(4, last).value
    assert "has no question" in sheet.cell(5, last).value


def test_a_workbook_as_csv_has_plain_dates_and_its_formulas(evals, tmp_path: Path) -> None:
    source, target = tmp_path / "in.xlsx", tmp_path / "out.csv"
    workbook(source)
    evals(always("top_up")).evals.map(source, target)
    rows = list(csv.DictReader(target.read_text("utf-8-sig").splitlines()))
    assert (rows[0]["since"], rows[0]["net"]) == ("2025-03-31", "=A2*2")


def test_a_formula_counts_with_the_result_that_was_stored(evals, tmp_path: Path) -> None:
    source = tmp_path / "in.xlsx"
    workbook(source)
    results = {b"B4": b' t="str">where is my &quot;card&quot; &amp; pin', b"D2": b">2"}

    def saved(found: re.Match[bytes]) -> bytes:
        kind, _, value = results[found[1]].partition(b">")
        return b'<c r="%b"%b>%b<v>%b</v></c>' % (found[1], kind, found[2], value)

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "kept.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                formula = rb'<c r="(\w+)"[^>]*>(<f>[^<]*</f>)<v ?(?:/>|></v>)</c>'
                data, count = re.subn(formula, saved, data)
                assert count == 2
            new.writestr(name, data)
    model, target = always("card_arrival"), tmp_path / "out.xlsx"
    done = evals(model).evals.map(tmp_path / "kept.xlsx", target)
    assert (done.asked, done.unasked) == (2, 1)
    assert 'where is my "card" & pin' in str([call.messages[-1].content for call in model.calls])
    shown = openpyxl.load_workbook(target, data_only=True)["Fragen"]  # the results stay, too
    assert (shown["B4"].value, shown["D2"].value) == ('where is my "card" & pin', 2)
    assert openpyxl.load_workbook(target)["Fragen"]["D2"].value == "=A2*2"


CELLS = {
    '=HYPERLINK("http://x")': """'=HYPERLINK("http://x")""",
    "+1-800 CALL": "'+1-800 CALL",
    "@SUM(A1)": "'@SUM(A1)",
    "- a list": "'- a list",
    "-3200": "-3200",
    "-3,200.50": "-3,200.50",
    "+5 %": "+5 %",
    "-1+1": "'-1+1",
    "plain": "plain",
}
"""Answers, and how a CSV file has them."""


def test_an_answer_in_a_csv_file_is_never_a_formula(evals, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    questions = "".join("=1+1;my card\n" for _ in CELLS)
    source.write_text(f"own;question\n{questions}", "utf-8")
    free = {"domain.yaml": "answer: {kind: text}\n"}
    harness = evals(ScriptedModel([Turn(text=answer) for answer in CELLS]), files=free)
    harness.evals.map(source, target, jobs=1)
    rows = list(csv.DictReader(target.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert {(row["own"], row["question"]) for row in rows} == {("=1+1", "my card")}
    assert sorted(row["answer"] for row in rows) == sorted(CELLS.values())


def test_a_row_that_fails_says_why_and_is_asked_again(evals, tmp_path: Path) -> None:
    turns = iter([Turn(fault=Fault(kind="refused")), Turn(text="top_up")])
    harness = evals(ScriptedModel(turns))
    source, target = tmp_path / "in.jsonl", tmp_path / "out.csv"
    source.write_text('{"input": "my card"}\n', "utf-8")
    assert harness.evals.map(source, target).failed == 1
    (row,) = csv.DictReader(target.read_text("utf-8-sig").splitlines())
    assert row["error"] != ""
    assert harness.evals.map(source, target).failed == 0


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", "x", "no table"),
        ("a.csv", "a,b\n1,2\n", "no column `input`"),
        ("a.csv", "input\n", "no row"),
        ("a.csv", "a,a\n1,2\n", "twice"),
        ("a.csv", 'input\n"x\n', "breaks off"),
        ("a.jsonl", "{", "no JSON"),
        ("a.jsonl", "[1]", "no object"),
        ("a.xlsx", "no excel", "no Excel file"),
    ],
)
def test_tables_that_can_not_be_used(evals, tmp_path: Path, name: str, text: str, words) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words):
        evals(always("x")).evals.map(tmp_path / name, tmp_path / "out.csv")


def test_tables_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    table = Table(columns=("a", "b"), rows=({"a": "x\ny", "b": 1}, {"a": "=1", "b": None}))
    for ending in ("xlsx", "jsonl"):
        write_rows(tmp_path / f"t.{ending}", table)
        read = read_rows(tmp_path / f"t.{ending}")
        assert [[row.get(name) for name in "ab"] for row in read.rows] == [
            ["x\ny", 1],
            ["=1", None],
        ]
    with pytest.raises(UsageError, match="no table"):
        write_rows(tmp_path / "t.txt", table)
    with pytest.raises(UsageError, match="no file"):
        read_rows(tmp_path / "none.csv")
