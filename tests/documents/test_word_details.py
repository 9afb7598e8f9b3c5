"""Word files as offices make them: legal numbering, notes, text boxes, fields, nested tables."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml

from harness.documents.reading import open_document
from harness.documents.redline import Revision, revise
from tests.documents.conftest import replaced, saved

NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
)
DATE = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def with_body(*paragraphs: str) -> bytes:
    """A Word file with these elements as its body."""
    document = docx.Document()
    body: Any = document.element.body
    for number, xml in enumerate(paragraphs):
        body.insert(number, parse_xml(xml.replace(">", f" {NAMES}>", 1)))
    return saved(document)


def text_of(content: bytes) -> str:
    document = open_document("a.docx", content)
    return "\n\n".join(document.part(number).text for number in range(len(document)))


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_legal_numbering_is_what_word_shows() -> None:
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for level, (form, text) in enumerate(
            [
                ("decimal", "%1."),
                ("decimal", "%1.%2"),
                ("lowerLetter", "(%3)"),
                ("lowerRoman", "(%4)"),
                ("upperRoman", "%5."),
                ("decimalZero", "%6"),
                ("none", ""),
            ]
        )
    )
    numbering = (
        f'<w:numbering {NAMES}><w:abstractNum w:abstractNumId="1">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="2">'
        '<w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="9"/>'
        "</w:lvlOverride></w:num></w:numbering>"
    )
    where = [(0, 1), (1, 1), (1, 1), (2, 1), (2, 1), (3, 1), (0, 1), (1, 1), (0, 2), (4, 2), (5, 2)]
    content = with_body(
        *(
            f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
            f"</w:pPr>{run('clause')}</w:p>"
            for level, number in where
        )
    )
    content = replaced(content, "word/numbering.xml", lambda _: numbering.encode())
    shown = [line.removesuffix(" clause") for line in text_of(content).split("\n\n")]
    assert shown == ["1.", "1.1", "1.2", "(a)", "(b)", "(i)", "2.", "2.1", "9.", "I.", "01"]


def test_what_stands_in_controls_boxes_and_fields_is_read_once() -> None:
    box = f"<w:txbxContent><w:p>{run('In the box.')}</w:p></w:txbxContent>"
    content = with_body(
        f"<w:sdt><w:sdtContent><w:p>{run('In a control.')}</w:p></w:sdtContent></w:sdt>",
        f"<w:p>{run('Before.')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'>{box}"
        f"</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>",
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF x</w:instrText>'
        f'</w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("clause 4")}'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>',
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:br/><w:t>c</w:t>"
        '<w:drawing><wp:docPr id="1" name="p" descr="a map"/></w:drawing></w:r></w:p>',
    )
    text = text_of(content)
    for words in (
        "In a control.",
        "Before.",
        "In the box.",
        "clause 4",
        "a\tb\u2011\nc[picture: a map]",
    ):
        assert text.count(words) == 1, words
    assert "REF" not in text


def test_footnotes_stand_in_a_part_of_their_own() -> None:
    content = with_body(f'<w:p>{run("Text")}<w:r><w:footnoteReference w:id="2"/></w:r></w:p>')
    notes = (
        f'<w:footnotes {NAMES}><w:footnote w:id="0" w:type="separator"><w:p>{run("-")}</w:p>'
        f'</w:footnote><w:footnote w:id="2"><w:p>{run("As amended.")}</w:p></w:footnote>'
        "</w:footnotes>"
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relation = f'<Relationship Id="rId99" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    content = replaced(
        content,
        "word/_rels/document.xml.rels",
        lambda data: data.replace(b"</Relationships>", relation.encode()),
    )
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/footnotes.xml", notes)
    document = open_document("a.docx", out.getvalue())
    assert document.part(0).text == "Text[note 2]"
    assert document.part(1).where == "footnotes and endnotes"
    assert document.part(1).text == "[note 2] As amended."


def test_a_table_in_a_table_stays_in_its_cell() -> None:
    document = docx.Document()
    table = document.add_table(1, 2)
    table.cell(0, 0).text = "outer"
    inner = table.cell(0, 1).add_table(2, 1)
    inner.cell(0, 0).text, inner.cell(1, 0).text = "one", "two"
    assert "| outer | one two |" in text_of(saved(document))


@pytest.mark.parametrize(
    ("body", "revision", "left"),
    [
        (f"<w:p>{run('net')}</w:p>", Revision(old="net", new="the net"), "the net"),
        (f"<w:p>{run('a b')}{run(' c')}</w:p>", Revision(old="a b c", new="a c"), "a c"),
        (
            f'<w:p><w:ins w:id="1" w:author="B">{run("ten days")}</w:ins></w:p>',
            Revision(old="ten days", new="ten working days"),
            "ten working days",
        ),
        (
            f'<w:p><w:ins w:id="1" w:author="B">{run("ten")}</w:ins></w:p>',
            Revision(old="ten", new="about ten"),
            "about ten",
        ),
        (
            f'<w:p><w:hyperlink w:anchor="x">{run("see clause 4")}</w:hyperlink></w:p>',
            Revision(old="clause 4", new="clause 5"),
            "see clause 5",
        ),
        (
            "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p>",
            Revision(old="a b", new="x\ty"),
            "x\ty",
        ),
        (
            f"<w:p><w:pPr><w:rPr><w:b/></w:rPr></w:pPr>{run('gone')}</w:p>",
            Revision(old="gone", new=""),
            "",
        ),
    ],
)
def test_changes_in_every_kind_of_run(body: str, revision: Revision, left: str) -> None:
    content = with_body(body, f"<w:p>{run('Another.')}</w:p>")
    done = revise("a.docx", content, [revision], author="A", date=DATE).content
    document = open_document("a.docx", done)
    assert document.part(0).text == f"{left}\n\nAnother.".strip()
    assert document.part(1).where == "tracked changes"
    assert "A, 2026-01-02" in document.part(1).text


def test_an_empty_paragraph_can_be_followed_by_a_new_one() -> None:
    content = with_body(f"<w:p>{run('Only.')}</w:p>")
    revision = Revision(after="Only", new="New\u0007 one.\nTwo.", comment="Why.")
    done = revise("a.docx", content, [revision], author="A B", date=DATE).content
    assert text_of(done).startswith("Only.\n\nNew one.\n\nTwo.")
    comment = next(iter(docx.Document(io.BytesIO(done)).comments))
    assert (comment.initials, comment.text) == ("AB", "Why.")
