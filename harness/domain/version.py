"""When two domain folders are the same: a hash over what matters to index and context.

The same on every machine: names are compared in Unicode NFC with forward slashes, and neither
times nor the order of the file system count.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from harness.domain.files import DomainFile, Unusable, refuse, walk

__all__ = ["folder_stamp", "folder_version"]

FILES = ("SKILL.md", "core.lock", "domain.yaml", "rubrics.yaml", "rules.yaml")
FOLDERS = ("evals", "examples", "references")

_LARGEST = 128 * 1024 * 1024  # bytes; what is larger is read by nobody


def folder_version(path: str | os.PathLike[str]) -> str:
    """Return 16 hex characters of the SHA-256 over names and bytes of all that matters.

    Files that can't be opened count by their name alone.

    Args:
        path: The domain folder.
    """
    root = Path(path).resolve()
    digest = hashlib.sha256()
    named = ((unicodedata.normalize("NFC", file.name), file) for file in _files(root))
    for name, file in sorted(named, key=lambda pair: pair[0]):
        try:
            refuse(file, root, limit=_LARGEST)
            with file.path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").digest()
        except (Unusable, OSError):
            content = b"unreadable"
        encoded = name.encode("utf-8", "surrogateescape")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]


def folder_stamp(path: str | os.PathLike[str]) -> str:
    """Return a short text that changes when a file that matters is written; opens none.

    Made of names, sizes and times of change, so it holds on one machine only.

    Args:
        path: The domain folder.
    """
    digest = hashlib.sha256()
    for file in sorted(_files(Path(path).resolve()), key=lambda one: one.name):
        try:
            status = file.path.stat()
            says = f"{file.name}\0{status.st_size}\0{status.st_mtime_ns}\n"
        except OSError:
            says = f"{file.name}\0-\n"
        digest.update(says.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _files(root: Path) -> Iterator[DomainFile]:
    for name in FILES:
        if os.path.lexists(root / name):
            yield DomainFile(name=name, path=root / name)
    for folder in FOLDERS:
        try:
            # a list, as a folder deep inside that can't be listed hides none of the others
            yield from list(walk(root, folder, deep=True)) if (root / folder).is_dir() else []
        except Unusable:
            yield DomainFile(name=folder, path=root / folder)
