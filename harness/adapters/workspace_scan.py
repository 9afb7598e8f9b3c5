"""What stands in a workspace now: the files that may be read, and all that may not, in words."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from dataclasses import dataclass, field

from harness.adapters.workspace_paths import (
    MAX_BYTES,
    MAX_DEPTH,
    TEMPORARY,
    kind_of,
    open_folder,
    parts_of,
    shown,
)
from harness.errors import WorkspaceError

__all__ = ["MAX_ENTRIES", "Scan", "Stamp", "scan"]

MAX_ENTRIES = 20_000
MAX_ODDITIES = 100
LEFT_BEHIND = 60.0
"""Seconds after which a file that was being written counts as left behind."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a file is known without being read: times in nanoseconds."""

    size: int
    modified: int
    changed: int
    inode: int


@dataclass(slots=True)
class Scan:
    """What was found: a stamp for each readable file by its path, and the rest in words."""

    files: dict[str, Stamp] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
    entries: int = 0

    def odd(self, words: str) -> None:
        """Keep one more oddity, up to a number that can be read."""
        if len(self.oddities) < MAX_ODDITIES:
            self.oddities.append(words)
        elif len(self.oddities) == MAX_ODDITIES:
            self.oddities.append("… and more that may not be read.")


def scan(root: int) -> Scan:
    """Look at everything below a folder; nothing but folders is opened, no link followed."""
    found = Scan()
    _folder(root, "", found, 1)
    return found


def _folder(descriptor: int, below: str, found: Scan, depth: int) -> None:
    with os.scandir(descriptor) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        found.entries += 1
        if found.entries > MAX_ENTRIES:
            found.odd(f"More than {MAX_ENTRIES:,} files and folders: the rest is not looked at.")
            return
        if name.startswith(TEMPORARY):
            _sweep(descriptor, name)
            continue
        with contextlib.suppress(FileNotFoundError):  # gone since the folder was listed
            _entry(descriptor, name, below, found, depth)


def _sweep(descriptor: int, name: str) -> None:
    """Take away what a process left that was killed while it wrote; not what is being written."""
    with contextlib.suppress(OSError):
        status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if time.time() - status.st_mtime > LEFT_BEHIND:
            os.unlink(name, dir_fd=descriptor)


def _entry(descriptor: int, name: str, below: str, found: Scan, depth: int) -> None:
    path = f"{below}{name}"
    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    mode = status.st_mode
    try:
        parts_of(path)
    except WorkspaceError:
        found.odd(f"`{shown(path)}`: this name can't be used.")
        return
    if stat.S_ISDIR(mode):
        if depth >= MAX_DEPTH:
            found.odd(f"`{shown(path)}`: folders go down too far; this one is not entered.")
            return
        try:
            opened = open_folder(name, descriptor)
        except OSError as error:
            found.odd(f"`{shown(path)}`: this folder can't be entered ({error.strerror}).")
            return
        try:
            _folder(opened, f"{path}/", found, depth + 1)
        finally:
            os.close(opened)
    elif not stat.S_ISREG(mode):
        found.odd(f"`{shown(path)}` is {kind_of(mode)}; it is not opened or followed.")
    elif status.st_nlink > 1:
        found.odd(f"`{shown(path)}` is also a file elsewhere (a hard link); it is not opened.")
    elif status.st_size > MAX_BYTES:
        found.odd(f"`{shown(path)}` has {status.st_size / 2**20:,.0f} MB; it is not opened.")
    else:
        found.files[path] = Stamp(
            status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        )
