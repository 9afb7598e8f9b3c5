"""Formulas worked out apart: what is refused, what gives up, what comes back."""

from __future__ import annotations

import io
import json
import sys
import warnings

import openpyxl
import pytest

from harness.documents import recalculate
from harness.documents.reading import open_document
from harness.documents.recalculate import results_of
from harness.documents.sheets import Sheet, xlsx_of
from tests.documents.conftest import saved


def workbook(**cells: object) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for name, value in cells.items():
        sheet[name] = value
    return saved(book)


def test_the_process_says_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in this process, where coverage sees it."""
    said = io.StringIO()
    monkeypatch.setattr(recalculate, "_limit", lambda: None)
    monkeypatch.setattr(sys, "stdout", said)
    for content, wanted in (
        (
            workbook(A1=2, A2="=A1*3", A3='=IF(A2>5,"high","low")', A4="=A1>1"),
            {"results": {"sheet": [[2, 1, 6], [3, 1, "high"], [4, 1, True]]}},
        ),
        (workbook(A1="=[1]A!B1"), {"why": "Sheet!A1 looks into another file."}),
        (b"nothing", {"why": "one of them is not understood (BadZipFile)."}),
    ):
        said.seek(0)
        said.truncate()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's own, as the process is told to
            recalculate._main()
        assert json.loads(said.getvalue()) == wanted


def test_too_many_and_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(A1="=1", A2="=2", A3="=3")))
    monkeypatch.setattr(recalculate, "MOST_FORMULAS", 2)
    with pytest.raises(recalculate._Refused, match="there are 3"):
        recalculate._formulas(book)
    monkeypatch.setattr(recalculate, "SECONDS", 0.01)
    assert "took longer" in results_of(workbook(A1="=1"))[1]


def test_a_process_that_dies_gives_no_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert results_of(b"") == ({}, "they could not be worked out here.")
    monkeypatch.setattr(sys, "executable", "/bin/echo")
    assert results_of(b"") == ({}, "they could not be worked out here.")


def test_values_as_json_has_them() -> None:
    import numpy as np

    values = [np.float64(2.5), np.bool_(True), float("nan"), "empty", "x"]
    assert [recalculate._plain(value) for value in values] == [2.5, True, None, None, "x"]


def test_without_the_library_results_are_missing_and_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert results_of(workbook(A1="=1")) == ({}, recalculate.ABSENT)
    made, note = xlsx_of([Sheet(name="S", rows=(("n", "twice"), ("2", "=A2*2")), formulas=True)])
    assert note.endswith("pip install 'domain-harness[formulas]'.")
    book = openpyxl.load_workbook(io.BytesIO(made), data_only=True)
    cell = book["S"]["B2"]
    assert (cell.value, cell.data_type) == (None, "n")
    assert openpyxl.load_workbook(io.BytesIO(made))["S"]["B2"].value == "=A2*2"
    document = open_document("a.xlsx", made)
    said = "\n".join([document.part(0).text, *document.notes])
    assert "? (=A2*2; " in said
    assert "pip install 'domain-harness[formulas]'" in said
