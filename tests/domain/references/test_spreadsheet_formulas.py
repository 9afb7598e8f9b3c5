"""Formulas in spreadsheets count with the result that was saved."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl

from harness.domain.references import read_references
from harness.values import Passage

Put = Callable[[str, str | bytes], Path]
MakePdf = Callable[..., Path]


def read(domain: Path) -> list[Passage]:
    passages, problems = read_references(domain)
    assert problems == []
    return passages


def formulas(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Sums"
    book.active.append(["Item", "Cost"])
    for row in range(2, 9):
        book.active.append(["x", f"=1+{row}"])
    book.save(path)


def with_results(path: Path, result: str) -> None:
    """Put a result beside each formula, as Excel does when it saves."""
    with zipfile.ZipFile(path) as package:
        entries = {name: package.read(name) for name in package.namelist()}
    sheet = entries["xl/worksheets/sheet1.xml"].decode()
    sheet, count = re.subn(r"<c ([^>]*)>(<f>[^<]*</f>)<v ?/?>(</v>)?", result, sheet)
    assert count == 7
    entries["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, data in entries.items():
            package.writestr(name, data)


def test_formulas_need_their_results(domain: Path) -> None:
    path = domain / "references" / "sums.xlsx"
    formulas(path)
    _, problems = read_references(domain)
    assert [p.code for p in problems] == ["formula-without-value"]
    assert "Sheet Sums, cells B2, B3, B4, B5, B6 and 2 more" in problems[0].message
    assert problems[0].place.line == 2
    with_results(path, r"<c \1>\2<v>42</v>")
    assert "| x | 42 |" in read(domain)[0].text


def test_a_formula_may_result_in_nothing(domain: Path) -> None:
    path = domain / "references" / "sums.xlsx"
    formulas(path)
    with_results(path, r'<c \1 t="str">\2<v></v>')
    assert "| x |  |" in read(domain)[0].text
