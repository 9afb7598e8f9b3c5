"""The documents kit as a model meets it: calls by name, words back, files in the workspace."""

from __future__ import annotations

import base64
import io
from typing import Any

import docx
import openpyxl
import pytest
from pydantic import ValidationError

from harness.adapters.workspace_folder import FolderWorkspace
from harness.documents.markdown import blocks_of
from harness.documents.pages import pdf_of
from harness.documents.word import docx_of
from harness.errors import HarnessError, UsageError
from harness.tools import make_kit
from harness.tools.documents import MOST_CHARACTERS


class Kit:
    def __init__(self, workspace: FolderWorkspace) -> None:
        self.workspace = workspace
        self.tools = {one.name: one for one in make_kit(["documents"], workspace=workspace)}

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self.tools[name].invoke(arguments)

    def preview(self, tool: str, **arguments: Any) -> str:
        metadata = self.tools[tool].metadata
        assert metadata
        return str(metadata["preview"](arguments))


@pytest.fixture
def kit(workspace: FolderWorkspace) -> Kit:
    return Kit(workspace)


LEASE = docx_of(blocks_of("# Lease\n\nThe tenant pays monthly.\n\n## Notice\n\nThree months.\n"))


def test_tools_say_what_they_do_and_what_they_touch(kit: Kit) -> None:
    effects = {name: (tool.metadata or {})["effect"] for name, tool in kit.tools.items()}
    assert effects == {
        "read_document": "read",
        "search_document": "read",
        "look_at_pages": "read",
        "write_document": "draft",
        "write_spreadsheet": "draft",
        "revise_document": "draft",
    }
    for tool in kit.tools.values():
        schema = tool.tool_call_schema.model_json_schema()  # type: ignore[union-attr] # a model here
        assert all(one.get("description") for one in schema["properties"].values())
        assert "Args:" not in tool.description


def test_the_kit_needs_a_workspace() -> None:
    with pytest.raises(UsageError, match="needs a workspace"):
        make_kit(["documents"])


class TestReading:
    def test_a_document_says_what_it_is_and_where_all_stands(self, kit: Kit) -> None:
        kit.workspace.write("lease.docx", LEASE)
        text = kit.read_document(path="lease.docx")
        assert text.startswith("lease.docx: Word, 3 parts.\nContents:\n  Lease\n  Lease > Notice")
        assert "[Lease > Notice]\n## Notice\n\nThree months." in text
        assert kit.read_document(path="lease.docx", where="notice").startswith("[Lease > Notice]")

    def test_stretches_of_a_long_document_join_to_all_of_it(self, kit: Kit) -> None:
        parts = [f"# Part {n}\n\n" + f"Words {n}. " * 1_500 for n in range(6)]
        kit.workspace.write("long.md", "\n\n".join(parts).encode())
        assert _all_of(kit, "long.md").count("Words") == 9_000

    def test_one_part_that_is_too_long_comes_in_stretches(self, kit: Kit) -> None:
        kit.workspace.write("long.md", b"# One\n\n" + b"word " * 20_000)
        first = kit.read_document(path="long.md", where="One")
        assert len(first) < MOST_CHARACTERS + 200
        assert _all_of(kit, "long.md", where="One").count("word ") > 19_990

    def test_pages_go_on_by_number(self, kit: Kit) -> None:
        markdown = "\n\n".join(f"# Part {n}\n\n" + "Words of it. " * 800 for n in range(8))
        kit.workspace.write("long.pdf", pdf_of(blocks_of(markdown)))
        text = kit.read_document(path="long.pdf")
        assert "(it goes on with p. " in text.split("\n")[-1]
        assert "[p. 1]" in text
        assert _all_of(kit, "long.pdf").count("Words") == 6_400
        with pytest.raises(HarnessError, match="no more of it"):
            kit.read_document(path="long.pdf", skip=10**9)

    def test_searching_says_places(self, kit: Kit) -> None:
        kit.workspace.write("lease.docx", LEASE)
        assert kit.search_document(path="lease.docx", words="three MONTHS") == (
            "[Lease > Notice] ## Notice Three months."
        )
        nothing = kit.search_document(path="lease.docx", words="four")
        assert nothing == "'four' does not stand in lease.docx."

    def test_pages_can_be_seen(self, kit: Kit) -> None:
        kit.workspace.write("a.pdf", pdf_of(blocks_of("# Seen")))
        said, picture = kit.look_at_pages(path="a.pdf", pages="1")
        assert said == {"type": "text", "text": "a.pdf, p. 1:"}
        assert base64.b64decode(picture["base64"]).startswith(b"\x89PNG")
        for pages in ("0", "x", "2-1", "1-99"):
            with pytest.raises(HarnessError):
                kit.look_at_pages(path="a.pdf", pages=pages)


def _all_of(kit: Kit, path: str, where: str = "") -> str:
    """Read on as each answer says, to the end."""
    found, skip = "", 0
    for _ in range(50):
        text = str(kit.read_document(path=path, where=where, skip=skip))
        assert len(text) < MOST_CHARACTERS + 500
        body, cut, told = text.rpartition("\n… go on with ")
        found += body if cut else text
        if not cut:
            return found
        assert not where or f"where={where!r}" in told
        skip = int(told.split("skip=")[1].split(" ")[0])
    raise AssertionError("it never ends")


