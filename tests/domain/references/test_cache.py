"""A parse is kept for each content; nothing is fetched, and nothing heavy loaded too early."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from harness.domain.references import read_references
from harness.values import Passage

Put = Callable[[str, str | bytes], Path]
MakePdf = Callable[..., Path]


def read(domain: Path) -> list[Passage]:
    passages, problems = read_references(domain)
    assert problems == []
    return passages


def test_a_kept_parse_is_used_and_a_broken_one_mended(
    domain: Path, put: Put, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    put("a.md", "# Heading\n\nFirst text.")
    fresh = read_references(domain, cache=cache)
    (kept,) = cache.iterdir()
    content = json.loads(kept.read_text())
    content["passages"][0][0] = "From the cache."
    kept.write_text(json.dumps(content))
    assert read_references(domain, cache=cache)[0][0].text == "From the cache."
    for broken in (
        '{"passages": [["cut sh',
        "[]",
        '{"passages": [[1, 2, 3]], "findings": []}',
        "\xff",
        '{"passages": [], "findings": [["no-such-code", "x", 1]]}',
    ):
        kept.write_text(broken, encoding="latin-1")
        assert read_references(domain, cache=cache) == fresh
        assert json.loads(kept.read_text())["passages"][0][0] == "# Heading\n\nFirst text."
    put("a.md", "Second text.")
    assert read_references(domain, cache=cache)[0][0].text == "Second text."
    assert len(list(cache.iterdir())) == 2


def test_the_same_bytes_under_two_endings_are_two_parses(
    domain: Path, put: Put, tmp_path: Path
) -> None:
    put("a.md", "# A")
    put("b.txt", "# A")
    for _ in range(2):
        passages, _ = read_references(domain, cache=tmp_path / "cache")
        assert [p.where for p in passages] == ["A", ""]


def test_warnings_are_kept_and_errors_looked_at_anew(
    domain: Path, put: Put, tmp_path: Path
) -> None:
    put("a.md", "  ")
    put("b.pdf", b"%PDF-1.7 broken off")
    first = read_references(domain, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert read_references(domain, cache=tmp_path / "cache") == first


def test_a_cache_that_cant_be_written_costs_nothing_but_time(
    domain: Path, put: Put, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put("a.md", "Text.")
    (tmp_path / "cache").write_text("a file where the folder should be")
    passages, problems = read_references(domain, cache=tmp_path / "cache")
    assert (passages[0].text, problems) == ("Text.", [])
    assert "can't keep parsed documents" in caplog.text


def test_nothing_is_fetched(domain: Path, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a document made a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    put("a.html", "<p>x</p><img src='http://127.0.0.1:9/x.png'><link href='http://127.0.0.1:9/'>")
    document = docx.Document()
    document.add_paragraph("word")
    document.save(str(domain / "references" / "b.docx"))
    assert len(read(domain)) == 2


def test_importing_loads_no_library_for_documents() -> None:
    code = (
        "import sys, harness.domain.references; "
        "print(sorted({'markitdown', 'pypdf', 'openpyxl', 'pandas'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
