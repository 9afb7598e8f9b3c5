"""One row an item, from CSV and Excel alike."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from harness.domain.excel import shown


def places(found) -> list[tuple[str, str]]:
    return [(str(one.place), one.code) for one in found]


# --- CSV -------------------------------------------------------------------------------------


def test_lines_are_those_of_the_file_also_with_line_breaks_in_cells(domain) -> None:
    text = 'id,input,output\r\n1,"two\r\nlines, a ""quote""",x\r\n\r\n2,y,z\r\n'
    read = domain({"examples/a.csv": text})
    assert [(one.input, one.place.line) for one in read.examples] == [
        ('two\r\nlines, a "quote"', 2),
        ("y", 5),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_that_of_the_first_row(domain, delimiter: str) -> None:
    rows = [["id", "input", "output", "tags"], ["1", "a,b;c\td", "x", "t;u"]]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    (example,) = domain({"examples/a.csv": stream.getvalue()}).examples
    assert example.input == "a,b;c\td"
    assert example.tags == ("t", "u")


def test_list_fields_are_split_and_others_are_not(domain) -> None:
    read = domain({"examples/a.csv": "id,input,output,steps,tags\n1,a;b,c;d,one ; two;,\n"})
    (example,) = read.examples
    assert (example.input, example.output, example.steps, example.tags) == (
        "a;b",
        "c;d",
        ("one", "two"),
        (),
    )


def test_columns_are_checked_once_a_table(problems) -> None:
    found = problems({"examples/a.csv": "id,inpt,output,output,cheks\n" + "1,a,b,c,d\n" * 50})
    assert places(found) == [
        ("examples/a.csv:1:1", "missing-column"),
        ("examples/a.csv:1:2", "unknown-column"),
        ("examples/a.csv:1:4", "duplicate-key"),
        ("examples/a.csv:1:5", "unknown-column"),
    ]
    assert "Did you mean `input`?" in found[1].message
    assert "`input`" in found[0].message


def test_rows_that_are_off(problems) -> None:
    found = problems(
        {
            "examples/a.csv": "id,input,output,\n1,a,b,\n2,a2,b,x\n3,a3,b,,y\n4,,b,\n,a5,b\n6,a6\n",
            "evals/dev.csv": "id,input,expected,repeat\n1d,q,x,two\n2d,q,,\n3d,q, ,\n",
        }
    )
    assert places(found) == [
        ("evals/dev.csv:2:4", "bad-value"),
        ("evals/dev.csv:3:1", "nothing-to-check"),
        ("evals/dev.csv:4:3", "empty-field"),
        ("examples/a.csv:3:1", "extra-cells"),
        ("examples/a.csv:4:1", "extra-cells"),
        ("examples/a.csv:5:2", "empty-field"),
        ("examples/a.csv:6:1", "empty-field"),
        ("examples/a.csv:7:3", "empty-field"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('id,input,output\n1,a,b\n2,"open,b\n3,c,d\n', 3, "never closed"),
        ('id,input,output\n1,"a"b,c\n', 2, "closing quotation mark"),
    ],
)
def test_quotation_marks_that_break_a_table(problems, text: str, line: int, words: str) -> None:
    (problem,) = problems({"examples/a.csv": text})
    assert (problem.code, problem.place.line) == ("csv-syntax", line)
    assert words in problem.message


def test_a_cell_of_a_megabyte_works_and_is_mentioned(domain, problems) -> None:
    files = {"examples/a.csv": "id,input,output\n1," + "word " * 250_000 + ",b\n"}
    assert len(domain(files).examples[0].input) == 1_250_000
    assert [(one.code, one.severity) for one in problems(files)] == [("long-item", "warning")]


def test_checks_in_columns(domain, problems) -> None:
    text = (
        "id,input,expected,check:number,check:contains_all,check:exact,check:json\n"
        '1,q,5,4..6,a; b,yes,"{""type"": ""object""}"\n2,q,5,±,,,\n3,q,,10 ± 5 %,,,\n4,q,x,,,,{\n'
    )
    read = domain({"evals/dev.csv": text})
    assert [[(one.grader, one.spec) for one in case.checks] for case in read.cases] == [
        [
            ("number", {"low": "4", "high": "6"}),
            ("contains_all", ("a", "b")),
            ("exact", "yes"),
            ("json", {"type": "object"}),
        ],
        [("number", "±")],
        [("number", {"value": "10", "within": "5 %"})],
    ]
    assert str(read.cases[0].checks[0].place) == "evals/dev.csv:2:4"
    assert places(problems({"evals/dev.csv": text})) == [
        ("evals/dev.csv:3:4", "not-a-number"),
        ("evals/dev.csv:5:7", "bad-json"),
    ]


def test_columns_of_checks_that_are_not_known(problems) -> None:
    found = problems(
        {
            "evals/dev.csv": "id,input,check:numbr,checks\n1,q,5,x\n",
            "examples/a.csv": "id,input,output,check:exact\n1,q,5,x\n",
        }
    )
    assert places(found) == [
        ("evals/dev.csv:1:3", "unknown-grader"),
        ("evals/dev.csv:1:4", "unknown-column"),
        ("examples/a.csv:1:4", "unknown-column"),
    ]
    assert "`number`" in found[0].message
    assert "check:number" in found[1].message


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
def test_every_text_comes_back_exactly(domain, rows: list[tuple[str, str]]) -> None:
    rows = [(one + "x", other + "y") for one, other in rows]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["id", "input", "output"])
    writer.writerows((f"i{number}", *row) for number, row in enumerate(rows))
    read = domain({"examples/a.csv": stream.getvalue()})
    assert read.errors == ()
    assert [(one.input, one.output) for one in read.examples] == rows


