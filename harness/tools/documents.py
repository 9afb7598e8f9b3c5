"""The documents kit, reading: documents with their places, words found in them, pages seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.documents.pictures import MOST_PAGES, pictures_of
from harness.documents.places import Document
from harness.documents.reading import open_document
from harness.documents.search import search
from harness.errors import DocumentError
from harness.tools.document_writing import writing_tools
from harness.tools.texts import digest_of

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from harness.seams import Workspace

__all__ = ["document_tools"]

MOST_CHARACTERS = 30_000
"""Characters of one answer: about what the loop keeps whole."""
MOST_CONTENTS = 60
MOST_HITS = 60
KEPT = 8
KINDS = {
    "pdf": ("PDF", "page"),
    "docx": ("Word", "part"),
    "xlsx": ("Excel", "part"),
    "pptx": ("PowerPoint", "slide"),
    "html": ("web page", "part"),
    "md": ("Markdown", "part"),
    "txt": ("text", "part"),
    "csv": ("table", "part"),
}

Content = str | list[str | dict[str, Any]]


class _Shelf:
    """Documents of a workspace; one that was opened stays so while its file stays the same."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._kept: OrderedDict[tuple[str, str], Document] = OrderedDict()

    def open(self, path: str) -> Document:
        """Return a document, and keep that the model has seen the file as it is."""
        content = self.workspace.read(path)
        key = (path, digest_of(content))
        if key not in self._kept:
            self._kept[key] = open_document(path, content)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        self.workspace.see(path, key[1])
        return self._kept[key]


def document_tools(workspace: Workspace, *, author: str = "Harness") -> list[BaseTool]:
    """Return the tools of the kit over a workspace.

    Args:
        workspace: Where the documents are.
        author: Under whose name files are written and tracked changes stand.
    """
    return [*_reading_tools(_Shelf(workspace)), *writing_tools(workspace, author)]


def _reading_tools(shelf: _Shelf) -> list[BaseTool]:
    from langchain_core.tools import StructuredTool

    def read_document(path: str, where: str = "", skip: int = 0) -> str:
        """Read a PDF, Word, Excel, PowerPoint, HTML, Markdown, text or CSV file.

        Each stretch stands under its place: page, heading, sheet or slide. Cite places as they
        are given. Excel cells are called by column and row, formulas stand beside their results.

        Args:
            path: The file.
            where: Read only this place: a page or pages (`12`, `3-7`), a heading, a sheet or
                slide, or a part of its name. Leave it out to read from the start.
            skip: Characters to skip, where the last answer told you to go on with it.
        """
        return _reading(shelf.open(path), where, skip)

    def search_document(path: str, words: str, regex: bool = False) -> str:
        """Find words within one document; each result says its place and what stands around.

        Capital and small letters count as the same, and so do line breaks and blanks.

        Args:
            path: The file.
            words: What to look for, word for word; with `regex`, a regular expression.
            regex: Read the words as a regular expression, as in Python.
        """
        return _hits(shelf.open(path), words, regex=regex)

    def look_at_pages(path: str, pages: str = "1") -> Content:
        """See pages of a PDF, or a photo, as pictures: for scans, drawings, stamps, handwriting.

        Use it only for what `read_document` can't read: pictures take much more room than text.

        Args:
            path: A PDF, PNG or JPEG file.
            pages: Of a PDF: one page or a few (`3`, `3-5`).
        """
        return _pictures(path, shelf.workspace.read(path), pages)

    tools: tuple[Callable[..., Content], ...] = (read_document, search_document, look_at_pages)
    return [
        StructuredTool.from_function(
            one,
            parse_docstring=True,
            metadata={"effect": "read", "idempotent": True, "timeout": 120},
        )
        for one in tools
    ]


