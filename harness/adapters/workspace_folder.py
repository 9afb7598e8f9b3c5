"""A run's workspace: a folder of copies, and beside it what its files were when last looked at.

    workspaces/<run>/files/     what the tools see
    workspaces/<run>/kept/      contents as last journalled, by SHA-256
    workspaces/<run>/known.json stamp and SHA-256 of each file as last journalled
    workspaces/<run>/seen/      SHA-256 of what the model was last shown of a file

`changes` compares stamps first, so it reads only what was touched. What it gives is written down
as known when it is called the next time: a process killed in between gives it once more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.adapters.workspace_paths import (
    MAX_BYTES,
    open_root,
    parts_of,
    read_beneath,
    remove_beneath,
    shown,
    write_beneath,
)
from harness.adapters.workspace_scan import Scan, Stamp, scan
from harness.errors import StateError, UsageError, WorkspaceError
from harness.seams import Change, WorkspaceFile

__all__ = ["FolderWorkspace", "remove_workspace"]

RACY = 50_000_000
"""Nanoseconds: a file changed so shortly before it was looked at is read again the next time."""

Known = dict[str, tuple[Stamp, str]]


class FolderWorkspace:
    """The workspace of one run.

    Args:
        folder: `workspaces/<run>` in the state folder; made if it is not there.

    Raises:
        StateError: It can't be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            for name in ("files", "kept", "seen"):
                (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._root = open_root(folder / "files")
        except OSError as error:
            raise StateError(
                f"The workspace {folder} can't be made ({error.strerror}).",
                "Make room, or give yourself the right to write there.",
            ) from error
        self._known = self._read_known()
        self._written: Known = dict(self._known)
        self._last: Scan | None = None

    @property
    def root(self) -> Path:
        """The folder that the files stand in."""
        return self.folder / "files"

    def close(self) -> None:
        """Let go of the folder."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def attach(self, files: Iterable[str | Path]) -> tuple[str, ...]:
        """Copy files into a new workspace; return their paths there.

        Raises:
            UsageError: One is not there, is no plain file, is too large, or has an odd name.
        """
        names: list[str] = []
        for given in map(Path, files):
            if given.is_dir():
                raise UsageError(f"{shown(str(given))} is a folder.", "Name the files in it.")
            if not given.is_file():
                raise UsageError(f"There is no file {shown(str(given))}.", "Check the path.")
            name = _free_name(given.name, names)
            try:
                parts = parts_of(name)
                if given.stat().st_size > MAX_BYTES:
                    raise WorkspaceError(
                        f"{shown(str(given))} has more than {MAX_BYTES / 2**20:,.0f} MB."
                    )
                write_beneath(self._root, parts, given.read_bytes())
            except (WorkspaceError, OSError) as error:
                raise UsageError(f"{shown(str(given))} can't be attached: {error}") from error
            names.append(name)
        self.settle()
        return tuple(names)

    def settle(self) -> None:
        """Take the files as they are now for known."""
        self.changes()
        self._persist()

    # --- what the tools do -------------------------------------------------------------------

    def files(self) -> Sequence[WorkspaceFile]:
        """Return the files that may be read, by path."""
        found = self._scan().files
        return [WorkspaceFile(path=path, bytes=found[path].size) for path in sorted(found)]

    def oddities(self) -> Sequence[str]:
        """Return, in words, what may not be read, as `files` or `changes` last saw it."""
        return tuple((self._last or self._scan()).oddities)

    def read(self, path: str) -> bytes:
        """Return the content of a file. See `Workspace`."""
        return read_beneath(self._root, parts_of(path))

    def write(self, path: str, content: bytes) -> None:
        """Write a file. See `Workspace`."""
        write_beneath(self._root, parts_of(path), content)

    def seen(self, path: str) -> str:
        """Return the SHA-256 of the file's content when the model last saw it, or nothing."""
        try:
            return self._mark(path).read_text("ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            return ""

    def see(self, path: str, digest: str) -> None:
        """Keep what the model knows. Not synced: after a power cut it has to read again."""
        mark = self._mark(path)
        fresh = mark.with_suffix(".new")
        fresh.write_text(digest, "ascii")
        fresh.replace(mark)

    def _mark(self, path: str) -> Path:
        name = hashlib.sha256("/".join(parts_of(path)).encode()).hexdigest()
        return self.folder / "seen" / name

    # --- what the loop does ------------------------------------------------------------------

    def changes(self) -> Sequence[Change]:
        """Return what changed since the last call. See `Workspace`."""
        self._persist()
        found = self._scan()
        now = time.time_ns()
        known: Known = {}
        changed: list[Change] = []
        for path in sorted({*found.files, *self._known}):
            stamp, before = found.files.get(path), self._known.get(path)
            if stamp and before and before[0] == stamp and now - stamp.changed > RACY:
                known[path] = before
                continue
            content = self._content(path) if stamp else None
            digest = self._keep(content) if content is not None else ""
            if stamp and digest:
                known[path] = (stamp, digest)
            if digest != (before[1] if before else ""):
                old = self._kept(before[1]) if before else None
                changed.append(Change(path=path, before=old, after=content))
        self._known = known
        return changed

    def acknowledge(self, recorded: Callable[[str], bytes | None]) -> None:
        """Take for known what is recorded already: a process was killed right after it was.

        Args:
            recorded: Returns what a file is by the record; None where it has none or was removed.
        """
        before = dict(self._known)
        for change in self.changes():
            if recorded(change.path) == change.after:
                continue
            self._known.pop(change.path, None)
            if change.path in before:
                self._known[change.path] = before[change.path]

    def restore(self, path: str, content: bytes | None) -> None:
        """Make a file what it was. See `Workspace`."""
        if content is None:
            remove_beneath(self._root, parts_of(path))
        else:
            write_beneath(self._root, parts_of(path), content)

    def _scan(self) -> Scan:
        self._last = scan(self._root)
        return self._last

    def _content(self, path: str) -> bytes | None:
        """Return a file's content; None where it vanished or turned odd since the scan."""
        try:
            return self.read(path)
        except WorkspaceError:
            return None

    # --- what it was -------------------------------------------------------------------------

    def _keep(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        if not (self.folder / "kept" / digest).exists():
            _write_synced(self.folder / "kept" / digest, content)
        return digest

    def _kept(self, digest: str) -> bytes | None:
        try:
            return (self.folder / "kept" / digest).read_bytes()
        except OSError:
            return None

    def _persist(self) -> None:
        """Write down what is known, once the journal has it; drop contents of before."""
        if self._known == self._written:
            return
        tree = {
            path: [stamp.size, stamp.modified, stamp.changed, stamp.inode, digest]
            for path, (stamp, digest) in self._known.items()
        }
        _write_synced(self.folder / "known.json", json.dumps(tree).encode())
        dropped = {one[1] for one in self._written.values()} - {
            one[1] for one in self._known.values()
        }
        for digest in dropped:
            (self.folder / "kept" / digest).unlink(missing_ok=True)
        self._written = dict(self._known)

    def _read_known(self) -> Known:
        try:
            tree = json.loads((self.folder / "known.json").read_bytes())
            return {path: (Stamp(*map(int, row[:4])), str(row[4])) for path, row in tree.items()}
        except (OSError, ValueError, AttributeError, TypeError, IndexError):
            return {}


def remove_workspace(folder: Path) -> None:
    """Take a run's workspace away, whatever stands in it; links are not followed."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise StateError(f"The workspace {folder} could not be removed.", "Remove it by hand.")


def _free_name(name: str, taken: Sequence[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, f"{dot}{ending}") if stem else (name, "")
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{ending}"
    return name


def _write_synced(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, folder)
        os.fsync(folder)
