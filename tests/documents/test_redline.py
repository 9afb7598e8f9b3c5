"""Tracked changes: what the XML says, and what is left when they are refused or accepted."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from harness.documents.reading import open_document
from harness.documents.redline import Revision, revise
from harness.errors import DocumentError
from tests.documents.conftest import saved

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DATE = datetime.datetime(2026, 1, 2, 4, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))


def revised(content: bytes, *revisions: Revision, author: str = "Ada Byron") -> bytes:
    return revise("lease.docx", content, revisions, author=author, date=DATE).content


def body(content: bytes, part: str = "word/document.xml") -> Any:
    return etree.fromstring(zipfile.ZipFile(io.BytesIO(content)).read(part))


def accepted(content: bytes) -> list[str]:
    """Each paragraph when every change is accepted, as Word would leave them."""
    return _settled(content, gone="del", kept="ins")


def refused(content: bytes) -> list[str]:
    """Each paragraph when every change is refused."""
    return _settled(content, gone="ins", kept="del")


def _settled(content: bytes, *, gone: str, kept: str) -> list[str]:
    lines: list[str] = []
    open_ = ""
    for paragraph in body(content).iter(f"{W}p"):
        for element in paragraph.iter(f"{W}t", f"{W}delText", f"{W}tab"):
            if not any(above.tag == W + gone for above in element.iterancestors()):
                open_ += "\t" if element.tag == f"{W}tab" else element.text or ""
        if paragraph.find(f"{W}pPr/{W}rPr/{W}{gone}") is None:
            lines.append(open_)
            open_ = ""
    return lines


def marks(content: bytes) -> list[tuple[str, str, str, str]]:
    return [
        (
            one.tag.removeprefix(W),
            one.get(f"{W}author"),
            one.get(f"{W}date"),
            "".join(text.text or "" for text in one.iter(f"{W}t", f"{W}delText")),
        )
        for one in body(content).iter(f"{W}ins", f"{W}del")
    ]


def test_only_the_words_that_differ_are_marked_with_author_and_date(word: bytes) -> None:
    done = revised(
        word,
        Revision(
            old="three months' notice to the end of a quarter",
            new="six months' prior notice to the end of a calendar quarter",
        ),
    )
    who = ("Ada Byron", "2026-01-02T03:04:00Z")
    assert marks(done) == [
        ("del", *who, "three"),
        ("ins", *who, "six"),
        ("ins", *who, " prior"),
        ("ins", *who, "calendar "),
    ]
    assert "six months\u2019 prior notice to the end of a calendar quarter" in accepted(done)[1]
    assert refused(done) == refused(word)


def test_new_words_look_like_those_that_they_replace(word: bytes) -> None:
    done = revised(word, Revision(old="three months", new="six months"))
    (made,) = [one for one in body(done).iter(f"{W}ins") if one.find(f"{W}r") is not None]
    assert made.find(f"{W}r/{W}rPr/{W}b") is not None


def test_a_paragraph_can_be_struck_and_others_put_in(word: bytes) -> None:
    done = revised(
        word,
        Revision(old="The landlord may inspect at any time.", new=""),
        Revision(after="Rent is due", new="Rent is indexed.\nIt never falls."),
    )
    lines = accepted(done)
    at = lines.index("Rent is due monthly.")
    assert lines[at + 1 : at + 3] == ["Rent is indexed.", "It never falls."]
    assert not any("inspect" in line for line in lines)
    assert refused(done) == refused(word)


def test_a_table_and_the_header_can_be_revised(word: bytes) -> None:
    done = revised(word, Revision(old="wide", new="broad"), Revision(old="of May", new="of June"))
    assert "broad" in accepted(done)
    (header,) = [n for n in zipfile.ZipFile(io.BytesIO(done)).namelist() if "header1" in n]
    texts = [one.text for one in body(done, header).iter(f"{W}t", f"{W}delText")]
    assert texts == ["DRAFT of ", "May", "June"]


NOTES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:footnotes xmlns:w="'
    + W[1:-1]
    + '"><w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:t>of May</w:t></w:r></w:p>'
    '</w:footnote><w:footnote w:id="1"><w:p><w:r><w:footnoteRef/></w:r>'
    "<w:r><w:t>Payable at the bank.</w:t></w:r></w:p></w:footnote></w:footnotes>"
)


@pytest.fixture
def noted() -> bytes:
    document = docx.Document()
    document.add_paragraph("Rent is due monthly.")
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    name = PackURI("/word/footnotes.xml")
    part = Part(name, kind, NOTES.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    return saved(document)


def test_a_footnote_is_revised_like_the_text(noted: bytes) -> None:
    done = revised(
        noted, Revision(old="at the bank", new="at the court"), Revision(old="monthly", new="daily")
    )
    (struck,) = body(done, "word/footnotes.xml").iter(f"{W}del")
    (put,) = body(done, "word/footnotes.xml").iter(f"{W}ins")
    assert [(one.get(f"{W}author"), one.get(f"{W}date")) for one in (struck, put)] == [
        ("Ada Byron", "2026-01-02T03:04:00Z")
    ] * 2
    assert struck.findtext(f"{W}r/{W}delText") == "bank"
    assert put.findtext(f"{W}r/{W}t") == "court"
    numbers = [mark.get(f"{W}id") for root in (body(done), struck.getroottree().getroot())
               for mark in root.iter(f"{W}ins", f"{W}del")]  # fmt: skip
    assert len(set(numbers)) == 4, "Word wants each change to have a number of its own"
    read = open_document("a.docx", done)
    text = "\n".join(read.part(number).text for number in range(len(read)))
    assert "Payable at the court." in text


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        (Revision(old="Payable at the bank.", new=""), "A whole note goes with its mark"),
        (Revision(old="Payable", new="Due", comment="why"), "footers and notes"),
        (Revision(old="of May", new="x"), "does not stand in one paragraph"),
    ],
)
def test_what_word_has_not_in_notes_is_said(noted: bytes, revision: Revision, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        revised(noted, revision)


def test_comments_say_who_and_stand_beside_the_change(word: bytes) -> None:
    done = revised(word, Revision(old="EUR 3,600", new="EUR 3,900", comment="Index."))
    document = docx.Document(io.BytesIO(done))
    assert [(one.author, one.text) for one in document.comments][-1] == ("Ada Byron", "Index.")
    for tag in ("commentRangeStart", "commentRangeEnd"):
        assert all(one.getparent().tag == f"{W}p" for one in body(done).iter(W + tag)), (
            "refusing the change would take the comment along"
        )


def test_words_can_be_commented_and_left_as_they_are(word: bytes) -> None:
    done = revised(word, Revision(old="in writing", comment="Does e-mail do?"))
    assert marks(done) == []
    read = open_document("a.docx", done)
    text = "\n".join(read.part(number).text for number in range(len(read)))
    assert "on “in writing”: Does e-mail do?" in text


def test_a_second_author_revises_what_the_first_put_in(word: bytes) -> None:
    first = revised(word, Revision(old="three months", new="six months"))
    second = revised(first, Revision(old="six months", new="nine months"), author="Bob")
    assert "nine months\u2019" in accepted(second)[1]
    assert {author for _, author, _, _ in marks(second)} == {"Ada Byron", "Bob"}
    ids = [one.get(f"{W}id") for one in body(second).iter(f"{W}ins", f"{W}del")]
    assert len(ids) == len(set(ids))


def test_everywhere_changes_every_place(word: bytes) -> None:
    done = revise(
        "a.docx", word, [Revision(old="r2", new="row2-", everywhere=True)], author="A", date=DATE
    )
    assert done.done == ("r2 → row2- (2 times)",)


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        (Revision(old="two months of notice by the tenant", new="x"), "The nearest paragraph is"),
        (Revision(old="r1", new="x"), "stands there 2 times"),
        (Revision(old="in writing", new="in writing"), "are the same"),
        (Revision(old="", new="x"), "`old` is empty"),
        (Revision(old="in writing", new="a\nb"), "several lines"),
        (Revision(after="Rent is", new=" "), "the paragraphs to put in"),
        (Revision(old="DRAFT", new="x", comment="why"), "no comments in headers"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_done(
    word: bytes, revision: Revision, says: str
) -> None:
    with pytest.raises(DocumentError, match="left as it is") as error:
        revised(word, Revision(old="monthly", new="yearly"), revision)
    assert "Change 2" in str(error.value)
    assert says in str(error.value)


def test_only_word_files_can_be_revised(pdf: bytes, word: bytes) -> None:
    with pytest.raises(DocumentError, match="only a Word file"):
        revised(pdf, Revision(old="a", new="b"))
    with pytest.raises(DocumentError, match="No change"):
        revise("a.docx", word, [], author="A", date=DATE)


words_ = st.lists(st.sampled_from(["the", "tenant", "may", "not", "1,200", "pay;", "“rent”", "é"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs=st.lists(words_, min_size=1, max_size=4), new=words_, data=st.data())
def test_any_change_can_be_accepted_and_refused(
    runs: list[list[str]], new: list[str], data: st.DataObject
) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph()
    for number, run in enumerate(runs):
        paragraph.add_run(" ".join([*run, ""])).bold = bool(number % 2)
    text = paragraph.text
    if not text.strip():
        return
    start = data.draw(st.integers(0, len(text) - 1))
    old = text[start : data.draw(st.integers(start + 1, len(text)))].strip()
    wanted = " ".join(new)
    if not old or text.count(old) != 1 or old == wanted or "“" in old or "”" in old:
        return
    done = revised(saved(document), Revision(old=old, new=wanted))
    assert refused(done)[0] == text
    assert "".join(accepted(done)).split() == text.replace(old, wanted).split()
