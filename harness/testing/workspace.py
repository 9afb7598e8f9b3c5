"""A workspace in memory: files by path, as the real one has them, and no folder behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.adapters.workspace_paths import MAX_BYTES, parts_of, shown
from harness.errors import FileMissing, WorkspaceError
from harness.seams import Change, WorkspaceFile

__all__ = ["MemoryWorkspace"]


class MemoryWorkspace:
    """The files of a run, as long as it lives.

    Args:
        files: What the run begins with, by path: that is no change.

    Raises:
        WorkspaceError: A path leads out of it.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files: dict[str, bytes] = {}
        self._seen: dict[str, str] = {}
        for path, content in (files or {}).items():
            self.write(path, content)
        self._known = dict(self._files)

    def changes(self) -> Sequence[Change]:
        """Return what changed since the last call, by path."""
        before, self._known = self._known, dict(self._files)
        paths = sorted({*before, *self._files})
        found = (
            Change(path=one, before=before.get(one), after=self._files.get(one)) for one in paths
        )
        return [one for one in found if one.before != one.after]

    def restore(self, path: str, content: bytes | None) -> None:
        """Make a file what it was; None takes it away."""
        if content is None:
            self._files.pop(_path(path), None)
        else:
            self.write(path, content)

    def files(self) -> Sequence[WorkspaceFile]:
        """Return the files, by path."""
        return [
            WorkspaceFile(path=path, bytes=len(self._files[path])) for path in sorted(self._files)
        ]

    def oddities(self) -> Sequence[str]:
        """Return nothing: there are no links and devices in memory."""
        return ()

    def read(self, path: str) -> bytes:
        """Return the content of a file. See `Workspace`."""
        name = _path(path)
        if name not in self._files:
            if any(one.startswith(f"{name}/") for one in self._files):
                raise WorkspaceError(f"{shown(path)} is a folder.")
            raise FileMissing(f"There is no file {shown(path)} in the workspace.")
        return self._files[name]

    def write(self, path: str, content: bytes) -> None:
        """Write a file. See `Workspace`."""
        name = _path(path)
        if len(content) > MAX_BYTES:
            raise WorkspaceError(f"{shown(path)} would have more than {MAX_BYTES >> 20:,} MB.")
        above = name.split("/")[:-1]
        folders = {"/".join(above[:depth]) for depth in range(1, len(above) + 1)}
        if folders & self._files.keys():
            raise WorkspaceError(f"{shown(path)} can't stand below a file.")
        if any(one.startswith(f"{name}/") for one in self._files):
            raise WorkspaceError(f"{shown(path)} is a folder.")
        self._files[name] = bytes(content)

    def seen(self, path: str) -> str:
        """Return the SHA-256 of the file's content when the model last saw it, or nothing."""
        return self._seen.get(_path(path), "")

    def see(self, path: str, digest: str) -> None:
        """Keep the SHA-256 of the content that the model now knows."""
        self._seen[_path(path)] = digest


def _path(path: str) -> str:
    return "/".join(parts_of(path))
