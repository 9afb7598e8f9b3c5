"""Finding the documents below `references/`; one that can't be used hides no other."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.domain.files import DomainFile, Unusable, editor_file, refuse

__all__ = ["MAX_BYTES", "documents"]

MAX_BYTES = 100 * 2**20
"""Bytes; a document above this is refused before it is read."""

_LEFT_BEHIND = {"__MACOSX", "__pycache__"}


def documents(root: Path, name: str = "references") -> Iterator[DomainFile | Unusable]:
    """Yield every document below a folder of the domain, by name, or what is wrong with it.

    Hidden files and those that editors and systems leave behind are passed over; what is
    yielded as a document may be opened.

    Args:
        root: The domain folder, resolved.
        name: The folder, as a path from there. Where there is none, nothing is yielded.
    """
    folder = DomainFile(name=name, path=root / name)
    try:
        names = _listed(folder)
    except FileNotFoundError:
        return
    except PermissionError:
        message = f"You have no permission to read the folder `{name}`. Ask its owner for it."
        yield folder.unusable("no-permission", message)
        return
    except OSError as error:
        message = f"The folder `{name}` can't be read ({error.strerror}). Copy it here anew."
        yield folder.unusable("unreadable", message)
        return
    except Unusable as problem:
        yield problem
        return
    for entry in names:
        yield from _entry(root, DomainFile(name=f"{name}/{entry}", path=folder.path / entry))


def _listed(folder: DomainFile) -> list[str]:
    mode = folder.path.lstat().st_mode
    if stat.S_ISDIR(mode):
        names = (entry.name for entry in os.scandir(folder.path))
        return sorted(n for n in names if not editor_file(n) and n not in _LEFT_BEHIND)
    kind = "a link" if stat.S_ISLNK(mode) else "a file"
    message = f"`{folder.name}` is {kind}; it has to be a folder with the documents in it."
    raise folder.unusable("not-a-file", message)


def _entry(root: Path, file: DomainFile) -> Iterator[DomainFile | Unusable]:
    try:
        if stat.S_ISDIR(file.path.lstat().st_mode):
            yield from documents(root, file.name)
            return
        refuse(file, root, limit=MAX_BYTES)
    except Unusable as problem:
        yield problem
    except OSError as error:
        message = f"`{file.name}` can't be read ({error.strerror}). Copy it here anew."
        yield file.unusable("unreadable", message)
    else:
        yield file
