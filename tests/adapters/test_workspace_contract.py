"""What every workspace promises: the folder, and the fake that ships for users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.adapters.workspace_folder import FolderWorkspace
from harness.adapters.workspace_paths import MAX_BYTES
from harness.errors import FileMissing, WorkspaceError
from harness.seams import Change, Workspace, WorkspaceFile
from harness.testing import MemoryWorkspace


@pytest.fixture(params=["folder", "memory"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace that began with one file."""
    if request.param == "memory":
        yield MemoryWorkspace({"a.txt": b"one"})
        return
    given = tmp_path / "a.txt"
    given.write_bytes(b"one")
    opened = FolderWorkspace(tmp_path / "workspaces" / "r1")
    opened.attach([given])
    yield opened
    opened.close()


def test_what_it_began_with_is_no_change(workspace: Workspace) -> None:
    assert workspace.changes() == []
    assert workspace.read("a.txt") == b"one"
    assert workspace.files() == [WorkspaceFile(path="a.txt", bytes=3)]
    assert workspace.oddities() == ()


def test_what_is_made_changed_and_removed_is_told_once(workspace: Workspace) -> None:
    workspace.write("b/c.txt", b"two")
    workspace.write("a.txt", b"three")
    assert workspace.changes() == [
        Change(path="a.txt", before=b"one", after=b"three"),
        Change(path="b/c.txt", before=None, after=b"two"),
    ]
    assert workspace.changes() == []
    workspace.restore("a.txt", None)
    workspace.restore("b/c.txt", b"four")
    assert workspace.changes() == [
        Change(path="a.txt", before=b"three", after=None),
        Change(path="b/c.txt", before=b"two", after=b"four"),
    ]
    workspace.write("b/c.txt", b"four")
    assert workspace.changes() == []
    workspace.restore("never.txt", None)
    assert [one.path for one in workspace.files()] == ["b/c.txt"]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "~/x", "C:/x", "a\\b", "", ".", "a\x00b", "a" * 300],
)
def test_a_path_that_leads_elsewhere_is_refused(workspace: Workspace, path: str) -> None:
    with pytest.raises(WorkspaceError):
        workspace.write(path, b"x")
    with pytest.raises(WorkspaceError):
        workspace.read(path)
    with pytest.raises(WorkspaceError):
        workspace.restore(path, b"x")


def test_what_is_not_there_is_told_from_what_may_not_be(workspace: Workspace) -> None:
    with pytest.raises(FileMissing, match="nothing"):
        workspace.read("nothing.txt")
    workspace.write("b/c.txt", b"x")
    for path in ("b", "a.txt/under.txt"):
        with pytest.raises(WorkspaceError):
            workspace.write(path, b"x")
    with pytest.raises(WorkspaceError) as caught:
        workspace.read("b")
    assert not isinstance(caught.value, FileMissing)
    with pytest.raises(WorkspaceError, match="MB"):
        workspace.write("large", bytes(MAX_BYTES + 1))


def test_it_knows_what_the_model_last_saw(workspace: Workspace) -> None:
    assert workspace.seen("a.txt") == ""
    workspace.see("a.txt", "f" * 64)
    assert workspace.seen("./a.txt") == workspace.seen("a.txt") == "f" * 64
