"""Documents read into text with places, as a model and a person need them to cite."""

from __future__ import annotations

import io

import docx
import openpyxl
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from pptx import Presentation

from harness.documents.pictures import pictures_of
from harness.documents.reading import open_document
from harness.documents.search import search
from harness.documents.word_numbers import roman
from harness.errors import DocumentError
from tests.documents.conftest import saved


def whole(name: str, content: bytes) -> dict[str, str]:
    document = open_document(name, content)
    return {
        document.part(number).where: document.part(number).text for number in range(len(document))
    }


class TestWord:
    def test_parts_are_headings_and_what_stands_aside(self, word: bytes) -> None:
        parts = whole("lease.docx", word)
        assert list(parts) == ["Lease", "Lease > Rent", "header and footer", "comments"]
        assert "three months\u2019 notice" in parts["Lease"]
        assert parts["header and footer"] == "header: DRAFT of May"
        assert "Ann Lee" in parts["comments"]
        assert "on “three months\u2019”: Is this usual?" in parts["comments"]

    def test_clauses_have_the_numbers_that_word_shows(self, word: bytes) -> None:
        text = whole("lease.docx", word)["Lease > Rent"]
        assert "1. Rent is due monthly." in text
        assert "2. The landlord may inspect" in text

    def test_merged_cells_keep_their_columns(self, word: bytes) -> None:
        rows = whole("lease.docx", word)["Lease > Rent"].split("\n")
        assert "| wide | ← | r0c2 |" in rows
        assert "| r1c0 | r1c1 | tall |" in rows
        assert "| r2c0 | r2c1 | ↑ |" in rows

    def test_tracked_changes_are_told_and_read_as_accepted(self) -> None:
        document = docx.Document()
        paragraph = document.add_paragraph("Pay in ")
        for tag, text_tag, text in (("w:del", "w:delText", "ten"), ("w:ins", "w:t", "thirty")):
            mark = OxmlElement(tag)
            mark.set(qn("w:author"), "Ann")
            mark.set(qn("w:date"), "2026-01-02T00:00:00Z")
            run = OxmlElement("w:r")
            words = OxmlElement(text_tag)
            words.text = text
            run.append(words)
            mark.append(run)
            paragraph._p.append(mark)
        parts = whole("a.docx", saved(document))
        assert (
            "Pay in thirty" in parts["paragraphs 1-1"] if "paragraphs 1-1" in parts else parts[""]
        )
        assert parts["tracked changes"] == (
            "Ann, 2026-01-02, deleted: “ten”\nAnn, 2026-01-02, inserted: “thirty”"
        )

    def test_a_long_document_without_headings_has_parts_all_the_same(self) -> None:
        document = docx.Document()
        for number in range(130):
            document.add_paragraph(f"Paragraph {number}.")
        assert list(whole("a.docx", saved(document))) == [
            "paragraphs 1-60",
            "paragraphs 61-120",
            "paragraphs 121-130",
        ]

    def test_roman_numbers(self) -> None:
        assert [roman(n) for n in (1, 4, 9, 14, 40, 1999, 0)] == [
            "i",
            "iv",
            "ix",
            "xiv",
            "xl",
            "mcmxcix",
            "0",
        ]


class TestExcel:
    def test_cells_have_names_and_formulas_their_results(self) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Rent"
        sheet["A1"], sheet["B1"], sheet["A3"], sheet["B3"] = "Item", "Net", "Flat", 1200.5
        sheet["C3"] = "=B3*2"
        sheet["D3"] = "=UNKNOWNFUNCTION(B3)"
        sheet.merge_cells("A4:B5")
        sheet["A4"] = "merged | text"
        hidden = book.create_sheet("Secret")
        hidden.sheet_state = "hidden"
        hidden["A1"] = "x"
        document = open_document("rent.xlsx", saved(book))
        text = document.part(0).text
        assert "| 3 | Flat | 1200.5 | 2401 (=B3*2; worked out here) |" in text
        assert "=UNKNOWNFUNCTION(B3)" in text
        assert "Merged cells, each with its text at the top left: A4:B5." in text
        assert "merged \\| text" in text
        assert document.places == ("sheet Rent", "sheet Secret (hidden)")
        assert any("worked out here" in note for note in document.notes)

    def test_a_formula_without_any_result_is_never_dropped(self) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet["A1"] = "='[other.xlsx]A'!B1+1"
        document = open_document("a.xlsx", saved(book))
        assert "? (='[other.xlsx]A'!B1+1; no result saved)" in document.part(0).text
        assert any("looks into another file" in note for note in document.notes)

    def test_long_sheets_come_in_parts(self) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for number in range(700):
            sheet.append([number, "x"])
        document = open_document("a.xlsx", saved(book))
        assert document.places[1] == "sheet Sheet, rows 301-600"
        assert "| 301 | 300 | x |" in document.part(1).text
        assert document.at("Sheet") == range(3)


