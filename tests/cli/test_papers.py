"""Answers and runs written to files from the command line."""

from __future__ import annotations

import json
from pathlib import Path

QUESTION = "My card was stolen in Rome"


def test_ask_writes_its_answer_in_the_format_that_the_file_names(run, mail, tmp_path: Path) -> None:
    out = tmp_path / "made" / "answer.docx"
    ran = run("ask", mail, QUESTION, "-o", out)
    assert ran.code == 0, ran.err
    assert ran.err.rstrip().endswith(str(out))
    assert str(out) not in ran.out
    assert out.read_bytes()[:2] == b"PK"

    as_json = tmp_path / "answer.json"
    said = run("ask", mail, QUESTION, "-o", as_json, "--json").json
    paper = json.loads(as_json.read_text("utf-8"))
    assert (paper["question"], paper["text"]) == (QUESTION, said["text"])


def test_an_ending_that_is_no_format_is_said_before_asking(run, mail, tmp_path: Path) -> None:
    ran = run("ask", mail, QUESTION, "-o", tmp_path / "answer.odt")
    assert (ran.code, ran.out) == (64, "")
    assert "answer.odt names no format" in ran.err
    assert ".docx" in ran.err


def test_a_run_is_exported_as_its_file_ends_or_as_told(run, mail, tmp_path: Path) -> None:
    assert run("ask", mail, QUESTION).code == 0
    record = tmp_path / "run.jsonl"
    assert run("runs", "export", "last", "-o", record).code == 0
    first = json.loads(record.read_text("utf-8").splitlines()[0])
    assert first["type"] == "run.started"
    sheet = tmp_path / "run.xlsx"
    assert run("runs", "export", "last", "-o", sheet).out == f"{sheet}\n"
    assert sheet.read_bytes()[:2] == b"PK"
    assert f"> {QUESTION}" in run("runs", "export", "last", "--format", "md").out
    assert run("runs", "export", "last", "--format", "json").json["question"] == QUESTION
    assert "# Run" in run("runs", "export", "last", "--format", "transcript").out


def test_a_run_without_files_saves_none(run, mail, tmp_path: Path) -> None:
    assert run("ask", mail, QUESTION).code == 0
    ran = run("runs", "show", "last", "--json", "-o", tmp_path / "out")
    assert ran.json["artifacts"] == []
    assert not (tmp_path / "out").exists()
