"""How long documents take: a PDF of 100 full pages read, beside its library; files written."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.documents.export import ExportFormat, Paper, export
from harness.documents.markdown import blocks_of
from harness.documents.pages import pdf_of
from harness.documents.reading import open_document
from harness.documents.search import search
from tests.benchmarks.material import Material
from tests.benchmarks.record import Record

__all__ = ["run"]

PAGES = 100
WORDS = 520  # a full page in the size of a contract
FORMATS: tuple[ExportFormat, ...] = ("docx", "pdf", "xlsx")


def run(material: Material, record: Record) -> None:
    """Measure one document, each step once: nobody reads one a hundred times."""
    pages = 5 if material.quick else PAGES
    text = _contract(pages)
    seconds, pdf = _timed(lambda: pdf_of(blocks_of(text), title="Contract"))
    record.add(f"write a PDF of about {pages} pages", seconds, "s")

    def read() -> int:
        document = open_document("contract.pdf", pdf)
        return sum(len(document.part(number).text) for number in range(len(document)))

    count = len(open_document("contract.pdf", pdf))
    seconds, characters = _timed(read)
    record.add(f"read {count} pages of a PDF", seconds, "s", at_most=5)
    bare, _ = _timed(lambda: _pypdf(pdf))
    record.add("the same, over pypdf alone", seconds / bare, "times")
    opened, _ = _timed(lambda: open_document("contract.pdf", pdf).part(count - 1))
    record.add("open it and read the last page", opened, "s")
    document = open_document("contract.pdf", pdf)
    seconds, _ = _timed(lambda: list(search(document, "no such words at all")))
    record.add("search all of it, nothing read before", seconds, "s")
    for form in FORMATS:
        paper = Paper(title="Contract", text=text)
        seconds, _ = _timed(lambda form=form, paper=paper: export(paper, form))
        record.add(f"export it to {form}", seconds, "s")
    record.note(f"{characters:,} characters of seeded words out of this repository's LICENSE.")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _pypdf(content: bytes) -> int:
    from pypdf import PdfReader

    return sum(len(page.extract_text()) for page in PdfReader(io.BytesIO(content)).pages)


def _contract(pages: int) -> str:
    """Return about so many pages of words, in clauses with headings."""
    chance = random.Random(0)
    text = (Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8")
    words = [word for word in text.split() if word.isalpha()]
    clauses = []
    for number in range(1, pages * 8 // 3 + 1):
        paragraphs = [" ".join(chance.choices(words, k=WORDS // 6)) + "." for _ in range(3)]
        clauses.append(f"## Clause {number}\n\n" + "\n\n".join(paragraphs))
    return "\n\n".join(clauses)