class TestPdf:
    def test_pages_and_bookmarks(self, pdf: bytes) -> None:
        document = open_document("three.pdf", pdf)
        assert document.kind == "pdf"
        assert document.places[0] == "p. 1"
        assert document.contents[0] == "Part 1 (p. 1)"
        assert "Words of part 1." in document.part(0).text

    def test_places_can_be_asked_for_as_people_write_them(self, pdf: bytes) -> None:
        document = open_document("three.pdf", pdf)
        last = len(document)
        for where, wanted in {
            "": range(last),
            "2": range(1, 2),
            "p. 2": range(1, 2),
            "pages 1-2": range(2),
            "pp. 2\u20133": range(1, 3),
            f"1-{last + 5}": range(last),
        }.items():
            assert document.at(where) == wanted, where
        for where in ("0", "99", "chapter"):
            with pytest.raises(DocumentError):
                document.at(where)

    def test_words_are_found_over_line_ends_with_their_page(self, pdf: bytes) -> None:
        document = open_document("three.pdf", pdf)
        hits = list(search(document, "WORDS of   part 3"))
        assert hits
        assert {hit.where for hit in hits} <= set(document.places)
        assert "part 3" in hits[0].words
        assert not list(search(document, "part 4"))


class TestOthers:
    def test_slides(self) -> None:
        deck = Presentation()
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = "Plan"
        slide.placeholders[1].text = "First step"
        document = open_document("a.pptx", saved(deck))
        assert document.places == ("slide 1",)
        assert "First step" in document.part(0).text

    @pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
    def test_tables_whatever_parts_their_cells(self, sign: str) -> None:
        text = f'Name{sign}Note\nA{sign}"two\nlines"\n'
        parts = whole("a.csv", text.encode())
        assert "| 2 | A | two lines |" in parts["rows 1-2"]

    def test_plain_text_has_lines(self) -> None:
        parts = whole("a.txt", "\n".join(f"line {n}" for n in range(1, 301)).encode())
        assert list(parts) == ["lines 1-200", "lines 201-300"]

    def test_old_encodings_are_read_and_told(self) -> None:
        document = open_document("a.txt", "Müller grüßt".encode("cp1252"))
        assert document.part(0).text == "Müller grüßt"
        assert "Windows-1252" in document.notes[0]
        assert open_document("a.txt", "Müller".encode("utf-16")).part(0).text == "Müller"

    def test_web_pages_and_markdown_have_headings(self) -> None:
        html = b"<title>t</title><h1>A</h1><p>x</p><h2>B</h2><p>y</p>"
        assert list(whole("a.html", html)) == ["A", "A > B"]
        assert list(whole("a.md", b"# A\n\nx\n\n## B\n\ny\n")) == ["A", "A > B"]


class TestSearch:
    def test_hyphens_and_quotes_do_not_hide_words(self) -> None:
        document = open_document("a.txt", "the ter-\nmination of “the lease\u2019s”".encode())
        assert list(search(document, 'termination of "the lease\'s"'))

    def test_patterns(self) -> None:
        document = open_document("a.txt", b"EUR 1,200 and EUR 3,600")
        assert len(list(search(document, r"EUR [\d,]+", regex=True))) == 2
        for pattern, regex in (("(", True), ("  ", False)):
            with pytest.raises(DocumentError):
                list(search(document, pattern, regex=regex))


class TestPictures:
    def test_a_page_and_a_photo_become_pictures(self, pdf: bytes) -> None:
        from PIL import Image

        (page,) = pictures_of("a.pdf", pdf, range(1, 2))
        assert page.where == "p. 2"
        with Image.open(io.BytesIO(page.png)) as opened:
            assert max(opened.size) <= 1_568
            assert min(opened.size) > 1_000
        (again,) = pictures_of("a.png", page.png)
        assert again.png.startswith(b"\x89PNG")

    def test_what_can_not_be_drawn_is_said(self, pdf: bytes) -> None:
        for name, data, pages in (
            ("a.pdf", pdf, range(90, 91)),
            ("a.pdf", b"%PDF-1.4 broken", range(1)),
            ("a.png", b"no picture", range(1)),
            ("a.pdf", pdf, range(20)),
        ):
            with pytest.raises(DocumentError):
                pictures_of(name, data, pages)
