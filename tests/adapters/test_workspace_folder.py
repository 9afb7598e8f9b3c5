"""The workspace: what stands in it, what changed, and what may never be opened."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.adapters.workspace_folder import FolderWorkspace, remove_workspace
from harness.errors import FileMissing, UsageError, WorkspaceError
from harness.seams import Change


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[FolderWorkspace]:
    opened = FolderWorkspace(tmp_path / "workspaces" / "run1")
    yield opened
    opened.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("the crown jewels", "utf-8")
    return path


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/etc/passwd",
            "../secret.txt",
            "a/../../secret.txt",
            "~/x",
            "C:\\x",
            "C:/x",
            "a\\b",
            "",
            ".",
            "a\x00b",
            "a\nb",
            "a\u202eb",
            "a\udc80",
            "a" * 300,
            "/".join("abcdefghijklmnopqrstuvwxyz"),
            ".harness-x",
        ],
    )
    def test_a_path_that_leads_elsewhere_is_refused(
        self, workspace: FolderWorkspace, path: str
    ) -> None:
        with pytest.raises(WorkspaceError):
            workspace.write(path, b"x")
        with pytest.raises(WorkspaceError):
            workspace.read(path)
        with pytest.raises(WorkspaceError):
            workspace.restore(path, None)

    @given(st.text(max_size=60))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_no_path_writes_outside(
        self, tmp_path_factory: pytest.TempPathFactory, path: str
    ) -> None:
        base = tmp_path_factory.mktemp("paths")
        one = FolderWorkspace(base / "w")
        try:
            one.write(path, b"x")
        except WorkspaceError as error:
            str(error).encode("utf-8")  # can be shown and stored
        else:
            assert one.read(path) == b"x"
            assert len(one.files()) == 1
        one.close()
        assert [entry.name for entry in base.iterdir()] == ["w"]
        assert {entry.name for entry in (base / "w").iterdir()} == {"files", "kept", "seen"}

    def test_a_name_with_dots_blanks_and_accents_is_fine(self, workspace: FolderWorkspace) -> None:
        workspace.write("Verträge 2024/a..b (1).md", b"x")
        assert [one.path for one in workspace.files()] == ["Verträge 2024/a..b (1).md"]


class TestHostileWorkspace:
    def test_a_link_is_never_followed(self, workspace: FolderWorkspace, secret: Path) -> None:
        (workspace.root / "link.txt").symlink_to(secret)
        (workspace.root / "folder").symlink_to(secret.parent)
        for path in ("link.txt", "folder/secret.txt"):
            with pytest.raises(WorkspaceError):
                workspace.read(path)
            with pytest.raises(WorkspaceError):
                workspace.write(path, b"overwritten")
        assert secret.read_text("utf-8") == "the crown jewels"
        assert workspace.changes() == []
        assert "`link.txt` is a link" in " ".join(workspace.oddities())
        workspace.restore("link.txt", None)
        assert secret.exists()
        assert not (workspace.root / "link.txt").is_symlink()

    def test_a_hard_link_is_not_read(self, workspace: FolderWorkspace, secret: Path) -> None:
        (workspace.root / "same.txt").hardlink_to(secret)
        with pytest.raises(WorkspaceError, match="hard link"):
            workspace.read("same.txt")
        assert workspace.files() == []
        workspace.write("same.txt", b"new")  # a file of its own takes its place
        assert secret.read_text("utf-8") == "the crown jewels"

    def test_pipes_sockets_and_huge_files_hold_nothing_up(self, workspace: FolderWorkspace) -> None:
        os.mkfifo(workspace.root / "pipe")
        with (workspace.root / "huge.bin").open("wb") as file:
            file.truncate(10 * 2**30)
        here = Path.cwd()
        listening = socket.socket(socket.AF_UNIX)
        try:
            os.chdir(workspace.root)  # a socket's path may be no longer than 108 bytes
            listening.bind("sock")
        finally:
            os.chdir(here)
            listening.close()
        for path in ("pipe", "sock", "huge.bin"):
            with pytest.raises(WorkspaceError):
                workspace.read(path)
        assert workspace.changes() == []
        words = "\n".join(workspace.oddities())
        assert "`pipe` is a pipe" in words
        assert "`sock` is a socket" in words
        assert "`huge.bin` has 10,240 MB" in words

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a device")
    def test_a_device_is_not_opened(self, workspace: FolderWorkspace) -> None:
        try:
            os.mknod(workspace.root / "null", 0o666 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("devices can't be made here")
        with pytest.raises(WorkspaceError, match="a device"):
            workspace.read("null")

    def test_names_that_are_no_text_are_said_and_left(self, workspace: FolderWorkspace) -> None:
        for name in (b"bad\xff.txt", b"line\nbreak.txt"):
            with open(os.fsencode(workspace.root) + b"/" + name, "wb") as file:  # noqa: PTH123
                file.write(b"x")
        assert workspace.files() == []
        assert len(workspace.oddities()) == 2
        "\n".join(workspace.oddities()).encode("utf-8")

    def test_deep_folders_end_somewhere(self, workspace: FolderWorkspace) -> None:
        (workspace.root / "/".join("d" * 60)).mkdir(parents=True)
        assert workspace.files() == []
        assert "too far" in workspace.oddities()[0]

    def test_a_folder_where_a_file_shall_stand(self, workspace: FolderWorkspace) -> None:
        workspace.write("a/b.md", b"x")
        with pytest.raises(WorkspaceError, match="a folder"):
            workspace.write("a", b"x")
        with pytest.raises(WorkspaceError, match="not a folder"):
            workspace.write("a/b.md/c", b"x")
        with pytest.raises(WorkspaceError, match="can't be removed"):
            workspace.restore("a", None)

    def test_too_much_for_one_file(self, workspace: FolderWorkspace) -> None:
        with pytest.raises(WorkspaceError, match="limit"):
            workspace.write("a.bin", bytes(50 * 2**20 + 1))

    def test_what_a_killed_writer_left_is_swept_but_not_what_is_being_written(
        self, workspace: FolderWorkspace
    ) -> None:
        for name, age in ((".harness-old", 3_600), (".harness-now", 0)):
            (workspace.root / name).write_bytes(b"half")
            os.utime(workspace.root / name, (time.time() - age,) * 2)
        assert workspace.files() == []
        assert workspace.oddities() == ()
        assert [one.name for one in workspace.root.iterdir()] == [".harness-now"]

    def test_too_many_files_are_said_not_walked(
        self, workspace: FolderWorkspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("harness.adapters.workspace_scan.MAX_ENTRIES", 20)
        for number in range(25):
            (workspace.root / f"{number:02}.md").write_bytes(b"x")
        assert len(workspace.files()) == 20
        assert "the rest is not looked at" in workspace.oddities()[0]

    def test_a_thousand_oddities_are_told_in_a_hundred(self, workspace: FolderWorkspace) -> None:
        for number in range(300):
            (workspace.root / f"{number}").symlink_to("/")
        assert workspace.changes() == []
        assert len(workspace.oddities()) == 101
        assert "more" in workspace.oddities()[-1]


class TestChanges:
    def test_what_is_made_changed_and_removed_is_told_once(
        self, workspace: FolderWorkspace
    ) -> None:
        workspace.write("a.md", b"one")
        assert workspace.changes() == [Change(path="a.md", before=None, after=b"one")]
        assert workspace.changes() == []
        (workspace.root / "a.md").write_bytes(b"two")  # in place, same size, at once
        assert workspace.changes() == [Change(path="a.md", before=b"one", after=b"two")]
        workspace.restore("a.md", None)
        assert workspace.changes() == [Change(path="a.md", before=b"two", after=None)]

    def test_restoring_brings_back_what_was(self, workspace: FolderWorkspace) -> None:
        workspace.write("d/a.md", b"one")
        workspace.changes()
        workspace.write("d/a.md", b"two")
        workspace.write("b.md", b"new")
        for one in workspace.changes():
            workspace.restore(one.path, one.before)
        assert workspace.read("d/a.md") == b"one"
        assert [one.path for one in workspace.files()] == ["d/a.md"]

    def test_a_process_killed_before_the_journal_wrote_tells_it_again(
        self, workspace: FolderWorkspace
    ) -> None:
        workspace.write("a.md", b"one")
        workspace.settle()
        workspace.write("a.md", b"two")
        told = workspace.changes()
        again = FolderWorkspace(workspace.folder)
        assert again.changes() == told == [Change(path="a.md", before=b"one", after=b"two")]
        again.settle()
        assert FolderWorkspace(workspace.folder).changes() == []

    def test_what_the_journal_has_already_is_not_told_again(
        self, workspace: FolderWorkspace
    ) -> None:
        for name in ("a.md", "b.md", "c.md"):
            workspace.write(name, b"one")
        workspace.settle()
        workspace.write("a.md", b"two")
        workspace.write("b.md", b"two")
        workspace.restore("c.md", None)
        workspace.changes()
        again = FolderWorkspace(workspace.folder)
        again.acknowledge({"a.md": b"two"}.get)  # c.md: removed, as the journal says
        assert again.changes() == [Change(path="b.md", before=b"one", after=b"two")]

    def test_an_unchanged_file_is_not_read_again(
        self, workspace: FolderWorkspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace.write("a.md", b"one")
        workspace.changes()
        monkeypatch.setattr("harness.adapters.workspace_folder.RACY", -(10**18))
        monkeypatch.setattr(workspace, "_content", lambda path: pytest.fail(f"{path} was read"))
        assert workspace.changes() == []

    def test_contents_that_nothing_needs_are_dropped(self, workspace: FolderWorkspace) -> None:
        for number in range(20):
            workspace.write("a.md", f"text {number}".encode())
            workspace.changes()
        workspace.settle()
        assert len(list((workspace.folder / "kept").iterdir())) == 1

    def test_a_damaged_index_is_built_anew(self, workspace: FolderWorkspace) -> None:
        workspace.write("a.md", b"one")
        workspace.settle()
        (workspace.folder / "known.json").write_text("[1", "utf-8")
        again = FolderWorkspace(workspace.folder)
        assert again.changes() == [Change(path="a.md", before=None, after=b"one")]


class TestAttaching:
    def test_copies_are_no_changes(self, workspace: FolderWorkspace, tmp_path: Path) -> None:
        for folder in ("x", "y"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "terms.md").write_text(folder, "utf-8")
        names = workspace.attach([tmp_path / "x/terms.md", tmp_path / "y/terms.md"])
        assert names == ("terms.md", "terms-2.md")
        assert workspace.changes() == []
        workspace.write("terms.md", b"changed")
        assert (tmp_path / "x/terms.md").read_text("utf-8") == "x"

    def test_what_can_not_be_attached_is_said(
        self, workspace: FolderWorkspace, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "pipe")
        with (tmp_path / "huge").open("wb") as file:
            file.truncate(2**40)
        for name in ("missing.md", "pipe", "huge", "bad\udcff"):
            with pytest.raises(UsageError):
                workspace.attach([tmp_path / name])

    def test_a_workspace_is_removed_with_all_that_is_in_it(
        self, workspace: FolderWorkspace, secret: Path
    ) -> None:
        workspace.write("a/b.md", b"x")
        (workspace.root / "out").symlink_to(secret.parent)
        remove_workspace(workspace.folder)
        assert not workspace.folder.exists()
        assert secret.exists()


class TestSeen:
    def test_it_outlives_the_process(self, workspace: FolderWorkspace) -> None:
        assert workspace.seen("a.md") == ""
        workspace.see("a.md", "f" * 64)
        assert FolderWorkspace(workspace.folder).seen("./a.md") == "f" * 64

    def test_a_missing_file_is_told_from_one_that_may_not_be_read(
        self, workspace: FolderWorkspace
    ) -> None:
        with pytest.raises(FileMissing, match="list_files"):
            workspace.read("no/such.md")
