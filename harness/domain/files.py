"""The files of a domain folder as they are found: what is never opened, what is no text.

Nothing is opened that is not a regular file inside the folder, and nothing is read before its
size is known.
"""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.values import Place, Problem

__all__ = [
    "MAX_BYTES",
    "DomainFile",
    "Unusable",
    "decode",
    "editor_file",
    "read_bytes",
    "read_text",
    "refuse",
    "walk",
    "writable_name",
]

MAX_BYTES = 50 * 1024 * 1024
"""Bytes; a file of items or settings above this is refused before it is read."""

_MAGIC = (
    (b"PK\x03\x04", "an Excel, Word or zip file"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Office file, or one protected by a password"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3", "a database"),
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\f\r")
_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


class Unusable(Exception):
    """A file that can't be used; carries the problem to report."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainFile:
    """A file of the folder; `name` is its path from there, with forward slashes."""

    name: str
    path: Path

    @property
    def stem(self) -> str:
        """The last part of the name without its ending."""
        return PurePosixPath(self.name).stem

    @property
    def ending(self) -> str:
        """The ending in lower case, with its dot."""
        return PurePosixPath(self.name).suffix.lower()

    def unusable(self, code: str, message: str, line: int = 1, column: int = 1) -> Unusable:
        """Return the exception that says what is wrong with the file."""
        return Unusable(
            Problem(
                place=Place(file=self.name, line=line, column=column), code=code, message=message
            )
        )


def editor_file(name: str) -> bool:
    """Say whether a program left this file behind: hidden, a lock, a backup."""
    return (
        name.startswith((".", "~$")) or name.endswith("~") or name in {"Thumbs.db", "desktop.ini"}
    )


def walk(root: Path, below: str, *, deep: bool) -> Iterator[DomainFile]:
    """Yield everything in a folder of the domain that no editor left behind, by name.

    Links are yielded as they are and links to folders never entered: `refuse` says what of it
    may be opened.

    Args:
        root: The domain folder.
        below: A folder in it, as a path from there.
        deep: Enter its subfolders too.

    Raises:
        Unusable: The folder can't be listed.
    """
    folder = DomainFile(name=below, path=root / below)
    try:
        names = sorted(entry.name for entry in folder.path.iterdir())
    except NotADirectoryError:
        raise folder.unusable(
            "not-a-file", f"`{below}` is a file; it has to be a folder."
        ) from None
    except OSError as error:
        raise folder.unusable(*_says(below, error)) from error
    for name in names:
        if editor_file(name):
            continue
        found = DomainFile(name=f"{below}/{name}", path=folder.path / name)
        if found.path.is_dir() and not found.path.is_symlink():
            if deep:
                yield from walk(root, found.name, deep=True)
        else:
            yield found


def writable_name(name: str) -> bool:
    """Say whether a file's name can be put in a line of text and read back."""
    return (name.isascii() and name.isprintable()) or not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name
    )


def refuse(file: DomainFile, root: Path, *, limit: int = MAX_BYTES) -> None:
    """Make sure that a file may be opened, without opening it.

    Args:
        file: The file.
        root: The domain folder, resolved.
        limit: Most bytes.

    Raises:
        Unusable: It leads out of the folder, is no regular file, or is too big.
    """
    if not writable_name(file.name):
        shown = file.name.encode("unicode_escape", "surrogatepass").decode("ascii")
        raise DomainFile(name=shown, path=file.path).unusable(
            "file-name", "The name of this file has characters that can't be shown. Rename it."
        )
    try:
        real = file.path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError) as error:
        raise file.unusable(*_says(file.name, error)) from error
    if not real.is_relative_to(root):
        raise file.unusable(
            "outside-folder",
            f"`{file.name}` is a link that leads out of the domain folder, so it is not followed."
            " Put a copy of the file in the folder instead.",
        )
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise file.unusable("not-a-file", f"`{file.name}` is {kind}, not a file. Take it away.")
    if status.st_size > limit:
        raise file.unusable(
            "too-big",
            f"`{file.name}` has {status.st_size / 2**20:,.0f} MB; the limit is"
            f" {limit / 2**20:,.0f} MB. Split it into several files.",
        )


def read_bytes(file: DomainFile, root: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file that may be opened.

    Args:
        file: The file.
        root: The domain folder, resolved.
        limit: Most bytes.

    Raises:
        Unusable: See `refuse`; or it can't be read.
    """
    refuse(file, root, limit=limit)
    try:
        return file.path.read_bytes()
    except OSError as error:
        raise file.unusable(*_says(file.name, error)) from error


def read_text(file: DomainFile, root: Path) -> str:
    """Return the text of a file: UTF-8, with or without a byte order mark, kept as it is.

    Raises:
        Unusable: See `refuse` and `decode`.
    """
    return decode(file, read_bytes(file, root))


def decode(file: DomainFile, data: bytes) -> str:
    """Return the bytes as text; a byte order mark is taken off.

    Raises:
        Unusable: `encoding`, `binary`, or `bad-character` with its place.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise file.unusable(
                "binary", f"`{file.name}` is {kind}, not text. Save it as text, or name it rightly."
            )
    for mark, name in _BOMS:
        if data.startswith(mark):
            raise file.unusable("encoding", _not_utf8(file.name, name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        if len(data) - len(data.translate(None, _CONTROLS)) > len(data) // 50:
            raise file.unusable(
                "binary", f"`{file.name}` is not text. Save it as text in UTF-8, or take it away."
            ) from None
        raise file.unusable(
            "encoding", _not_utf8(file.name, "Windows-1252"), line, column
        ) from None
    if (at := text.find("\x00")) >= 0:
        if text[1::2].count("\x00") > len(text) // 4 or text[::2].count("\x00") > len(text) // 4:
            raise file.unusable("encoding", _not_utf8(file.name, "UTF-16"))
        raise file.unusable(
            "bad-character",
            "There is a NUL character (code 0) here, which no text may hold. Delete it.",
            text.count("\n", 0, at) + 1,
            at - text.rfind("\n", 0, at),
        )
    return text


def _not_utf8(name: str, likely: str) -> str:
    excel = "in Excel choose `CSV UTF-8`, " if name.lower().endswith(".csv") else ""
    return (
        f"`{name}` is not UTF-8 (it looks like {likely}). Save it as UTF-8: {excel}in an editor"
        " `Save with encoding`."
    )


def _says(name: str, error: Exception) -> tuple[str, str]:
    if isinstance(error, PermissionError):
        return "no-permission", f"You have no permission to read `{name}`. Ask its owner for it."
    if isinstance(error, FileNotFoundError):
        return "broken-link", f"`{name}` is a link to something that is not there. Mend it."
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "a loop of links"
    return "unreadable", f"`{name}` can't be read ({reason}). Copy it here anew."
