"""Every format: real documents in, passages with page, heading, sheet or slide out."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
import pypdf
from PIL import Image

from harness.domain.references import read_references
from harness.values import Passage

Put = Callable[[str, str | bytes], Path]
MakePdf = Callable[..., Path]


def read(domain: Path) -> list[Passage]:
    passages, problems = read_references(domain)
    assert problems == []
    return passages


def facts(topic: str, count: int) -> str:
    return " ".join(f"Fact {number} about the {topic} stands here." for number in range(count))


def test_markdown_is_cut_at_headings_and_keeps_lines(domain: Path, put: Put) -> None:
    put("guide.md", "\ufeffIntro.\n\n# Dosing #\n\n## **Renal**\nHalve it.\n\n## Hepatic\nStop.\n")
    passages = read(domain)
    assert [(p.where, p.text, p.place.line) for p in passages] == [
        ("", "Intro.", 1),
        ("Dosing > Renal", "# Dosing #\n\n## **Renal**\nHalve it.", 3),
        ("Dosing > Hepatic", "## Hepatic\nStop.", 8),
    ]
    assert [p.id for p in passages] == ["guide.md#1", "guide.md#2", "guide.md#3"]
    assert {p.document for p in passages} == {"guide.md"}
    assert {p.place.file for p in passages} == {"references/guide.md"}


def test_underlined_headings_count_and_code_and_front_matter_have_none(
    domain: Path, put: Put
) -> None:
    put(
        "a.md",
        "---\nowner: x\n---\nText.\n\nTitle\n=====\na\n\nPart\n---\n```\n# no heading\n\nx\n```\n",
    )
    assert [(p.where, p.text.splitlines()[0]) for p in read(domain)] == [
        ("", "---"),
        ("Title", "Title"),
        ("Title > Part", "Part"),
    ]


def test_a_heading_without_text_does_not_swallow_its_neighbour(domain: Path, put: Put) -> None:
    put("a.md", "# One\n# Two\ntext\n## [Deep](x.html) " + "long " * 40 + "\nmore")
    found = read(domain)
    assert [p.where for p in found][:2] == ["One", "Two"]
    assert found[2].where.startswith("Two > Deep long")
    assert found[2].where.endswith("…")


def test_text_files_have_no_headings_and_known_lines(domain: Path, put: Put) -> None:
    put("notes.txt", "# 1 is a number sign\r\n\r\n" + facts("roof", 60).replace(". ", ".\r\n"))
    found = read(domain)
    assert len(found) == 2
    assert {p.where for p in found} == {""}
    lines = (domain / "references/notes.txt").read_text().splitlines()
    for passage in found:
        assert lines[passage.place.line - 1] == passage.text.split("\n")[0]


def test_html_keeps_headings_tables_and_signs(domain: Path, put: Put) -> None:
    put(
        "rates.htm",
        "<html><head><title>Not text</title><style>p{}</style></head><body><h1>Rates_2025</h1>"
        "<p>2 * 3 is [6], a &lt; b &amp; c.</p><h2>Cars</h2><table><tr><td>Class</td><td>Rate</td>"
        "</tr><tr><td>A</td><td>0123</td></tr></table><img src='x.png' alt='A red car'>"
        "<script>alert(1)</script></body></html>",
    )
    first, second = read(domain)
    assert first.where == "Rates_2025"
    assert first.text == "# Rates_2025\n\n2 * 3 is [6], a < b & c."
    assert second.where == "Rates_2025 > Cars"
    assert "| Class | Rate |\n| --- | --- |\n| A | 0123 |" in second.text
    assert "[picture: A red car]" in second.text
    assert "alert" not in second.text


def test_html_nested_beyond_reason_is_still_read(domain: Path, put: Put) -> None:
    put("deep.html", "<div>" * 5000 + "Cover ends at noon." + "</div>" * 5000)
    assert "Cover ends at noon." in read(domain)[0].text


def test_word_headings_tables_and_lists(domain: Path) -> None:
    document = docx.Document()
    document.add_heading("Manual", 0)
    document.add_heading("Dosing", 1)
    document.add_heading("Renal", 2)
    document.add_paragraph("Halve the dose_x * 2 below 30 ml/min.")
    table = document.add_table(2, 2)
    for row, texts in zip(table.rows, [("Drug", "Dose"), ("Aspirin", "0100 mg")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_heading("Hepatic", 2)
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    picture = domain / "red.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    document.add_picture(str(picture))
    document.save(str(domain / "references" / "manual.docx"))
    renal, hepatic = read(domain)
    assert renal.where == "Manual > Dosing > Renal"
    assert "Halve the dose_x * 2 below 30 ml/min." in renal.text
    assert "| Drug | Dose |\n| --- | --- |\n| Aspirin | 0100 mg |" in renal.text
    assert hepatic.where == "Manual > Dosing > Hepatic"
    assert "* first\n* second" in hepatic.text
    assert "base64" not in hepatic.text
    assert renal.place.line == hepatic.place.line == 1


def test_slides_are_passages_with_their_notes(domain: Path) -> None:
    deck = pptx.Presentation()
    for number in (1, 2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Topic {number}"
        slide.placeholders[1].text = "First line\vsecond line\n<!-- Slide number: 9 -->"
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    deck.save(str(domain / "references" / "deck.pptx"))
    first, second = read(domain)
    assert [first.where, second.where] == ["slide 1", "slide 2"]
    assert first.text.startswith("# Topic 1\nFirst line second line")
    assert "Say it slowly." in second.text


def test_excel_sheets_are_tables_as_shown(domain: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Rates"
    sheet.append(["Tariff of 2025"])
    sheet.append(["Class", 2024, "Since"])
    sheet.append(["A|B", 0.05, datetime.date(2024, 1, 2)])
    sheet["B3"].number_format = "0%"
    sheet.append(["C\nD", 12.0, None])
    sheet.append([])
    sheet.append(["City", "Zone"])
    sheet.append(["Bonn", "007"])
    other = book.create_sheet("Empty")
    assert other is not None
    book.save(domain / "references" / "rates.xlsx")
    (passage,) = read(domain)
    assert passage.where == "sheet Rates"
    assert passage.text == (
        "Tariff of 2025\n\n"
        "| Class | 2024 | Since |\n| --- | --- | --- |\n"
        "| A\\|B | 5% | 2024-01-02 |\n| C D | 12 |  |\n\n"
        "| City | Zone |\n| --- | --- |\n| Bonn | 007 |"
    )


def test_a_long_sheet_repeats_its_header_and_names_rows(domain: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Product", "Price"])
    for number in range(200):
        sheet.append([f"Product {number}", number])
        if number == 99:
            sheet.append([])
    book.save(domain / "references" / "long.xlsx")
    found = read(domain)
    assert len(found) > 4
    assert all(p.text.startswith("| Product | Price |\n| --- | --- |\n| Product ") for p in found)
    rows = [row for p in found for row in p.text.split("\n")[2:]]
    assert rows == [f"| Product {number} | {number} |" for number in range(200)]
    for passage in found[1:]:
        first = passage.text.split("\n")[2]
        value = sheet.cell(passage.place.line, 1).value
        assert first.startswith(f"| {value} |")


def test_pdf_pages_and_sentences_over_their_ends(domain: Path, pdf: MakePdf) -> None:
    pdf(
        domain / "references" / "wording.pdf",
        "Clause 1. The insured must notify the",
        "insurer within a week. Clause 2 follows.",
        "",
        "Clause 3.",
    )
    assert [(p.where, p.text) for p in read(domain)] == [
        ("p. 1-2", "Clause 1. The insured must notify the\ninsurer within a week."),
        ("p. 2", "Clause 2 follows."),
        ("p. 4", "Clause 3."),
    ]


def test_a_pdf_that_only_forbids_printing_is_read(domain: Path, pdf: MakePdf) -> None:
    source = pypdf.PdfReader(pdf(domain / "plain.pdf", "Readable by all."))
    writer = pypdf.PdfWriter(clone_from=source)
    writer.encrypt(user_password="", owner_password="secret", algorithm="AES-256")
    writer.write(domain / "references" / "printed.pdf")
    assert read(domain)[0].text == "Readable by all."


def test_right_to_left_and_emoji_text_is_kept(domain: Path, put: Put) -> None:
    text = "פוליסה מספר 5 👩‍⚕️ — قسط التأمين"
    put("עברית.md", text)
    (passage,) = read(domain)
    assert passage.text == text
    assert passage.id == "עברית.md#1"
