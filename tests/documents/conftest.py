"""Files of many kinds, made on the spot, and LibreOffice to open what is written."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable

import docx
import pytest
from pypdf import PdfReader

from harness.documents.markdown import blocks_of
from harness.documents.pages import pdf_of

MIXED = """# Lease review: Königsallee 14

The tenant may **terminate** on *three months'* notice, see [the clause](https://example.com/c).
It was ~~two~~ three months; see `§ 4.2`.

## Findings

1. The rent is indexed.
   - by the consumer price index
2. The deposit is held in escrow.

| Clause | What it says | Amount |
|:--|:--|--:|
| 4.2 | Termination | 1,200.00 |
| 7 | Deposit | 3,600.50 |

> Notice is given when it is received.

שלום עולם, חוזה שכירות

عقد الإيجار لمدة سنة

中文合同 日本語の契約 한국어 계약

```
rent = 1200 * 1.02
```
"""


@pytest.fixture(scope="session")
def word() -> bytes:
    """A lease as a lawyer's office has it: styles, a table with merged cells, notes aside."""
    document = docx.Document()
    document.core_properties.title = "Lease"
    document.add_heading("Lease", 1)
    paragraph = document.add_paragraph("The tenant may terminate on ")
    paragraph.add_run("three months\u2019").bold = True
    paragraph.add_run(" notice to the end of a quarter, in writing.")
    document.add_heading("Rent", 2)
    document.add_paragraph("Rent is due monthly.", style="List Number")
    document.add_paragraph("The landlord may inspect at any time.", style="List Number")
    table = document.add_table(3, 3)
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"r{row}c{column}"
    wide = table.cell(0, 0).merge(table.cell(0, 1))
    wide.text = "wide"
    tall = table.cell(1, 2).merge(table.cell(2, 2))
    tall.text = "tall"
    document.add_paragraph("Deposit: EUR 3,600.")
    document.sections[0].header.paragraphs[0].text = "DRAFT of May"
    document.add_comment(paragraph.runs[1], "Is this usual?", author="Ann Lee")
    return saved(document)


def saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]  # of python-docx or openpyxl
    return out.getvalue()


@pytest.fixture(scope="session")
def pdf() -> bytes:
    """Three pages with bookmarks."""
    pages = [f"# Part {number}\n\n" + f"Words of part {number}. " * 300 for number in (1, 2, 3)]
    return pdf_of(blocks_of("\n\n".join(pages)), title="Three parts")


@pytest.fixture(scope="session")
def pages_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, list[str]]]:
    """Opens files in LibreOffice, and returns the text of each page that it prints, by name."""
    program = shutil.which("soffice")
    if program is None:
        message = "LibreOffice is absent: apt-get install libreoffice-writer libreoffice-calc"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("office")

    def convert(**files: bytes) -> dict[str, list[str]]:
        paths = []
        for name, content in files.items():
            stem, _, ending = name.rpartition("_")
            paths.append(folder / f"{stem}.{ending}")
            paths[-1].write_bytes(content)
        command = [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
        subprocess.run(
            [*command, "--convert-to", "pdf", "--outdir", str(folder / "out"), *map(str, paths)],
            check=True,
            capture_output=True,
            timeout=120,
        )
        return {
            path.name: [
                page.extract_text() for page in PdfReader(folder / "out" / f"{path.stem}.pdf").pages
            ]
            for path in paths
        }

    return convert


def _packed(out: io.BytesIO) -> zipfile.ZipFile:
    return zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)


def replaced(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A package with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, _packed(out) as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry.filename, change(data) if entry.filename == name else data)
    return out.getvalue()
