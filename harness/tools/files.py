"""The files kit, reading: list, read and search the files of the run's workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.errors import WorkspaceError
from harness.tools.patterns import Finder
from harness.tools.texts import Texts

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from harness.seams import WorkspaceFile

__all__ = ["reading_tools"]

MOST_LISTED = 500
MOST_LINES = 400
MOST_CHARACTERS = 30_000
"""Characters of one answer to `read_file`: about what the loop keeps whole."""
MOST_FOUND = 100
LINE_SHOWN = 300
SEARCH_SECONDS = 20.0


def reading_tools(texts: Texts) -> list[BaseTool]:
    """Return `list_files`, `read_file` and `search_files` over a workspace."""
    from langchain_core.tools import StructuredTool

    def list_files(path: str = "") -> str:
        """List the files you can work with, with their sizes.

        Args:
            path: Only files in this folder; leave it out for all.
        """
        return _listing(texts, path)

    def read_file(path: str, start: int = 1, lines: int = MOST_LINES) -> str:
        """Read a file as text. PDF, Word, Excel and PowerPoint files come as their text.

        Read a file before you edit or overwrite it. A long file comes in stretches: the first
        line of the result says which lines you have and how to get the next ones.

        Args:
            path: The file, as `list_files` names it.
            start: The first line to read, counted from 1.
            lines: How many lines at most.
        """
        return _stretch(texts, path, start, lines)

    def search_files(pattern: str, path: str = "", regex: bool = False) -> str:
        """Find the lines that contain a text, in all files or in one file or folder.

        Capital and small letters count as the same. Each result is `file:line: the line`.

        Args:
            pattern: The text to look for, word for word; with `regex`, a regular expression.
            path: Only this file, or files in this folder.
            regex: Read the pattern as a regular expression, as in Python.
        """
        return _matches(texts, Finder(pattern, regex=regex, seconds=SEARCH_SECONDS), path)

    return [
        StructuredTool.from_function(
            one,
            parse_docstring=True,
            metadata={"effect": "read", "idempotent": True, "timeout": 60},
        )
        for one in (list_files, read_file, search_files)
    ]


def _below(texts: Texts, path: str) -> list[WorkspaceFile]:
    """Return the files at a path: one file, those in a folder, or all.

    Raises:
        WorkspaceError: There is no such file or folder.
    """
    files = texts.workspace.files()
    wanted = path.strip().removeprefix("./").strip("/")
    if wanted in ("", "."):
        return list(files)
    found = [one for one in files if one.path == wanted or one.path.startswith(f"{wanted}/")]
    if not found:
        raise WorkspaceError(
            f"There is no file or folder {wanted!r}.", "`list_files` without a path lists all."
        )
    return found


def _listing(texts: Texts, path: str) -> str:
    files = _below(texts, path)
    lines = [f"{one.path}  {one.bytes:,} bytes" for one in files[:MOST_LISTED]]
    if len(files) > MOST_LISTED:
        lines.append(f"… and {len(files) - MOST_LISTED:,} more; give a folder to see its files.")
    if not lines:
        lines = ["The workspace is empty."]
    oddities = texts.workspace.oddities()
    if oddities:
        lines += ["", "Not usable:", *oddities]
    return "\n".join(lines)


def _stretch(texts: Texts, path: str, start: int, lines: int) -> str:
    if start < 1 or lines < 1:
        raise WorkspaceError(f"start={start}, lines={lines}: both count from 1.")
    text, digest = texts.read(path)
    texts.workspace.see(path, digest)
    every = text.split("\n")
    if every[-1] == "" and len(every) > 1:
        every.pop()
    if not text:
        return f"{path} is empty."
    if start > len(every):
        raise WorkspaceError(f"`{path}` has {len(every):,} lines; line {start:,} is none of them.")
    shown = list(_fitting(every[start - 1 : start - 1 + lines]))
    end = start + len(shown) - 1
    head = f"{path}, lines {start:,} to {end:,} of {len(every):,}"
    if end < len(every):
        head += f"; go on with start={end + 1}"
    return f"{head}:\n" + "\n".join(shown)


def _fitting(lines: list[str]) -> Iterator[str]:
    """Yield as many lines as fit; a line too long by itself is cut, and says so."""
    room = MOST_CHARACTERS
    for number, line in enumerate(lines):
        if len(line) + 1 > room:
            if number == 0:
                cut = f" […this line has {len(line):,} characters; `search_files` finds the rest]"
                yield line[:room] + cut
            return
        room -= len(line) + 1
        yield line


def _matches(texts: Texts, finder: Finder, path: str) -> str:
    found: list[str] = []
    unread: list[str] = []
    for file in _below(texts, path):
        try:
            text, _ = texts.read(file.path)
        except WorkspaceError as error:
            unread.append(f"{file.path} was not searched: {error}")
            continue
        for number, line in finder.lines(text):
            if len(found) == MOST_FOUND:
                found.append(f"… more than {MOST_FOUND} lines; search for something rarer.")
                return "\n".join(found)
            found.append(f"{file.path}:{number}: {_around(line, finder)}")
    return "\n".join([*(found or ["No line matches."]), *unread[:10]])


def _around(line: str, finder: Finder) -> str:
    if len(line) <= LINE_SHOWN:
        return line
    at = max(0, finder.position(line) - LINE_SHOWN // 3)
    return f"{'…' if at else ''}{line[at : at + LINE_SHOWN]}…"
