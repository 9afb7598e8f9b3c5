"""What is wrong with a document is said, and hides no other document."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import docx
import pypdf
import pytest
from fpdf import FPDF
from PIL import Image

from harness.domain.problems import CODES
from harness.domain.references import read_references
from harness.domain.references.codes import Code
from harness.values import Problem

Put = Callable[[str, str | bytes], Path]
MakePdf = Callable[..., Path]


def only_problem(domain: Path) -> Problem:
    passages, problems = read_references(domain)
    assert passages == []
    assert len(problems) == 1
    return problems[0]


def test_one_bad_document_hides_no_other(domain: Path, put: Put) -> None:
    put("a.pdf", b"%PDF-1.7 broken off")
    put("b.docx", b"PK\x03\x04 broken off")
    put("c.md", "Still here.")
    put("d.xlsx", "not Excel at all")
    put("e/f/g.txt", "And here.")
    put("h.pdf", "a text under a wrong name")
    passages, problems = read_references(domain)
    assert [p.id for p in passages] == ["c.md#1", "e/f/g.txt#1"]
    assert [p.place.file for p in problems] == [
        "references/a.pdf",
        "references/b.docx",
        "references/d.xlsx",
        "references/h.pdf",
    ]
    assert {p.code for p in problems} == {"damaged"}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.pfd", "Did you mean `.pdf`?"),
        ("a.doc", "Save it as .docx"),
        ("scan.JPG", "OCR"),
        ("LICENSE", "no ending"),
        ("a.qqq", "md, txt, html, pdf, docx, xlsx and pptx"),
    ],
)
def test_other_formats_are_refused_with_a_way_out(
    domain: Path, put: Put, name: str, hint: str
) -> None:
    put(name, "x")
    problem = only_problem(domain)
    assert problem.code == "unsupported-format"
    assert hint in problem.message


def test_a_pdf_with_a_password(domain: Path, pdf: MakePdf) -> None:
    source = pypdf.PdfReader(pdf(domain / "plain.pdf", "Secret."))
    writer = pypdf.PdfWriter(clone_from=source)
    writer.encrypt(user_password="open sesame", algorithm="AES-256")
    writer.write(domain / "references" / "locked.pdf")
    assert only_problem(domain).code == "password"


def test_a_word_file_with_a_password_and_an_old_one(domain: Path, put: Put) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
    put("locked.docx", ole + "EncryptedPackage".encode("utf-16-le"))
    put("old.xlsx", ole)
    _, problems = read_references(domain)
    assert [p.code for p in problems] == ["password", "damaged"]
    assert "save it as .xlsx" in problems[1].message


def test_scans_are_told_from_pages_that_are_empty(domain: Path) -> None:
    picture = Image.new("RGB", (40, 40), "white")
    document = FPDF()
    document.add_page()
    document.image(picture, w=50)
    document.output(str(domain / "references" / "scan.pdf"))
    problem = only_problem(domain)
    assert problem.code == "no-text"
    assert "OCR" in problem.message

    document = FPDF()
    document.set_font("helvetica", size=11)
    document.add_page()
    document.cell(text="A first page with text.")
    for _ in range(12):
        document.add_page()
        document.image(picture, w=50)
    document.add_page()
    document.output(str(domain / "references" / "scan.pdf"))
    passages, problems = read_references(domain)
    assert [p.where for p in passages] == ["p. 1"]
    assert [(p.code, p.severity) for p in problems] == [("pages-without-text", "warning")]
    assert "Pages 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more" in problems[0].message


def test_a_damaged_page_is_named_and_the_others_are_read(domain: Path, pdf: MakePdf) -> None:
    reader = pypdf.PdfReader(pdf(domain / "plain.pdf", "Page one.", "Page two."))
    writer = pypdf.PdfWriter(clone_from=reader)
    content = pypdf.generic.StreamObject()
    content._data = b"BT /F1 12 Tf (cut short Tj ET << [ "
    writer.pages[0][pypdf.generic.NameObject("/Contents")] = writer._add_object(content)
    writer.write(domain / "references" / "half.pdf")
    passages, problems = read_references(domain)
    assert [(p.where, p.text) for p in passages] == [("p. 2", "Page two.")]
    assert [p.code for p in problems] == ["damaged"]
    assert "Page 1" in problems[0].message


def test_letters_without_meaning_are_no_text(domain: Path, pdf: MakePdf) -> None:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(pdf(domain / "plain.pdf", "A.", "B.")))
    name, number = pypdf.generic.NameObject, pypdf.generic.NumberObject
    fonts = pypdf.generic.DictionaryObject({name("/Font"): number(3)})
    writer.pages[1][name("/Resources")] = fonts
    writer.write(domain / "references" / "signs.pdf")
    passages, problems = read_references(domain)
    assert [p.where for p in passages] == ["p. 1"]
    assert [p.code for p in problems] == ["pages-without-text"]
    assert "Page 2 has no text" in problems[0].message


def test_empty_documents_are_warned_of(domain: Path, put: Put) -> None:
    put("a.md", "")
    put("b.txt", " \n\n")
    docx.Document().save(str(domain / "references" / "c.docx"))
    put("d.pdf", b"")
    passages, problems = read_references(domain)
    assert passages == []
    assert [(p.code, p.severity) for p in problems] == [("empty-document", "warning")] * 4


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("Größe\nPrämie".encode("cp1252"), "encoding"),
        ("Größe".encode("utf-16"), "encoding"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
        (b"text\nwith\0nul", "bad-character"),
    ],
)
def test_text_that_is_not_utf8(domain: Path, put: Put, content: bytes, code: str) -> None:
    put("a.md", content)
    put("b.html", content)
    _, problems = read_references(domain)
    assert [p.code for p in problems] == [code, code]


def test_a_huge_document_is_refused_unread(domain: Path) -> None:
    with (domain / "references" / "huge.pdf").open("wb") as file:
        file.truncate(200_000_000)
    assert only_problem(domain).code == "too-big"


@pytest.mark.parametrize("ending", ["docx", "xlsx", "pptx"])
def test_a_zip_bomb_is_not_unpacked(domain: Path, ending: str) -> None:
    path = domain / "references" / f"bomb.{ending}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", bytes(30_000_000))
    assert path.stat().st_size < 100_000
    assert only_problem(domain).code == "zip-bomb"


def test_links_and_pipes_lead_nowhere(domain: Path, put: Put, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.md").write_text("secret")
    put("real.md", "Real.")
    references = domain / "references"
    (references / "a.md").symlink_to(tmp_path / "secret.md")
    (references / "b").symlink_to(tmp_path / "outside")
    (references / "c.md").symlink_to("nowhere.md")
    (references / "d.md").symlink_to("real.md")
    (references / "e").symlink_to(references)
    os.mkfifo(references / "f.pdf")
    passages, problems = read_references(domain)
    assert [p.id for p in passages] == ["d.md#1", "real.md#1"]
    assert [(p.place.file, p.code) for p in problems] == [
        ("references/a.md", "outside-folder"),
        ("references/b", "outside-folder"),
        ("references/c.md", "broken-link"),
        ("references/e", "not-a-file"),
        ("references/f.pdf", "not-a-file"),
    ]


def test_references_itself_may_be_missing_but_no_link_or_file(tmp_path: Path) -> None:
    assert read_references(tmp_path) == ([], [])
    assert read_references(tmp_path / "nowhere") == ([], [])
    (tmp_path / "references").write_text("x")
    assert only_problem(tmp_path).code == "not-a-file"
    (tmp_path / "references").unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "references").symlink_to(tmp_path / "elsewhere")
    assert only_problem(tmp_path).code == "not-a-file"


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: step down, so that permissions count."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_what_may_not_be_read_is_named() -> None:
    place = Path(tempfile.mkdtemp())
    try:
        place.chmod(0o755)
        references = place / "references"
        (references / "closed").mkdir(parents=True)
        (references / "open.md").write_text("Open.")
        (references / "shut.md").write_text("Shut.")
        (references / "closed").chmod(0)
        (references / "shut.md").chmod(0)
        with as_nobody():
            passages, problems = read_references(place)
        assert [p.id for p in passages] == ["open.md#1"]
        assert [(p.place.file, p.code) for p in problems] == [
            ("references/closed", "no-permission"),
            ("references/shut.md", "no-permission"),
        ]
    finally:
        (place / "references" / "closed").chmod(0o755)
        shutil.rmtree(place)


def test_names_that_forge_lines_are_refused_and_editors_files_passed_over(
    domain: Path, put: Put
) -> None:
    put("a\nb.md", "x")
    for name in ("~$x.docx", ".~lock.x.docx#", ".DS_Store", "x.md~", "__MACOSX/x.md", "Thumbs.db"):
        put(name, "x")
    problem = only_problem(domain)
    assert problem.code == "file-name"
    assert "\n" not in str(problem)


def test_every_code_is_explained() -> None:
    assert set(get_args(Code)) <= set(CODES)
