"""Documents written from Markdown, looked at with the libraries that read them."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile

import docx
import openpyxl
import pytest
from fontTools.ttLib import TTFont
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from harness.documents.blocks import Code, Heading, Item, Paragraph, Table, column_shares, plain
from harness.documents.cells import cell_of
from harness.documents.export import FORMATS, Cited, Paper, export
from harness.documents.fonts import FOLDER, families, uncovered
from harness.documents.markdown import blocks_of
from harness.documents.pages import pdf_of
from harness.documents.reading import open_document
from harness.documents.sheets import Sheet, sheets_of, xlsx_of
from harness.documents.word import docx_of
from harness.errors import DocumentError
from tests.documents.conftest import MIXED


class TestMarkdown:
    def test_every_form_becomes_its_block(self) -> None:
        kinds = [type(block).__name__ for block in blocks_of(MIXED)]
        assert kinds[:3] == ["Heading", "Paragraph", "Heading"]
        assert kinds.count("Item") == 3
        assert {"Table", "Code"} < set(kinds)

    def test_lists_keep_their_depth_and_numbers(self) -> None:
        found = blocks_of("3. three\n\n   more\n   - inner\n4. four\n")
        assert [
            (one.depth, one.mark, plain(one.spans)) for one in found if isinstance(one, Item)
        ] == [
            (1, "3.", "three"),
            (1, "", "more"),
            (2, "•", "inner"),
            (1, "4.", "four"),
        ]

    def test_html_is_text_and_pictures_are_words(self) -> None:
        (one,) = blocks_of("<script>x</script> ![a chart](http://example.com/a.png)")
        assert isinstance(one, Paragraph)
        assert plain(one.spans) == "<script>x</script> [picture: a chart]"

    def test_only_links_to_pages_and_mail_lead_anywhere(self) -> None:
        (one,) = blocks_of("[a](https://a.example) [b](file:///etc/passwd) [c](../x)")
        assert isinstance(one, Paragraph)
        assert [span.link for span in one.spans if span.link] == ["https://a.example"]

    def test_a_break_in_a_cell_is_a_line_break(self) -> None:
        (one,) = blocks_of("| a |\n|--|\n| b<br>c |")
        assert isinstance(one, Table)
        assert plain(one.rows[0][0]) == "b\nc"

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=200))
    def test_any_text_gives_blocks(self, text: str) -> None:
        for block in blocks_of(text):
            if isinstance(block, Table):
                assert sum(column_shares(block)) == pytest.approx(1)
            if isinstance(block, Code):
                assert "\r" not in block.text


class TestPdf:
    def test_pages_have_the_text_in_every_script(self) -> None:
        content = pdf_of(blocks_of(MIXED), title="Lease", footer="The foot")
        reader = PdfReader(io.BytesIO(content))
        text = unicodedata.normalize("NFKC", "".join(page.extract_text() for page in reader.pages))
        for words in (
            "Königsallee",
            "3,600.50",
            "中文合同",
            "日本語",
            "한국어",
            "שלום",
            "The foot",
        ):
            assert words in text, words
        assert "عقد" in text or "دقع" in text  # as the library orders letters
        assert reader.metadata is not None
        assert reader.metadata.title == "Lease"
        assert "/StructTreeRoot" in reader.trailer["/Root"]  # can be read aloud

    def test_words_can_not_be_markup(self) -> None:
        nasty = '#panic("x") $x$ @ref <label> \\ #include "/etc/passwd" https://example.com'
        content = pdf_of(blocks_of(f"{nasty}\n\n# {nasty}\n\n```\n{nasty}\n```\n"), title=nasty)
        text = PdfReader(io.BytesIO(content)).pages[0].extract_text()
        assert text.count("#panic") == 3

    def test_same_text_gives_the_same_words_on_every_machine(self) -> None:
        assert "Noto Sans" in families()
        content = pdf_of(blocks_of("Hi 😀"))
        fonts = {str(f) for f in _fonts(content)}
        assert all("Noto" in one or "Droid" in one or "DejaVu" in one for one in fonts), fonts

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.text(max_size=80))
    def test_any_text_can_be_set(self, text: str) -> None:
        assert pdf_of(blocks_of(text), title=text).startswith(b"%PDF")


def _fonts(content: bytes) -> set[object]:
    reader = PdfReader(io.BytesIO(content))
    found: set[object] = set()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # a dictionary
            found.add(font.get_object()["/BaseFont"])
    return found


class TestFonts:
    def test_what_is_said_of_the_fonts_is_so(self) -> None:
        has: set[int] = set()
        names: set[str] = set()
        for path in FOLDER.glob("*.ttf"):
            with TTFont(path, lazy=True) as font:
                has |= set(font.getBestCmap())
                names.add(font["name"].getBestFamilyName())
        said = json.loads((FOLDER / "coverage.json").read_bytes())
        assert {code for start, end in said["ranges"] for code in range(start, end + 1)} == has
        assert set(said["families"]) == names

    @pytest.mark.parametrize(
        "text",
        [
            "Ünï €",
            "Ελληνικά",
            "Русский",
            "שלום",
            "العربية",
            "हिन्दी",
            "ไทย",
            "中文",
            "한국어",
            "かな",
            "😀",
        ],
    )
    def test_scripts_that_are_covered(self, text: str) -> None:
        assert uncovered(text) == ""

    def test_what_is_not_covered_is_named(self) -> None:
        assert "U+13000 egyptian hieroglyph a001" in uncovered("a \U00013000")


class TestWord:
    def test_headings_lists_tables_and_links_are_real_ones(self) -> None:
        document = docx.Document(io.BytesIO(docx_of(blocks_of(MIXED), title="Lease", author="Ada")))
        styles = {p.text: p.style.name for p in document.paragraphs if p.style}
        assert styles["Findings"] == "Heading 2"
        assert styles["The rent is indexed."] == "Harness List 1"
        assert document.tables[0].cell(2, 2).text == "3,600.50"
        assert any(
            "example.com" in one.target_ref
            for one in document.part.rels.values()
            if one.is_external
        )
        assert document.core_properties.author == "Ada"

    def test_writing_from_right_to_left_says_so(self) -> None:
        content = docx_of(blocks_of("עברית **מודגש**\n\n| ערבית | ב |\n|--|--|\n| א | ב |\n"))
        xml = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
        assert "<w:bidi/>" in xml
        assert "<w:rtl/>" in xml
        assert "<w:bCs/>" in xml
        assert "<w:bidiVisual/>" in xml

    def test_numbers_come_back_when_it_is_read(self) -> None:
        markdown = "1. one\n2. two\n   1. inner\n3. three\n\nText.\n\n7. seven\n8. eight\n"
        document = open_document("a.docx", docx_of(blocks_of(markdown)))
        lines = document.part(0).text.split("\n\n")
        assert lines == [
            "1. one",
            "2. two",
            "1. inner",
            "3. three",
            "Text.",
            "7. seven",
            "8. eight",
        ]

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.text(max_size=80))
    def test_any_text_can_be_written_and_read(self, text: str) -> None:
        content = docx_of(blocks_of(text), title=text)
        docx.Document(io.BytesIO(content))


class TestCells:
    @pytest.mark.parametrize(
        ("text", "number", "form"),
        [
            ("1,234.50", 1234.5, "#,##0.00"),
            ("12.5%", 0.125, "0.0%"),
            ("(3,200)", -3200, "#,##0;(#,##0)"),
            ("$ 40", 40, '"$ "0'),
            ("\u22125", -5, "0"),
            ("0", 0, "0"),
        ],
    )
    def test_what_is_surely_a_number_becomes_one(self, text: str, number: float, form: str) -> None:
        cell = cell_of(text)
        assert (cell.kind, cell.number, cell.form) == ("number", number, form)

    @pytest.mark.parametrize(
        "text",
        [
            "0123",
            "1.10.2024",
            "12345678901234567",
            "1,23",
            "=1+1",
            "+49 30 1234",
            "--",
            "(5",
            "1e5",
        ],
    )
    def test_everything_else_stays_text(self, text: str) -> None:
        assert cell_of(text).kind == "text"

    def test_dates_are_dates(self) -> None:
        assert cell_of("2024-02-29").kind == "date"
        assert cell_of("2024-02-30").kind == "text"


class TestExcel:
    def test_formulas_have_results_that_other_programs_read(self) -> None:
        rows = (
            ("Item", "Net", "Gross"),
            ("Flat", "1,200.00", "=B2*1.19"),
            ("Sum", "=SUM(B2:B2)", "=x"),
        )
        content, note = xlsx_of([Sheet(name="A", rows=rows, formulas=True)])
        assert note == ""
        sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["A"]
        assert sheet["C2"].value == pytest.approx(1428)
        assert sheet["B3"].value == 1200
        assert openpyxl.load_workbook(io.BytesIO(content))["A"]["C2"].value == "=B2*1.19"
        assert (sheet["B3"].number_format, sheet["C2"].number_format) == ("#,##0.00", "General")

    def test_what_begins_like_a_formula_in_a_text_is_text(self) -> None:
        (sheet,) = sheets_of(blocks_of("| a |\n|--|\n| =1+1 |"))
        content, _ = xlsx_of([sheet])
        cell = openpyxl.load_workbook(io.BytesIO(content)).active["A2"]  # type: ignore[index]
        assert (cell.value, cell.data_type) == ("=1+1", "s")

    @pytest.mark.parametrize(
        "formula",
        [
            '=WEBSERVICE("http://x")',
            "=cmd|'/c calc'!A1",
            "=[other.xlsx]A!B1",
            '=HYPERLINK("http://x")',
        ],
    )
    def test_formulas_that_reach_out_are_refused(self, formula: str) -> None:
        with pytest.raises(DocumentError, match="reaches out"):
            xlsx_of([Sheet(name="A", rows=(("a",), (formula,)), formulas=True)])

    def test_names_of_sheets_are_made_fit(self) -> None:
        wanted = ["a/b:c", "A B C", "x" * 40, "", "history"]
        content, _ = xlsx_of([Sheet(name=one, rows=(("a",),)) for one in wanted])
        names = openpyxl.load_workbook(io.BytesIO(content)).sheetnames
        assert names == ["a b c", "A B C 2", "x" * 31, "Sheet", "history 2"]

    def test_a_cell_too_long_for_excel_is_named(self) -> None:
        with pytest.raises(DocumentError, match=r"row 2 has a cell of 40,000 characters"):
            xlsx_of([Sheet(name="A", rows=(("a",), ("x" * 40_000,)))])


PAPER = Paper(
    title="Lease review",
    question="What notice?",
    text=MIXED,
    citations=(
        Cited(document="lease.pdf", where="p. 3", quote="six | months", verified=True),
        Cited(document="عقد.docx", where="المادة 4", quote="كتابي", verified=False),
    ),
    steps=("read_document lease.pdf",),
    files=("memo.docx",),
    warnings=("One quote was not found.",),
    facts=(("Model", "openai:gpt-5"),),
)


class TestExport:
    @pytest.mark.parametrize("form", FORMATS)
    def test_every_format_has_answer_sources_and_places(self, form: str) -> None:
        made = export(PAPER, form)  # type: ignore[arg-type]  # one of them
        document = open_document(f"a.{form}", made.content)
        text = "\n".join(document.part(number).text for number in range(len(document)))
        words = ["Lease review", "lease.pdf", "p. 3", "months", "One quote was not found."]
        for one in [*words, "read_document", "memo.docx"] if form != "xlsx" else words:
            assert one in text, one

    def test_tables_are_tables(self) -> None:
        assert (
            docx.Document(io.BytesIO(export(PAPER, "docx").content)).tables[0].cell(0, 0).text
            == "Clause"
        )
        book = openpyxl.load_workbook(io.BytesIO(export(PAPER, "xlsx").content))
        assert book["Findings"]["C3"].value == 3600.5
        assert (
            "| 1 | lease.pdf | p. 3 | six \\| months | found there |"
            in export(PAPER, "md").content.decode()
        )

    def test_json_says_every_field(self) -> None:
        said = json.loads(export(PAPER, "json").content)
        assert said["citations"][1]["verified"] is False
        assert said["text"] == MIXED

    def test_what_the_pdf_can_not_show_is_said(self) -> None:
        made = export(Paper(title="a", text="\U00013000"), "pdf")
        assert "egyptian hieroglyph" in made.notes[0]

    def test_the_answers_headings_stand_below_the_papers(self) -> None:
        from harness.documents.export import _blocks

        levels = {plain(b.spans): b.level for b in _blocks(PAPER) if isinstance(b, Heading)}
        assert (levels["Answer"], levels["Findings"]) == (2, 4)

    def test_an_unknown_format_is_an_error(self) -> None:
        with pytest.raises(DocumentError, match="There are: docx"):
            export(PAPER, "rtf")  # type: ignore[arg-type]
