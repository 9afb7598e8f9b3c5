"""The files kit as a model meets it: calls by name, words back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.adapters.workspace_folder import FolderWorkspace
from harness.errors import HarnessError, UsageError
from harness.tools import make_kit


class Kit:
    def __init__(self, workspace: FolderWorkspace) -> None:
        self.workspace = workspace
        self.tools = {one.name: one for one in make_kit(["files"], workspace=workspace)}

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self.tools[name].invoke(arguments)

    def preview(self, tool: str, **arguments: Any) -> str:
        metadata = self.tools[tool].metadata
        assert metadata
        return str(metadata["preview"](arguments))


@pytest.fixture
def kit(workspace: FolderWorkspace) -> Kit:
    return Kit(workspace)


def test_tools_say_what_they_do_and_what_they_touch(kit: Kit) -> None:
    effects = {name: (tool.metadata or {})["effect"] for name, tool in kit.tools.items()}
    assert effects == {
        "list_files": "read",
        "read_file": "read",
        "search_files": "read",
        "write_file": "draft",
        "edit_file": "draft",
    }
    for tool in kit.tools.values():
        schema = tool.tool_call_schema.model_json_schema()  # type: ignore[union-attr] # a model here
        assert all(one.get("description") for one in schema["properties"].values())
        assert "Args:" not in tool.description


class TestReading:
    def test_a_file_comes_with_its_lines_counted(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"one\ntwo\nthree\n")
        assert kit.read_file(path="a.md") == "a.md, lines 1 to 3 of 3:\none\ntwo\nthree"
        part = kit.read_file(path="a.md", start=2, lines=1)
        assert part == "a.md, lines 2 to 2 of 3; go on with start=3:\ntwo"

    def test_a_long_file_comes_in_stretches_that_join_to_all_of_it(self, kit: Kit) -> None:
        lines = [f"line {number} {'x' * 90}" for number in range(2_000)]
        kit.workspace.write("long.txt", "\n".join(lines).encode())
        got: list[str] = []
        while len(got) < len(lines):
            text = kit.read_file(path="long.txt", start=len(got) + 1, lines=2_000)
            assert len(text) < 31_000
            got += text.split("\n")[1:]
        assert got == lines

    def test_one_endless_line_is_cut_and_says_so(self, kit: Kit) -> None:
        kit.workspace.write("a.json", b"x" * 1_000_000)
        text = kit.read_file(path="a.json")
        assert len(text) < 31_000
        assert "1,000,000 characters" in text

    def test_a_word_file_comes_as_its_text(self, kit: Kit) -> None:
        document = Document()
        document.add_heading("Term", 1)
        document.add_paragraph("The agreement ends on 31 March.")
        document.save(str(kit.workspace.root / "terms.docx"))
        assert "The agreement ends on 31 March." in kit.read_file(path="terms.docx")
        assert "terms.docx:" in kit.search_files(pattern="31 march")

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("a.bin", bytes(range(256)) * 10, "not text"),
            ("a.txt", "naïve".encode("latin-1"), "UTF-8"),
            ("a.pdf", b"%PDF-1.4 nothing", "can't be read"),
            ("a.docx", b"PK\x03\x04nothing", "damaged"),
        ],
    )
    def test_what_is_no_text_is_said(self, kit: Kit, name: str, content: bytes, words: str) -> None:
        kit.workspace.write(name, content)
        with pytest.raises(HarnessError, match=words):
            kit.read_file(path=name)

    def test_lines_that_are_not_there(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"one\n")
        kit.workspace.write("empty.md", b"")
        assert kit.read_file(path="empty.md") == "empty.md is empty."
        with pytest.raises(HarnessError, match="has 1 lines"):
            kit.read_file(path="a.md", start=5)
        with pytest.raises(HarnessError, match="count from 1"):
            kit.read_file(path="a.md", start=0)

    def test_the_list_names_folders_and_oddities(self, kit: Kit, tmp_path: Path) -> None:
        assert kit.list_files() == "The workspace is empty."
        kit.workspace.write("a/b.md", b"12345")
        kit.workspace.write("ab.md", b"")
        (kit.workspace.root / "out").symlink_to(tmp_path)
        assert kit.list_files(path="a").startswith("a/b.md  5 bytes")
        assert "ab.md" not in kit.list_files(path="a/")
        assert "`out` is a link" in kit.list_files()
        with pytest.raises(HarnessError, match="no file or folder"):
            kit.list_files(path="c")


class TestSearching:
    def test_text_is_found_word_for_word(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"Fee (1.5 %)\nfee 115\n")
        assert kit.search_files(pattern="FEE (1.5") == "a.md:1: Fee (1.5 %)"
        assert kit.search_files(pattern=r"fee\s\d+$", regex=True) == "a.md:2: fee 115"
        assert kit.search_files(pattern="none") == "No line matches."

    def test_a_pattern_that_would_take_for_ever_is_stopped(
        self, kit: Kit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("harness.tools.files.SEARCH_SECONDS", 0.2)
        kit.workspace.write("a.md", b"a" * 5_000 + b"!")
        with pytest.raises(HarnessError, match="took too long"):
            kit.search_files(pattern=r"(.*a){30}b$|(a|aa)+b$", regex=True)

    @pytest.mark.parametrize("pattern", ["", "  ", "x" * 2_000])
    def test_patterns_that_are_none(self, kit: Kit, pattern: str) -> None:
        with pytest.raises(HarnessError, match="pattern"):
            kit.search_files(pattern=pattern)

    def test_a_broken_expression_is_said(self, kit: Kit) -> None:
        with pytest.raises(HarnessError, match="no regular expression"):
            kit.search_files(pattern="(a", regex=True)

    def test_much_is_bounded_and_long_lines_show_the_match(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"hit\n" * 5_000)
        assert "more than 100 lines" in kit.search_files(pattern="hit")
        kit.workspace.write("b.md", b"x" * 5_000 + b"needle" + b"y" * 5_000)
        found = kit.search_files(pattern="needle", path="b.md")
        assert "needle" in found
        assert len(found) < 400

    def test_a_file_that_is_no_text_hides_no_other(self, kit: Kit) -> None:
        kit.workspace.write("a.bin", bytes(range(256)) * 10)
        kit.workspace.write("b.md", b"needle")
        found = kit.search_files(pattern="needle")
        assert "b.md:1: needle" in found
        assert "a.bin was not searched" in found


class TestWriting:
    def test_a_new_file_is_written_and_may_be_written_again(self, kit: Kit) -> None:
        assert "new file" in kit.write_file(path="d/a.md", text="one")
        assert "3 bytes before, 5 now" in kit.write_file(path="d/a.md", text="three")
        assert kit.workspace.read("d/a.md") == b"three"

    def test_what_was_not_read_is_not_overwritten(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"theirs")
        with pytest.raises(HarnessError, match="have not read it"):
            kit.write_file(path="a.md", text="mine")
        with pytest.raises(HarnessError, match="have not read it"):
            kit.edit_file(path="a.md", old="theirs", new="mine")
        kit.read_file(path="a.md")
        kit.workspace.write("a.md", b"theirs, newer")
        with pytest.raises(HarnessError, match="changed since"):
            kit.write_file(path="a.md", text="mine")
        assert kit.workspace.read("a.md") == b"theirs, newer"
        kit.read_file(path="a.md")
        kit.write_file(path="a.md", text="mine")
        assert kit.workspace.read("a.md") == b"mine"

    def test_to_write_the_same_once_more_is_done_already(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"text")  # as after a crash: written, not marked as known
        assert "already says that" in kit.write_file(path="a.md", text="text")

    def test_an_edit_changes_only_its_stretch(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"\xef\xbb\xbfone\r\ntwo\r\n")
        kit.read_file(path="a.md")
        kit.edit_file(path="a.md", old="one\ntwo", new="1\n2")
        assert kit.workspace.read("a.md") == b"\xef\xbb\xbf1\r\n2\r\n"

    def test_an_edit_that_is_not_clear_is_refused_with_a_hint(self, kit: Kit) -> None:
        kit.workspace.write("a.md", b"The fee is 5 %.\nThe fee is 5 %.\n")
        kit.read_file(path="a.md")
        with pytest.raises(HarnessError, match="2 times, not 1"):
            kit.edit_file(path="a.md", old="5 %", new="6 %")
        with pytest.raises(HarnessError, match=r"nearest line is: 'The fee is 5 %\.'"):
            kit.edit_file(path="a.md", old="The fees is 5 %.", new="x")
        with pytest.raises(HarnessError, match="empty"):
            kit.edit_file(path="a.md", old="", new="x")
        with pytest.raises(HarnessError, match="the same"):
            kit.edit_file(path="a.md", old="fee", new="fee")
        kit.edit_file(path="a.md", old="5 %", new="6 %", count=2)
        assert kit.workspace.read("a.md").count(b"6 %") == 2

    def test_documents_are_not_written_as_text(self, kit: Kit) -> None:
        for call in (
            lambda: kit.write_file(path="a.docx", text="x"),
            lambda: kit.edit_file(path="a.pdf", old="x", new="y"),
        ):
            with pytest.raises(HarnessError, match="text"):
                call()

    def test_half_a_character_is_refused(self, kit: Kit) -> None:
        with pytest.raises(HarnessError, match="surrogate"):
            kit.write_file(path="a.md", text="a\ud800")

    @given(st.text(alphabet="ab\n\r\u00e9", max_size=40), st.text(alphabet="ab\nx", max_size=9))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_a_preview_is_what_happens(self, kit: Kit, text: str, new: str) -> None:
        path = "p.md"
        kit.workspace.restore(path, text.encode())
        kit.read_file(path=path)
        arguments = {"path": path, "old": "ab", "new": new, "count": text.count("ab")}
        shown = kit.preview("edit_file", **arguments)
        try:
            kit.edit_file(**arguments)
        except HarnessError:
            assert shown.startswith("This call would be refused")
        else:
            assert shown.startswith("--- p.md")
            assert kit.workspace.read(path) == text.encode().replace(b"ab", new.encode()) or (
                "\r\n" in text
            )


class TestPreviews:
    def test_a_change_is_shown_as_a_difference(self, kit: Kit) -> None:
        shown = kit.preview("write_file", path="a.md", text="one\n")
        assert shown == "--- /dev/null\n+++ a.md\n@@ -0,0 +1 @@\n+one"
        kit.write_file(path="a.md", text="one\ntwo")
        shown = kit.preview("edit_file", path="a.md", old="two", new="2")
        assert "-two\n\\ No newline at end of file\n+2\n" in shown
        assert kit.workspace.read("a.md") == b"one\ntwo"

    def test_a_call_that_would_fail_says_so(self, kit: Kit) -> None:
        assert "refused" in kit.preview("write_file", path="../x", text="")
        assert "refused" in kit.preview("edit_file", path="x")
        kit.write_file(path="same.md", text="x")
        assert kit.preview("write_file", path="same.md", text="x") == "same.md stays as it is."

    def test_a_huge_one_is_shown_in_full(self, kit: Kit) -> None:
        text = "word " * 60_000
        shown = kit.preview("write_file", path="a.md", text=text)
        assert text in shown


class TestKits:
    def test_unknown_or_unfurnished_kits(self) -> None:
        with pytest.raises(UsageError, match="no tool kit"):
            make_kit(["telepathy"])
        with pytest.raises(UsageError, match="workspace"):
            make_kit(["files"])
        with pytest.raises(UsageError, match="library"):
            make_kit(["references"])

    def test_controls_are_schemas_for_the_loop(self) -> None:
        tools = make_kit(["finish", "plan", "ask", "delegate"])
        assert [one.name for one in tools] == ["plan", "ask", "finish", "delegate"]
        assert [(one.metadata or {})["control"] for one in tools] == [one.name for one in tools]
        plan = tools[0].args_schema
        assert plan.model_validate({"steps": [{"text": "read"}]}).steps[0].state == "pending"  # type: ignore[union-attr]
        with pytest.raises(RuntimeError, match="control tool"):
            tools[2].invoke({"answer": "done"})
