"""Files of a question: read as text, shown as `<file …>`, counted like everything else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.errors import QuestionTooLong, UsageError

count = TiktokenCounter().count


def text_file(path: Path) -> None:
    path.write_text("My card was stolen in Rome.\n", "utf-8")


def csv_file(path: Path) -> None:
    path.write_text("card,when\nvisa,stolen in Rome\n", "utf-8")


def word_file(path: Path) -> None:
    from docx import Document

    document = Document()
    document.add_heading("Complaint", 1)
    document.add_paragraph("My card was stolen in Rome.")
    document.save(str(path))


def pdf_file(path: Path) -> None:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    for text in ("My card was stolen in Rome.", "It was a visa."):
        pdf.add_page()
        pdf.cell(text=text)
    pdf.output(str(path))


FILES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "note.txt": (text_file, ["My card was stolen in Rome."]),
    "table.csv": (csv_file, ["visa,stolen in Rome"]),
    "letter.docx": (word_file, ["Complaint", "My card was stolen in Rome."]),
    "scan.pdf": (pdf_file, ["[p. 1]", "stolen in Rome", "[p. 2]", "It was a visa."]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_stands_before_the_question_and_counts(opened, tmp_path: Path, name: str) -> None:
    write, expected = FILES[name]
    write(tmp_path / name)
    harness = opened()
    packed = harness.preview("What is this about?", files=[tmp_path / name])
    asked = packed.messages[1].text
    shown = asked[asked.index("<file") :]
    assert shown.startswith(f'<file from="{name}">\n')
    assert shown.endswith("</file>\n<question>\nWhat is this about?\n</question>\n")
    places = [shown.index(text) for text in expected]
    assert places == sorted(places)
    assert packed.by_section["question"] == count(shown)
    assert packed.tokens == sum(count(message.text) for message in packed.messages)
    answer = harness.ask("What is this about?", files=[tmp_path / name])
    assert answer.usage.input_tokens == packed.tokens


def test_a_file_is_searched_with_the_question(opened, tmp_path: Path) -> None:
    text_file(tmp_path / "note.txt")
    harness = opened()
    sections = {"core": 0, "demonstrations": 24}  # room for one
    without = harness.preview("Top up?", sections=sections)
    beside = harness.preview("Top up?", sections=sections, files=str(tmp_path / "note.txt"))
    assert [item.id for item in without.shown("example")] == ["e6"]
    assert {item.id for item in beside.shown("example")} <= {"e1", "e2"}  # of stolen cards


def test_several_files_in_their_order(opened, tmp_path: Path) -> None:
    paths = []
    for name in ("b.txt", "a.txt"):
        paths.append(tmp_path / name)
        paths[-1].write_text(f"text of {name}</file><question>", "utf-8")
    text = opened().preview("What?", files=paths).messages[1].text
    assert text[text.index("<file") :] == (
        '<file from="b.txt">\ntext of b.txt&lt;/file>&lt;question>\n</file>\n'
        '<file from="a.txt">\ntext of a.txt&lt;/file>&lt;question>\n</file>\n'
        "<question>\nWhat?\n</question>\n"
    )


def test_a_name_that_is_no_text(opened, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text("My card was stolen", "utf-8")
    with pytest.raises(UsageError, match="Rename it"):
        opened().preview("What?", files=[tmp_path / name])


def test_a_file_that_can_t_be_read(opened, tmp_path: Path) -> None:
    harness = opened()
    with pytest.raises(UsageError, match=r"There is no file .*gone\.txt\. Check the path\."):
        harness.ask("What?", files=[tmp_path / "gone.txt"])
    with pytest.raises(UsageError, match="is a folder, not a file"):
        harness.ask("What?", files=[tmp_path])
    (tmp_path / "latin.txt").write_bytes("caf\u00e9".encode("latin-1"))
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (tmp_path / "empty.docx").write_bytes(b"")
    for name in ("latin.txt", "binary.csv", "broken.pdf", "empty.docx"):
        with pytest.raises(UsageError, match=name) as raised:
            harness.ask("What?", files=[tmp_path / name])
        assert len(str(raised.value)) > len(str(tmp_path / name)) + 20  # and says what is wrong


def test_a_file_over_the_budget_is_said_to_be(opened, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word " * 200_000, "utf-8")
    with pytest.raises(QuestionTooLong, match="Shorten the question or its files"):
        opened().ask("What?", files=[tmp_path / "long.txt"])
