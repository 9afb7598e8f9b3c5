"""A domain folder with a place for documents, and a maker of small PDFs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fpdf import FPDF


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    (tmp_path / "domain" / "references").mkdir(parents=True)
    return tmp_path / "domain"


@pytest.fixture
def put(domain: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = domain / "references" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def pdf() -> Callable[..., Path]:
    def make(path: Path, *pages: str) -> Path:
        document = FPDF()
        document.set_font("helvetica", size=11)
        for page in pages:
            document.add_page()
            if page:
                document.multi_cell(0, 6, page)
        document.output(str(path))
        return path

    return make