def _reading(document: Document, where: str, skip: int) -> str:
    """Return as much of a place as fits, and how to go on."""
    if skip < 0:
        raise DocumentError(f"`skip` is {skip}.", "It counts characters, from 0.")
    lines = [] if where or skip else [_head(document)]
    room = MOST_CHARACTERS - sum(map(len, lines))
    passed = 0  # characters of the parts so far, shown or skipped
    for number in document.at(where):
        part = document.part(number)
        start = min(max(skip - passed, 0), len(part.text))
        if start < len(part.text) or (passed >= skip and not part.text):
            if room < len(part.text) - start and room < MOST_CHARACTERS // 2:
                return "\n".join([*lines, _go_on(where, passed + start, part.where)])
            rest = part.text[start:]
            end = len(rest) if len(rest) <= room else _line_end(rest, room)
            begun = f" (from character {start + 1:,} on)" if start else ""
            lines += [f"[{part.where}]{begun}" if part.where else begun.strip()]
            lines += [rest[:end] or "[nothing here]"]
            if end < len(rest):
                return "\n".join([*lines, _go_on(where, passed + start + end, part.where)])
            room -= end + len(lines[-2]) + 2
        passed += len(part.text)
    if not lines:
        raise DocumentError("There is no more of it.", f"It has {passed:,} characters.")
    return "\n".join(line for line in lines if line)


def _go_on(where: str, skip: int, following: str) -> str:
    place = f"where={where!r} and " if where else ""
    after = f" (it goes on with {following})" if following else ""
    return f"… go on with {place}skip={skip}{after}"


def _line_end(text: str, room: int) -> int:
    """Return where to cut a text that is too long: after a line, if one ends there."""
    at = text.rfind("\n", room // 2, room)
    return at + 1 if at > 0 else room


def _head(document: Document) -> str:
    """Return what a document is, what there is to know about it, and what stands where."""
    kind, part = KINDS[document.kind]
    count = len(document)
    lines = [f"{document.name}: {kind}, {count:,} {part}{'' if count == 1 else 's'}."]
    lines += [f"Note: {note}" for note in document.notes]
    contents = document.contents
    if not contents and count > 1 and document.kind != "pdf":
        contents = tuple(dict.fromkeys(place for place in document.places if place))
    if len(contents) > 1:
        lines.append("Contents:")
        lines += [f"  {one}" for one in contents[:MOST_CONTENTS]]
        if len(contents) > MOST_CONTENTS:
            lines.append(f"  … and {len(contents) - MOST_CONTENTS:,} more")
    return "\n".join(lines) + "\n"


def _hits(document: Document, words: str, *, regex: bool) -> str:
    lines: list[str] = []
    for hit in search(document, words, regex=regex):
        if len(lines) == MOST_HITS:
            lines.append(f"… more than {MOST_HITS}; look for something rarer.")
            break
        lines.append(f"[{hit.where}] {hit.words}" if hit.where else hit.words)
    notes = [f"Note: {note}" for note in document.notes]
    return "\n".join(lines or [f"{words!r} does not stand in {document.name}.", *notes])


def _pictures(path: str, data: bytes, pages: str) -> Content:
    import base64

    first, _, last = pages.replace("\u2013", "-").partition("-")
    if not first.strip().isdecimal() or not (last.strip() or "1").isdecimal():
        raise DocumentError(f"`pages` is {pages!r}.", "Write one page, `3`, or a few, `3-5`.")
    start = int(first)
    wanted = range(max(start - 1, 0), int(last or start))
    if not start or not wanted:
        raise DocumentError(f"`pages` is {pages!r}.", "Pages are counted from 1.")
    if len(wanted) > MOST_PAGES:
        raise DocumentError(f"{len(wanted)} pages are too many.", f"Ask for {MOST_PAGES} at most.")
    content: list[str | dict[str, Any]] = []
    for picture in pictures_of(path, data, wanted):
        encoded = base64.b64encode(picture.png).decode("ascii")
        content.append({"type": "text", "text": f"{path}, {picture.where}:"})
        content.append({"type": "image", "base64": encoded, "mime_type": "image/png"})
    return content
