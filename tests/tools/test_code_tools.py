"""The kits compute, python and shell as the model meets them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.sandbox_monty import MontyCalculator
from harness.adapters.workspace_folder import FolderWorkspace
from harness.errors import HarnessError, UsageError
from harness.seams_hands import SandboxResult
from harness.testing import FakeSandbox
from harness.tools import make_kit
from harness.tools.compute import compute_tools
from harness.tools.python_shell import MOST_GIVEN, in_thread, python_tools, taken
from harness.tools.texts import Texts


def call(tool: Any, **arguments: Any) -> Any:
    request = {"type": "tool_call", "id": "1", "name": tool.name, "args": arguments}
    return asyncio.run(tool.ainvoke(request))


@pytest.fixture
def calculator() -> Iterator[MontyCalculator]:
    made = MontyCalculator()
    yield made
    made.close()


def compute(workspace: FolderWorkspace, calculator: MontyCalculator, code: str) -> str:
    (tool,) = compute_tools(calculator, Texts(workspace))
    return str(call(tool, code=code).content)


def test_compute_reads_tables_and_documents(workspace: FolderWorkspace, calculator):
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Claims"
    sheet.append(["case", "amount"])
    sheet.append(["a", 10.5])
    sheet.append(["b", 4])
    saved = io.BytesIO()
    book.save(saved)
    workspace.write("claims.xlsx", saved.getvalue())
    workspace.write("german.csv", "Fall;Betrag\nä;1,50\n".encode())
    workspace.write("note.md", b"# Note\n\nTwelve days.\n")

    def said(code: str) -> str:
        return compute(workspace, calculator, code)

    assert said("sum(row['amount'] for row in rows('claims.xlsx', 'Claims'))") == "14.5"
    assert said("rows('german.csv')") == "[{'Fall': 'ä', 'Betrag': '1,50'}]"
    assert said("'Twelve' in text('note.md')") == "True"
    assert said("files()") == "['claims.xlsx', 'german.csv', 'note.md']"
    assert said("x = 1").startswith("It has no result")
    for code, says in (
        ("rows('claims.xlsx', 'Nope')", "It has: Claims"),
        ("rows('nope.csv')", "nope.csv"),
        ("text('../secret')", "`..`"),
        ("1 / 0", "line 1"),
    ):
        with pytest.raises(HarnessError, match=says.replace(".", r"\.")):
            said(code)


def test_tables_that_can_not_be_read_are_said(workspace, calculator, monkeypatch):
    monkeypatch.setattr("harness.tools.compute.MOST_ROWS", 2)
    monkeypatch.setattr("harness.tools.compute.MOST_READ", 400)
    workspace.write("long.csv", b"a,b\n1,2\n3,4\n5,6\n")
    workspace.write("fake.xlsx", b"no zip")
    workspace.write("huge.csv", b"x" * 500)
    workspace.write("one.csv", b"a\n1\n")
    for code, says in (
        ("rows('long.csv')", "more than 2 rows"),
        ("rows('fake.xlsx')", "as an Excel file"),
        ("rows('huge.csv')", "reads at most"),
        ("open('huge.csv').read()", "reads at most"),
    ):
        with pytest.raises(HarnessError, match=says):
            compute(workspace, calculator, code)
    assert compute(workspace, calculator, "rows('one.csv')") == "[{'a': '1'}]"


def test_compute_works_without_a_workspace(calculator: MontyCalculator):
    (tool,) = compute_tools(calculator)
    assert call(tool, code="print('so')\n7 * 6").content == "so\n42"
    with pytest.raises(HarnessError, match="NameError"):
        call(tool, code="files()")


def test_the_model_is_told_what_came_of_a_script(workspace: FolderWorkspace):
    workspace.write("old.txt", b"old")
    sandbox = FakeSandbox(
        SandboxResult(
            end="failed",
            code=1,
            printed="seen\n",
            errors="Traceback: no\n",
            files={"new.csv": b"a,b", "bad\nname": b"x"},
            removed=("old.txt",),
            oddities=("`link` is no plain file and was not kept.",),
        )
    )
    (tool,) = python_tools(sandbox, workspace)
    message = call(tool, code="print('seen')")
    assert message.content.startswith("seen\nErrors:\nTraceback: no\nIt ended with status 1.")
    assert "Written: new.csv (3 bytes)\nRemoved: old.txt" in message.content
    assert "`link` is no plain file" in message.content
    assert "characters that can't be seen" in message.content
    assert [one["path"] for one in message.artifact["files"]] == ["new.csv"]
    assert message.artifact["files"][0]["type"] == "text/csv"
    assert workspace.read("new.csv") == b"a,b"
    assert [one.path for one in workspace.files()] == ["new.csv"]
    assert sandbox.jobs[0].files == {"old.txt": b"old"}


@pytest.mark.parametrize("end", ["timeout", "memory", "processes", "disk", "output", "killed"])
def test_the_model_is_told_why_a_script_was_ended(workspace: FolderWorkspace, end: Any):
    (tool,) = python_tools(FakeSandbox(SandboxResult(end=end, code=-9)), workspace)
    assert "It was ended" in call(tool, code="1").content


def test_a_silent_script_is_done(workspace: FolderWorkspace):
    (tool,) = python_tools(FakeSandbox(), workspace)
    assert call(tool, code="1").content == "Done; it printed nothing."


def test_too_many_files_are_left_out_the_largest_first(
    workspace: FolderWorkspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("harness.tools.python_shell.MOST_GIVEN", 10)
    workspace.write("small", b"x" * 4)
    workspace.write("large", b"x" * 20)
    files, notes = taken(workspace)
    assert list(files) == ["small"]
    assert "`large` was not there" in notes[0]
    assert MOST_GIVEN > 10


def test_a_call_that_nobody_waits_for_is_told_to_stop():
    stopped: list[bool] = []

    def work(stop: Any) -> None:
        import time

        for _ in range(500):
            if stop():
                stopped.append(True)
                return
            time.sleep(0.01)

    async def cancelled() -> None:
        task = asyncio.ensure_future(in_thread(work))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert stopped == [True]


def test_kits_say_their_effects_and_what_they_need(workspace: FolderWorkspace, calculator):
    tools = make_kit(
        ["compute", "python", "shell", "web"],
        workspace=workspace,
        calculator=calculator,
        sandbox=FakeSandbox(),
        hosts=["example.org"],
    )
    effects = {one.name: (one.metadata or {})["effect"] for one in tools}
    assert effects == {"compute": "read", "python": "draft", "shell": "draft", "fetch_page": "read"}
    assert all(len(one.description) > 60 for one in tools)
    for kit in ("compute", "python", "shell"):
        with pytest.raises(UsageError, match=kit):
            make_kit([kit])
    with pytest.raises(HarnessError, match="hosts"):
        make_kit(["web"])


def test_every_built_in_tool_is_a_reserved_name(workspace: FolderWorkspace, calculator):
    from harness.domain.own_tools import RESERVED
    from harness.tools import KITS, Library

    library = Library(passages=tuple, search_passages=lambda _: (), search_examples=lambda _: ())
    tools = make_kit(
        KITS,
        workspace=workspace,
        library=library,
        calculator=calculator,
        sandbox=FakeSandbox(),
        hosts=["example.org"],
    )
    assert {one.name for one in tools} <= RESERVED
    assert not any("__" in name for name in RESERVED), "MCP tools have two underscores"


def test_a_result_path_is_never_opened_by_its_name(workspace: FolderWorkspace, tmp_path: Path):
    outside = tmp_path / "evil.txt"
    sandbox = FakeSandbox(
        SandboxResult(
            end="done",
            files={f"../../../{outside.name}": b"x", str(outside): b"x", "~/x": b"x"},
            removed=("../kept",),
        )
    )
    (tool,) = python_tools(sandbox, workspace)
    said = call(tool, code="1").content
    assert said.count("Not kept") == 3
    assert not outside.exists()
