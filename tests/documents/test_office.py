"""What is written opens in LibreOffice, and its pages say what was meant."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from harness.documents.export import Cited, Paper, export
from harness.documents.markdown import blocks_of
from harness.documents.redline import Revision, revise
from harness.documents.sheets import Sheet, xlsx_of
from harness.documents.word import docx_of
from tests.documents.conftest import MIXED

Pages = Callable[..., dict[str, list[str]]]


def test_libreoffice_opens_every_file_and_prints_what_was_meant(
    pages_of: Pages, word: bytes
) -> None:
    sheets = [
        Sheet(
            name="Rent",
            rows=(("Item", "Net", "VAT", "Gross"), ("Flat", "1,200.00", "19%", "=B2*(1+C2)")),
            formulas=True,
        )
    ]
    red = revise(
        "lease.docx",
        word,
        [
            Revision(old="three months' notice", new="six months' prior notice", comment="Six."),
            Revision(after="Rent is due monthly", new="Rent is indexed."),
        ],
        author="Ada Byron",
        date=datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC),
    )
    paper = Paper(
        title="Lease review",
        question="What notice?",
        text=MIXED,
        citations=(Cited(document="lease.pdf", where="p. 3", quote="six months", verified=True),),
        facts=(("Model", "baseline:nearest"),),
    )
    made = pages_of(
        mixed_docx=docx_of(blocks_of(MIXED), title="Lease", footer="At the foot"),
        rent_xlsx=xlsx_of(sheets)[0],
        red_docx=red.content,
        paper_docx=export(paper, "docx").content,
        paper2_xlsx=export(paper, "xlsx").content,
    )
    text = "\n".join(made["mixed.docx"])
    for words in ("Königsallee 14", "1. The rent is indexed.", "2. The deposit", "3,600.50"):
        assert words in " ".join(text.split()), words
    assert "At the foot" in text
    assert "1 / 1" in text
    assert "1428" in "".join(made["rent.xlsx"])
    marked = " ".join("".join(made["red.docx"]).split())
    assert "three" in marked  # struck words are printed, struck
    assert "six" in marked
    assert "prior" in marked
    assert "Rent is indexed." in marked
    answer = " ".join("\n".join(made["paper.docx"]).split())
    for words in (
        "What notice?",
        "Sources",
        "lease.pdf",
        "p. 3",
        "found there",
        "baseline:nearest",
    ):
        assert words in answer
    assert "Sources" not in made["paper2.xlsx"][0]
    assert any("lease.pdf" in page for page in made["paper2.xlsx"])