class TestWriting:
    @pytest.mark.parametrize("ending", ["docx", "pdf", "xlsx", "md"])
    def test_what_is_written_can_be_read(self, kit: Kit, ending: str) -> None:
        path = f"out/report.{ending}"
        markdown = "# Report\n\nAll is **well**.\n\n| a | b |\n|--|--|\n| 1 | two |\n"
        assert kit.write_document(path=path, markdown=markdown).startswith(f"{path} is written")
        text = kit.read_document(path=path)
        assert "well" in text
        assert "two" in text

    def test_a_file_that_was_not_seen_is_left_alone(self, kit: Kit) -> None:
        kit.workspace.write("a.docx", LEASE)
        with pytest.raises(HarnessError, match="have not read it"):
            kit.write_document(path="a.docx", markdown="# Mine")
        kit.read_document(path="a.docx")
        assert "is written" in kit.write_document(path="a.docx", markdown="# Mine")
        assert "is written" in kit.write_document(path="a.docx", markdown="# Mine again")

    def test_other_endings_and_nothing_are_refused(self, kit: Kit) -> None:
        for path, markdown in (("a.odt", "x"), ("a", "x"), ("a.pdf", "  ")):
            with pytest.raises(HarnessError):
                kit.write_document(path=path, markdown=markdown)
        with pytest.raises(HarnessError, match="has to end in"):
            kit.write_spreadsheet(path="a.csv", sheets=[{"name": "A", "rows": [["a"]]}])

    def test_characters_without_a_font_are_told(self, kit: Kit) -> None:
        assert "No font for" in kit.write_document(path="a.pdf", markdown="\U00013000")

    def test_spreadsheets_are_computed_and_failures_told(self, kit: Kit) -> None:
        rows = [["Item", "Net"], ["Flat", "1,200.00"], ["Sum", "=SUM(B2:B2)"], ["Bad", "=B2/0"]]
        said = kit.write_spreadsheet(path="a.xlsx", sheets=[{"name": "Rent", "rows": rows}])
        assert "These formulas fail: Rent!B4 is #DIV/0!." in said
        content = kit.workspace.read("a.xlsx")
        sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["Rent"]
        assert sheet["B3"].value == 1200
        shown = kit.preview(
            "write_spreadsheet", path="a.xlsx", sheets=[{"name": "A", "rows": rows}]
        )
        assert "Sum\t=SUM(B2:B2)" in shown

    def test_bare_numbers_in_a_spreadsheet_are_numbers(self, kit: Kit) -> None:
        rows = [["Item", 2025], ["Rent", 1200.5], ["Rest", 0.1 + 0.2], ["Due", None, True, -7]]
        kit.write_spreadsheet(path="a.xlsx", sheets=[{"name": "A", "rows": rows}])
        sheet = openpyxl.load_workbook(io.BytesIO(kit.workspace.read("a.xlsx")))["A"]
        assert [sheet[one].value for one in ("B2", "B3", "B4", "D4")] == [1200.5, 0.3, None, -7]
        assert kit.preview("write_spreadsheet", path="a.xlsx", sheets=[{"name": "A", "rows": rows}])
        with pytest.raises(ValidationError):
            kit.write_spreadsheet(path="b.xlsx", sheets=[{"name": "A", "rows": [[["no cell"]]]}])


class TestRevising:
    def test_changes_are_tracked_and_told(self, kit: Kit) -> None:
        kit.workspace.write("lease.docx", LEASE)
        changes = [
            {"old": "Three months", "new": "Six months", "comment": "Usual."},
            {"after": "The tenant pays", "new": "Rent is indexed."},
        ]
        said = kit.revise_document(path="lease.docx", changes=changes, save_as="lease-2.docx")
        assert "1. Three months → Six months" in said
        document = docx.Document(io.BytesIO(kit.workspace.read("lease-2.docx")))
        assert "w:ins " in document.element.xml
        assert 'w:author="Harness"' in document.element.xml
        assert kit.workspace.read("lease.docx") == LEASE

    def test_a_file_can_be_revised_where_it_is_twice(self, kit: Kit) -> None:
        kit.workspace.write("lease.docx", LEASE)
        kit.revise_document(path="lease.docx", changes=[{"old": "Three", "new": "Six"}])
        kit.revise_document(path="lease.docx", changes=[{"old": "monthly", "new": "yearly"}])
        text = kit.read_document(path="lease.docx")
        assert "Six months." in text
        assert "pays yearly." in text

    def test_the_change_is_shown_before_it_is_made(self, kit: Kit) -> None:
        shown = kit.preview(
            "revise_document",
            path="lease.docx",
            changes=[
                {"old": "Three", "new": "Six", "comment": "Usual."},
                {"after": "a", "new": "b"},
            ],
        )
        for line in ("- Three", "+ Six", "  comment: Usual.", "after “a”:", "+ b"):
            assert line in shown.split("\n"), line
        refused = kit.preview("revise_document", path="a.docx", changes=[{"olt": "x"}])
        assert "would be refused" in refused
        assert "Report" in kit.preview("write_document", path="a.md", markdown="# Report")
