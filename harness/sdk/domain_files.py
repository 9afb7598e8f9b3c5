"""The files of an open domain that experts write by hand: read, checked, saved, their history."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain.files import editor_file
from harness.domain.manifest import read_manifest
from harness.errors import DomainInvalid, StateError, UsageError
from harness.improve.records import ReviewLog
from harness.improve.saving import locked, read_current, write_over
from harness.improve.yaml_edit import set_key
from harness.sdk.bundled import refuse_bundled
from harness.sdk.examples import current_user
from harness.values import Problem

if TYPE_CHECKING:
    from harness.sdk.opened import Opened

__all__ = ["Change", "DomainFiles", "FileInfo", "Setting"]

EDITABLE = ("SKILL.md", "domain.yaml", "rules.yaml", "rubrics.yaml")
MOST = 2 * 1024 * 1024
Setting = str | Sequence[str] | None
"""A setting of `domain.yaml`; None takes it away."""


@dataclass(frozen=True, kw_only=True)
class FileInfo:
    """One file of the folder: its path from there, bytes, and when it was changed (epoch)."""

    name: str
    size: int
    changed: float


@dataclass(frozen=True, kw_only=True)
class Change:
    """One commit that touched a file."""

    commit: str
    date: str
    author: str
    subject: str


class DomainFiles:
    """The hand-written files of a domain folder: SKILL.md, settings, rules, rubrics.

    Args:
        opened: The open domain.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    @property
    def folder(self) -> Path:
        """The domain folder."""
        return self._opened.folder.resolve()

    def list(self) -> list[FileInfo]:
        """Return every file of the folder that no editor left behind, by name."""
        found = []
        for path in sorted(self.folder.rglob("*")):
            inside = path.relative_to(self.folder)
            if any(editor_file(part) for part in inside.parts) or not path.is_file():
                continue
            status = path.stat()
            found.append(
                FileInfo(name=inside.as_posix(), size=status.st_size, changed=status.st_mtime)
            )
        return found

    def read(self, name: str) -> str:
        """Return the text of one of the files that can be edited; empty where it is not there.

        Raises:
            UsageError: It is none of them, or no text.
        """
        try:
            return read_current(self._path(name)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"{name} is not UTF-8.", "Save it as UTF-8 in an editor.") from error

    def check(self, name: str, text: str) -> Sequence[Problem]:
        """Return what would be wrong with a file if it said this; nothing is written."""
        self._path(name)
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch).resolve()
            for other in EDITABLE:
                if other != name and (self.folder / other).is_file():
                    shutil.copyfile(self.folder / other, root / other)
            (root / name).write_text(text, "utf-8")
            return [one for one in read_manifest(root).problems if one.place.file == name]

    def save(self, name: str, text: str, *, seen: str | None = None, by: str = "") -> None:
        """Replace a file.

        Args:
            name: Which.
            text: What it shall say.
            seen: What it said when the change was begun.
            by: Who does.

        Raises:
            DomainInvalid: It would have errors.
            StateError: Somebody changed it since; nothing is written.
            DomainReadOnly: The folder can't be written.
        """
        if errors := [one for one in self.check(name, text) if one.severity == "error"]:
            raise DomainInvalid(f"{name} can't be saved as it is:", errors)
        refuse_bundled(self.folder)
        path = self._path(name)
        with locked(self.folder, self._opened.home):
            now = read_current(path)
            data = text.encode("utf-8")
            if b"\r\n" in now:
                data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            if now.startswith(b"\xef\xbb\xbf"):
                data = b"\xef\xbb\xbf" + data
            if seen is not None and now.decode("utf-8-sig", "replace") != seen:
                raise _changed(name)
            if not write_over(path, now, data):
                raise _changed(name)
        digest = hashlib.sha256(data).hexdigest()[:16]
        ReviewLog(self._opened.home, self.folder).add(
            "saved", name, by=by or current_user(), digest=digest
        )

    def set(self, settings: Mapping[str, Setting], *, by: str = "") -> None:
        """Set keys of `domain.yaml`, and leave its comments and everything else as they are.

        Args:
            settings: By key, a nested one with a dot: `context.budget`.
            by: Who does.

        Raises:
            DomainInvalid: A value is not one that its key takes.
            UsageError: The file is written so that a key can't be set from here.
        """
        before = self.read("domain.yaml")
        text = before
        for key, value in settings.items():
            changed = set_key(text, tuple(key.split(".")), value)
            if changed is None:
                raise UsageError(
                    f"`{key}` of domain.yaml can't be set from here.", "Edit the file itself."
                )
            text = changed
        if text != before:
            self.save("domain.yaml", text, seen=before, by=by)

    def history(self, name: str = "", most: int = 30) -> Sequence[Change]:
        """Return the commits that touched a file or the folder, newest first; none without git."""
        form = "--format=%h%x1f%as%x1f%an%x1f%s"
        words = ["git", "-C", str(self.folder), "log", f"-n{most}", form, "--", name or "."]
        try:
            done = subprocess.run(  # noqa: S603 -- fixed words, and a path that is our own folder
                words, capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return []
        rows = [line.split("\x1f") for line in done.stdout.splitlines()]
        return [
            Change(commit=row[0], date=row[1], author=row[2], subject=row[3])
            for row in rows
            if len(row) == 4
        ]

    def _path(self, name: str) -> Path:
        if name not in EDITABLE and not re.fullmatch(r"references/[^/\\]+\.(md|txt)", name):
            raise UsageError(f"{name} can't be edited here.", f"Known are {', '.join(EDITABLE)}.")
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder):
            raise UsageError(f"{name} leads out of the folder.", "Put the file itself there.")
        if path.is_file() and path.stat().st_size > MOST:
            raise UsageError(f"{name} is too big to edit here.", "Open it in an editor.")
        return path


def _changed(name: str) -> StateError:
    return StateError(
        f"Somebody changed {name} meanwhile; nothing is written.",
        "Copy your text, reload the page, and put it in once more.",
    )
