"""The files that belong to a question, read as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import UsageError

__all__ = ["quotable", "read_files"]


def read_files(paths: str | Path | Sequence[str | Path]) -> list[tuple[str, str]]:
    """Return the name and text of each file; one path alone will do.

    Raises:
        UsageError: A file is missing or can't be read as text.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    if not paths:
        return []
    from harness.domain.references.document import read_document

    read = []
    for path in map(Path, paths):
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not a file.", "Name the files in it.")
        if not path.is_file():
            raise UsageError(f"There is no file {path}.", "Check the path.")
        read.append((path.name, read_document(path)))
    return read


def quotable(paths: str | Path | Sequence[str | Path]) -> dict[str, Callable[[], bytes]]:
    """Return what reads each file, by its name; one path alone will do."""
    if isinstance(paths, str | Path):
        paths = [paths]
    return {path.name: path.read_bytes for path in map(Path, paths)}