# --- Excel -----------------------------------------------------------------------------------


def workbook(*sheets: tuple[str, list[list[Any]]]) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return book


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


HEAD = ["id", "input", "output"]


def test_cells_are_the_text_that_excel_shows(domain) -> None:
    day = datetime.datetime(2024, 1, 2)  # noqa: DTZ001 - Excel's dates have no zone
    book = workbook(
        (
            "items",
            [[*HEAD, "date", "tags"], [7, 1.1, True, day, "a; b"], [], ["x", 0.5, 12, None, None]],
        )
    )
    sheet = book["items"]
    sheet["A2"].number_format = "000"
    sheet["B4"].number_format = "0%"
    sheet.add_data_validation(DataValidation(type="list", formula1='"a,b"'))
    first, second = domain({"examples/a.xlsx": saved(book)}).examples
    assert (first.id, first.input, first.output, first.date, first.tags) == (
        "007",
        "1.1",
        "TRUE",
        "2024-01-02",
        ("a", "b"),
    )
    assert (second.id, second.input, second.output, second.place.line) == ("x", "50%", "12", 4)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1e21, "General", "1000000000000000000000"),
        (1.1, "0.00", "1.10"),
        (1.239, "0.0", "1.239"),
        (-1.5, "0.00", "-1.50"),
        (0.055, "0%", "5.5%"),
        (1200, "#,##0", "1200"),
        (42, "00000", "00042"),
        (42, '"EUR" 0', "42"),
        (datetime.datetime(2024, 1, 2, 9, 30), "", "2024-01-02 09:30:00"),  # noqa: DTZ001
        (datetime.time(9, 30), "", "09:30:00"),
        (None, "", ""),
        ("no", "@", "no"),
    ],
)
def test_how_values_are_shown(value: object, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


def test_sheets_that_are_not_hidden_are_all_read(domain, problems) -> None:
    book = workbook(
        ("one", [HEAD, ["1", "a", "b"]]),
        ("empty", []),
        ("two", [HEAD, ["2", "c", "d"]]),
        ("notes", [["anything"]]),
    )
    book["notes"].sheet_state = "hidden"
    files = {"examples/a.xlsx": saved(book)}
    assert [one.id for one in domain(files).examples] == ["1", "2"]
    assert problems(files) == ()
    book["notes"].sheet_state = "visible"
    (note,) = problems({"examples/a.xlsx": saved(book)})
    assert (note.code, note.severity) == ("not-read", "warning")
    assert "`notes`" in note.message
    book["two"]["A1"], book["two"]["B1"] = "Id", "anything"  # meant as a table all the same
    found = problems({"examples/a.xlsx": saved(book)})
    assert [one.code for one in found if one.severity == "error"] == [
        *("missing-column", "unknown-column", "unknown-column")
    ]
    assert all("(sheet `two`)" in one.message for one in found if one.severity == "error")


def test_a_table_that_lacks_several_columns(problems) -> None:
    (problem,) = problems({"examples/a.csv": "why\nbecause\n"})
    assert "lacks the columns `id`, `input` and `output`. Add them to" in problem.message


def with_cells(data: bytes, cells: dict[str, str]) -> bytes:
    """The workbook with the XML of some cells put in place of what openpyxl writes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            part = old.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                for cell, content in cells.items():
                    part, count = re.subn(f'<c r="{cell}"[^>]*>.*?</c>', content, part)
                    assert count == 1
            new.writestr(name, part)
    return stream.getvalue()


def test_formulas_count_with_their_stored_results(domain, problems) -> None:
    plain = saved(workbook(("s", [[*HEAD, "why"], ["1", "a", "=1+1", '=IF(1,"","x")']])))
    two = '<c r="C2"><f>1+1</f><v>2</v></c>'
    empty = '<c r="D2" t="str"><f>IF(1,"","x")</f><v></v></c>'
    failed = '<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    (example,) = domain({"examples/a.xlsx": with_cells(plain, {"C2": two, "D2": empty})}).examples
    assert (example.output, example.why) == ("2", "")
    (problem,) = problems({"examples/a.xlsx": with_cells(plain, {"C2": failed, "D2": empty})})
    assert (str(problem.place), problem.code) == ("examples/a.xlsx:2:3", "formula-without-value")
    assert "C2" in problem.message
    assert "#DIV/0!" in problem.message


def test_a_formula_that_was_never_calculated_names_its_cell(problems) -> None:
    (problem,) = problems({"examples/a.xlsx": saved(workbook(("s", [HEAD, ["1", "a", "=1+1"]])))})
    assert (str(problem.place), problem.code) == ("examples/a.xlsx:2:3", "formula-without-value")
    assert "C2" in problem.message


def test_a_formula_without_result_hides_no_other_mistake(problems) -> None:
    rows = [[*HEAD, "why"], ["1", "a", "=1+1", ""], ["2", "b", "", ""], ["", "c", "", "x"]]
    book = workbook(("s", rows), ("t", [HEAD, ["4", "=1+1", "d"], ["5", "", "e"]]))
    found = problems({"examples/a.xlsx": saved(book)})
    assert [(str(one.place), one.code) for one in found] == [
        ("examples/a.xlsx:2:2", "formula-without-value"),
        ("examples/a.xlsx:2:3", "formula-without-value"),
        ("examples/a.xlsx:3:2", "empty-field"),
        ("examples/a.xlsx:3:3", "empty-field"),
        ("examples/a.xlsx:4:1", "empty-field"),
        ("examples/a.xlsx:4:3", "empty-field"),
    ]
    assert "(sheet `t`)" in found[0].message


def test_workbooks_that_are_none(problems) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("xl/workbook.xml", b"")
        archive.getinfo("xl/workbook.xml").file_size = 2**30
    found = problems(
        {
            "examples/bomb.xlsx": bomb.getvalue(),
            "examples/cut.xlsx": saved(workbook(("s", [HEAD])))[:-40],
            "examples/locked.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "examples/other.xlsx": _zip({"a.txt": b"x"}),
            "examples/text.xlsx": "id,input,output\n",
        }
    )
    assert [(one.place.file, one.code) for one in found] == [
        ("examples/bomb.xlsx", "zip-bomb"),
        ("examples/cut.xlsx", "damaged"),
        ("examples/locked.xlsx", "password"),
        ("examples/other.xlsx", "damaged"),
        ("examples/text.xlsx", "damaged"),
    ]


def _zip(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()
