"""Answers and runs on paper, and the files of a run: what a user opens in another program."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document

from harness import Harness
from harness.errors import JournalDamaged, UsageError
from harness.testing import Turn
from tests.sdk.runs.conftest import Desk
from tests.sdk.runs.turns import call

Opened = Callable[..., Harness]
ANSWER = 'The fee is **5 EUR**: [fees.md: "The fee is 5 EUR"]'


def text_of(path: Path) -> str:
    document = Document(io.BytesIO(path.read_bytes()))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def worked(harness: Harness) -> str:
    with harness.run("Write the letter") as run:
        assert run.result.completed, run.result.problems
    return run.id


def letter(opened: Opened) -> Harness:
    return opened(
        call("plan", steps=[{"text": "Write", "state": "doing"}]),
        call("write_file", path="letter.md", text="You charged 7 EUR."),
        call("finish", answer=ANSWER),
    )


def test_an_answer_on_paper_has_its_question_and_its_looked_up_sources(
    opened: Opened, tmp_path: Path
) -> None:
    harness = opened(Turn(text=ANSWER + ' [other.pdf: "no such file"] [fees.md: "9 EUR"]'))
    answer = harness.ask("What is the fee?")
    assert harness.export(answer, tmp_path / "out" / "answer.docx") == ()
    said = text_of(tmp_path / "out" / "answer.docx")
    assert "What is the fee?" in said
    assert "found there" in said
    assert answer.run in said
    harness.export(answer, tmp_path / "answer.json")
    paper = json.loads((tmp_path / "answer.json").read_text("utf-8"))
    assert [(one["document"], one["where"], one["verified"]) for one in paper["citations"]] == [
        ("fees.md", "Fees", True),
        ("other.pdf", "", None),
        ("fees.md", "", False),
    ]
    again = harness.runs.paper(answer.run)  # the run of a question is looked up as well
    assert [one.verified for one in again.citations] == [True, None, False]


def test_quotes_are_looked_up_in_the_files_of_a_question(opened: Opened, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# Bill\n\nSeven euros were taken.\n", "utf-8")
    harness = opened(Turn(text='[note.md: "Seven euros were taken"]'))
    answer = harness.ask("What was taken?", files=note, record=False)
    harness.export(answer, tmp_path / "a.json", question="What was taken?", files=note)
    paper = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert paper["question"] == "What was taken?"
    assert [(one["where"], one["verified"]) for one in paper["citations"]] == [("Bill", True)]


@pytest.mark.parametrize("ending", ["docx", "pdf", "xlsx", "md", "json"])
def test_a_run_in_every_format(opened: Opened, tmp_path: Path, ending: str) -> None:
    harness = letter(opened)
    run = worked(harness)
    path = tmp_path / f"run.{ending}"
    harness.export(run, path)
    start = path.read_bytes()[:4]
    wanted = {"docx": b"PK\x03\x04", "pdf": b"%PDF", "xlsx": b"PK\x03\x04"}
    assert start == wanted.get(ending, start)
    if ending == "md":
        said = path.read_text("utf-8")
        assert 'write_file: {"path": "letter.md", "text": "You charged 7 EUR."}' in said
        assert "| 1 | fees.md | Fees | The fee is 5 EUR | found there |" in said
        assert "\n1. letter.md" in said


def test_a_run_that_did_not_complete_says_so(opened: Opened, tmp_path: Path) -> None:
    harness = opened(*[call("finish", answer='[fees.md: "9 EUR"]')] * 2)
    result = harness.run("What is the fee?").result
    assert result.stop == "unverified"
    harness.export(result, tmp_path / "a.md")
    said = (tmp_path / "a.md").read_text("utf-8")
    assert "**Note:** The run ended before its work was done: unverified." in said
    assert "NOT found there" in said


def test_an_unknown_ending_is_said_before_anything_is_done(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"answer\.odt names no format"):
        opened().export("no such run", tmp_path / "answer.odt")


def test_the_files_of_a_run_are_listed_and_saved_from_the_journal(
    opened: Opened, tmp_path: Path
) -> None:
    harness = letter(opened)
    run = worked(harness)
    shutil.rmtree(harness.home / "workspaces" / run)
    files = harness.runs.files(run)
    (one,) = files
    wanted = hashlib.sha256(b"You charged 7 EUR.").hexdigest()
    assert (one.path, one.media_type, one.bytes, one.sha256, one.step, one.tool, one.new) == (
        *("letter.md", "text/markdown", 18, wanted, 2, "write_file", True),
    )
    assert files.save(tmp_path / "out") == [tmp_path / "out" / "letter.md"]
    assert (tmp_path / "out" / "letter.md").read_text("utf-8") == "You charged 7 EUR."


def test_a_fork_has_the_files_from_before_it_was_forked(opened: Opened) -> None:
    harness = letter(opened)
    run = worked(harness)
    opened(call("write_file", path="second.md", text="More."), call("finish", answer="done"))
    fork = harness.runs.fork(run, step=2)
    assert fork.result.completed
    found = {one.path: one.tool for one in harness.runs.files(fork.id)}
    assert found == {"letter.md": "write_file", "second.md": "write_file"}


def test_a_file_that_was_changed_since_is_saved_as_the_run_left_it(
    opened: Opened, tmp_path: Path
) -> None:
    harness = opened(
        call("write_file", path="letter.md", text="You charged 7 EUR."),
        call("write_file", path="list.md", text="One."),
        call("write_file", path="note.md", text="Kept."),
        call("finish", answer=ANSWER),
    )
    with harness.run("Write the letter") as run:
        assert run.result.completed, run.result.problems
    assert [one.since for one in run.artifacts] == ["", "", ""]
    (run.workspace / "files" / "letter.md").write_text("You charged 9 EUR.", "utf-8")
    (run.workspace / "files" / "list.md").unlink()
    found = {one.path: one.since for one in run.artifacts}
    assert found == {"letter.md": "changed", "list.md": "removed", "note.md": ""}
    (run.workspace / "files" / "note.md").unlink()
    (run.workspace / "files" / "note.md").symlink_to(tmp_path / "else.md")
    assert {one.path: one.since for one in run.artifacts}["note.md"] == "changed"
    run.artifacts.save(str(tmp_path / "out"))  # as people write it
    said = {one.name: one.read_text("utf-8") for one in (tmp_path / "out").iterdir()}
    assert said == {"letter.md": "You charged 7 EUR.", "list.md": "One.", "note.md": "Kept."}


def test_content_that_was_swapped_for_other_content_of_the_run_is_not_saved(
    own: Callable[..., Desk], tmp_path: Path
) -> None:
    harness = own().opened(
        call("write_file", path="a.txt", text="A" * 300_000),
        call("write_file", path="b.txt", text="B" * 300_000),
        call("finish", answer=ANSWER),
    )
    run = worked(harness)
    first, second = sorted(
        one for one in (harness.home / "blobs" / run).rglob("*") if one.is_file()
    )[:2]
    theirs = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(theirs)
    with pytest.raises(JournalDamaged, match="altered"):
        harness.runs.files(run).save(tmp_path / "out")
