"""Documents as they come: protected, cut off, misnamed, made to do harm. Each says what it is."""

from __future__ import annotations

import contextlib
import io
import zipfile

import docx
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader, PdfWriter

from harness.documents.reading import open_document
from harness.errors import DocumentError
from tests.documents.conftest import replaced, saved


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(DocumentError) as error:
        open_document(name, content)
    said = str(error.value)
    assert name in said
    assert "Traceback" not in said
    return said


@pytest.fixture(scope="module")
def scan() -> bytes:
    """Two pages with a picture each and no text."""
    pages = [Image.new("RGB", (300, 400), (200, number * 50, 0)) for number in (1, 2)]
    out = io.BytesIO()
    pages[0].save(out, format="PDF", save_all=True, append_images=pages[1:])
    return out.getvalue()


def test_protected_documents(pdf: bytes) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    writer.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert "password" in refusal("a.pdf", out.getvalue())
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    for name in ("a.docx", "a.xlsx", "a.pptx"):
        assert "password" in refusal(name, ole)


def test_a_pdf_with_an_empty_password_opens(pdf: bytes) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    writer.encrypt("", "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert "Words of part 1" in open_document("a.pdf", out.getvalue()).part(0).text


def test_a_scan_is_said_to_have_no_text(scan: bytes) -> None:
    said = refusal("scan.pdf", scan)
    assert "2 pages and no text: it is a scan" in said
    assert "look_at_pages" in said


def test_a_scanned_page_among_others_is_marked(scan: bytes, pdf: bytes) -> None:
    writer = PdfWriter()
    for content in (pdf, scan):
        for page in PdfReader(io.BytesIO(content)).pages:
            writer.add_page(page)
    out = io.BytesIO()
    writer.write(out)
    document = open_document("a.pdf", out.getvalue())
    assert document.part(len(document) - 1).text.startswith("[no text on this page")


def test_names_that_lie(pdf: bytes, word: bytes) -> None:
    document = open_document("a.docx", pdf)
    assert document.kind == "pdf"
    assert document.notes == ("Its name ends in .docx, but it is a pdf document.",)
    assert open_document("a.txt", word).kind == "docx"
    assert "no .pdf document" in refusal("a.pdf", b"Hello")
    assert "no .xlsx document" in refusal("a.xlsx", b"a,b\n1,2\n")
    assert "no .docx document" in refusal("a.docx", b"<html>")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"", "is empty"),
        ("a.png", b"\x89PNG\r\n", "no text"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "no text"),
        ("a.heic", b"\0\0\0\x18ftypheic", "picture"),
        ("a.rtf", b"{\\rtf1 x}", "save it as .docx"),
        ("a.gz", b"\x1f\x8b\x08", "unpack"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "save it as .docx"),
        ("a.txt", bytes(range(32)) * 9, "not text"),
        ("a.txt", b" \n \n", "has no text"),
        ("a.csv", b",,\n", "has no text"),
    ],
)
def test_what_has_no_text_says_what_it_is(name: str, content: bytes, says: str) -> None:
    assert says in refusal(name, content)


def test_zip_files_that_are_no_documents() -> None:
    for parts, says in (
        ({"a.txt": b"x"}, "zip file"),
        ({"mimetype": b"x", "content.xml": b"<a/>"}, "OpenDocument"),
    ):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
        assert says in refusal("a.docx", out.getvalue())


def test_cut_off_documents(word: bytes, pdf: bytes) -> None:
    for name, content in (("a.docx", word), ("a.xlsx", word), ("b.pdf", pdf[:100])):
        assert refusal(name, content[: len(content) // 2])
    with contextlib.suppress(DocumentError):  # what is whole of a PDF may be read, or nothing
        open_document("a.pdf", pdf[: len(pdf) // 2])


def test_bombs(word: bytes) -> None:
    bomb = replaced(word, "word/document.xml", lambda _: b"<a>" + b" " * 60_000_000)
    assert "do harm" in refusal("a.docx", bomb)
    lol = b'<!DOCTYPE a [<!ENTITY l0 "lol">' + b"".join(
        b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 12)
    )
    laughs = replaced(word, "word/document.xml", lambda data: lol + b"]><a>&l11;</a>" + data[:0])
    assert refusal("a.docx", laughs)
    book = openpyxl.Workbook()
    sheet = replaced(
        saved(book), "xl/worksheets/sheet1.xml", lambda _: lol + b"]><worksheet>&l11;</worksheet>"
    )
    assert refusal("a.xlsx", sheet)


def test_macros_are_told_and_not_run(word: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "[Content_Types].xml":
                plain = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document"
                data = data.replace(
                    plain + b".main+xml", b"application/vnd.ms-word.document.macroEnabled.main+xml"
                )
            new.writestr(entry.filename, data)
        new.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    document = open_document("a.docm", out.getvalue())
    assert "Lease" in document.part(0).text
    assert document.notes == ("It has macros. They were not run; only its text was read.",)


def test_right_to_left_text_comes_in_reading_order() -> None:
    document = docx.Document()
    document.add_paragraph("عقد الإيجار بين الطرفين")
    document.add_paragraph("חוזה שכירות בין הצדדים")
    text = open_document("a.docx", saved(document)).part(0).text
    assert "عقد الإيجار بين الطرفين" in text
    assert "חוזה שכירות בין הצדדים" in text


def test_five_hundred_pages_open_without_reading_them_all(pdf: bytes) -> None:
    writer = PdfWriter()
    page = PdfReader(io.BytesIO(pdf)).pages[0]
    for _ in range(500):
        writer.add_page(page)
    out = io.BytesIO()
    writer.write(out)
    document = open_document("long.pdf", out.getvalue())
    assert len(document) == 500
    assert "Words" in document.part(499).text
    assert len(document._texts) <= 4  # the first one was looked at for text, and the last was asked


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_anywhere_is_an_error_in_words_or_no_error(
    word: bytes, pdf: bytes, data: st.DataObject
) -> None:
    name, content = data.draw(st.sampled_from([("a.docx", word), ("a.pdf", pdf)]))
    at = data.draw(st.integers(0, len(content) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=30))
    broken = content[:at] + noise + content[at + len(noise) :]
    with contextlib.suppress(DocumentError):
        document = open_document(name, broken)
        for number in range(min(len(document), 3)):
            assert isinstance(document.part(number).text, str)
