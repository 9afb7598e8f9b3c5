"""The commands that measure: verdicts as exit codes, files as asked, what is off said in words."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness import Harness
from harness.domain import read_domain
from harness.domain.scaffold import scaffold
from harness.testing import ScriptedModel, Turn


@pytest.fixture
def runs(run, mail: Path) -> list[str]:
    """Two runs of the same cases, the second with no more than the core."""
    return [
        run("eval", mail, "--policy", policy, "--json").json["run"]
        for policy in ("balanced", "nearest")
    ]


def test_compare_says_it_in_a_sentence_and_gates_by_exit_code(run, runs, tmp_path: Path) -> None:
    ran = run("compare", *runs)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Not shown that the policy nearest and the policy balanced differ")
    assert "newly failing: 0" in ran.out
    says = run("compare", *runs, "--json", "--gate", "--margin", "50 %")
    assert (says.json["verdict"], says.json["gate"]) == ("not shown", says.json["gate"])
    assert says.code == {"passed": 0, "worse": 2, "not shown": 3}[says.json["gate"]]
    strict = run("compare", *runs, "--gate")
    assert strict.code == 3


def test_files_are_written_beside_what_is_printed(
    run, runs, mail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    junit, page = tmp_path / "a.xml", tmp_path / "a.html"
    ran = run("eval", mail, "--baseline", runs[0], "--junit", junit, "--html", page)
    assert ran.code == 0
    assert "Not shown" in ran.out
    assert "Kept as the run " in ran.out
    assert ET.parse(junit).getroot()[0].get("tests") == "6"
    assert "<svg" in page.read_text("utf-8")
    monkeypatch.chdir(mail.parent)  # a folder of the run's name is here: its cases are shown
    twice = ["--beside", "baseline:nearest", "--beside", "baseline:nearest"]
    assert run("eval", "mail", *twice, "--html", page).code == 0
    (asked,) = [one.input for one in read_domain(mail).cases if one.id == "d-01"]
    assert escape(asked) in page.read_text("utf-8")
    assert page.read_text("utf-8").count("Held against") == 2
    nowhere = run("compare", *runs, "--html", tmp_path / "none" / "a.html")
    assert nowhere.code == 1
    assert "can't be written" in nowhere.err


def test_a_run_is_exported_as_a_new_log_of_its_own_domain(run, runs, mail, tmp_path: Path) -> None:
    log = tmp_path / "a.eval"
    assert run("export", mail, runs[0], "-o", log).code == 0
    with zipfile.ZipFile(log) as archive:
        header = json.loads(archive.read("header.json"))
    began = datetime.fromisoformat(header["eval"]["created"])
    assert f"{began:%Y%m%d-%H%M%S}"[:13] == runs[0][:13]  # of the run, to the minute
    assert header["stats"]["started_at"] == header["eval"]["created"]
    before = log.read_bytes()
    other = tmp_path / "other"
    scaffold(other, name="other", template="labels")
    for words, said in (
        ((mail, runs[0], "-o", log), "is there already"),
        ((mail, runs[0], "-o", tmp_path / "a.json"), "ends with .eval"),
        ((other, runs[0], "-o", tmp_path / "b.eval"), "is of mail, not of other"),
    ):
        ran = run("export", *words)
        assert (ran.code, ran.out) == (64, "")
        assert said in ran.err
    assert log.read_bytes() == before
    assert not (tmp_path / "b.eval").exists()


def test_other_ways_are_run_beside_in_one_command(run, mail) -> None:
    ran = run("eval", mail, "--beside", "baseline:nearest", "--json")
    (found,) = ran.json["comparisons"]
    assert (found["verdict"], found["p_adjusted"]) == ("not shown", found["difference"]["p"])
    twice = run("eval", mail, "--beside", "baseline:nearest", "--beside", "baseline:nearest")
    assert "Adjusted for 2 comparisons (Holm)" in twice.out
    # the baseline has nothing to say without worked cases: the run itself is printed all the same
    ran = run("eval", mail, "--beside", "none")
    assert ran.code == 0
    assert "no case in common" in ran.err
    assert "right" in ran.out


def test_runs_are_listed_and_regraded(run, runs, mail) -> None:
    listed = run("evals", mail).out
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in listed.splitlines()}
    assert rows[runs[0]] == "dev 6 cases baseline:nearest balanced"
    assert rows[runs[1]] == "dev 6 cases baseline:nearest nearest"
    again = run("eval", mail, "--regrade", runs[0], "--json")
    assert again.json["regrades"] == runs[0]
    assert run("eval", mail, "--resume", "--run", runs[0], "--policy", "balanced").code == 0
    assert run("eval", mail, "--repeat", "2", "--tag", "nothing").code == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("compare", "r8", "r9"), 1, "no eval run r8"),
        (("compare", "r8", "r8"), 64, "Both are the run r8. Name two"),
        (("eval", "MAIL", "--gate"), 64, "Give --baseline"),
        (("eval", "MAIL", "--margin", "much"), 64, "is no share"),
        (("eval", "MAIL", "--budget-usd", "-1"), 64, "is no amount"),
        (("eval", "MAIL", "--sealed"), 1, "no sealed cases"),
        (("eval", "MAIL", "--regrade", "r9"), 1, "no eval run r9"),
        (("judge", "MAIL", "r9"), 1, "no eval run r9"),
        (("seal", "MAIL"), 64, "Give --yes"),
        (("map", "MAIL", "none.csv", "-o", "x.csv"), 64, "no file none.csv"),
        (("import", "none.yaml", "-o", "x.yaml"), 64, "can't be read"),
    ],
)
def test_what_is_off_is_said_in_words(run, mail, words, code: int, said: str) -> None:
    ran = run(*(mail if word == "MAIL" else word for word in words))
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_a_table_is_answered_and_an_ablation_told(run, mail, tmp_path: Path) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text("input\nmy parcel never came\n", "utf-8")
    ran = run("map", mail, table, "-o", out)
    assert ran.code == 0
    assert "1 row to ask, about" in ran.err
    assert "1 row in " in ran.out
    assert out.read_text("utf-8-sig").startswith("input,answer,confidence")
    again = run("map", mail, table, "-o", out, "--json")
    assert again.json["asked"] == 0
    assert "Nothing is left to ask (besides 1 answered before)." in again.err
    over = run("map", mail, table, "-o", table)
    assert (over.code, over.out, table.read_text("utf-8")) == (
        64,
        "",
        "input\nmy parcel never came\n",
    )
    assert "Choose another name" in over.err
    told = run("ablate", mail)
    assert told.code == 0
    assert [line.split("  ")[0] for line in told.out.splitlines()[3:8]] == [
        *("none", "core only", "nearest", "balanced", "everything")
    ]
    assert len(run("ablate", mail, "--json").json["arms"]) == 5


def test_cases_of_another_tool_are_taken_over(run, tmp_path: Path) -> None:
    source = tmp_path / "data.json"
    source.write_text('[{"input": "2+2", "target": "4"}, {"input": "x"}]', "utf-8")
    ran = run("import", source, "-o", tmp_path / "dev.yaml")
    assert ran.code == 0
    assert "Wrote 1 case into" in ran.out
    assert "not carried over (1x): samples without a target" in ran.out


def test_a_budget_that_ends_bulk_work_is_said(
    run, mail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(lambda call: Turn(text="new-claim"), cost_usd=Decimal("0.01"))
    monkeypatch.setattr(
        "harness.cli.evals_files.open_domain",
        lambda domain, **how: Harness(domain, model=model, home=tmp_path / "state"),
    )
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text("input;no\na tree fell;1\nthe roof leaks;2\nhail;3\n;4\n", "utf-8")
    words = ("map", mail, table, "-o", out, "--yes", "--jobs", "1", "--budget-usd", "0.02")
    ran = run(*words)
    assert ran.code == 0  # as `eval` has it
    assert "4 rows in " in ran.out
    assert "2 asked now, 2 without an answer (1 of them without a question)" in ran.out
    assert "The budget of $0.02 is used up, and 1 row has no answer yet. The same" in ran.err
    assert run(*words, "--json").json["stopped"] == ""
    assert out.read_text("utf-8-sig").startswith("input;no;answer;")
