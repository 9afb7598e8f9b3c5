"""The documents kit, writing: finished files, spreadsheets, and drafts with tracked changes."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.documents.markdown import blocks_of
from harness.documents.redline import Revision, revise
from harness.errors import DocumentError, FileMissing, HarnessError, WorkspaceError
from harness.tools.texts import digest_of

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from harness.documents.sheets import Sheet
    from harness.seams import Workspace

__all__ = ["Change", "SheetGiven", "writing_tools"]

_WRITABLE = (".docx", ".pdf", ".xlsx", ".md")
_MOST_SHOWN = 4_000


class Change(BaseModel):
    """One tracked change."""

    model_config = ConfigDict(extra="forbid")

    old: Annotated[
        str,
        Field(
            description="Words of one paragraph as they stand in the document. Empty with `after`."
        ),
    ] = ""
    new: Annotated[
        str | None,
        Field(
            description="What shall stand there instead. Empty: the words are struck; all words of"
            " a paragraph: the paragraph. Leave it out to only comment."
        ),
    ] = None
    after: Annotated[
        str,
        Field(
            description="Words of the paragraph after which `new` is put in as new paragraphs, one"
            " a line."
        ),
    ] = ""
    comment: Annotated[str, Field(description="A comment in the margin: why.")] = ""
    everywhere: Annotated[
        bool, Field(description="Change the words wherever they stand, not only once.")
    ] = False


def _cell_text(value: object) -> object:
    """Return a number, a truth or nothing as the text that a cell is given as."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(f"{value:.15g}"), "f")  # the digits that Excel keeps
    return value


Cell = Annotated[str, BeforeValidator(_cell_text)]
"""Text; models that write bare numbers all the same are understood."""


class SheetGiven(BaseModel):
    """A sheet of a workbook."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, description="The sheet's name.")]
    rows: Annotated[
        list[list[Cell]],
        Field(
            min_length=1,
            description="Rows of cells as text; the first row names the columns. `1,234.50`,"
            " `12.5%`, `2026-01-31` become numbers and dates, `=SUM(B2:B9)` a formula.",
        ),
    ]


def writing_tools(workspace: Workspace, author: str) -> list[BaseTool]:
    """Return `write_document`, `write_spreadsheet` and `revise_document` over a workspace."""
    desk = _Desk(workspace, author)

    def write_document(path: str, markdown: str, title: str = "") -> str:
        """Write a finished document from Markdown: Word, PDF, Excel or Markdown.

        Headings, lists, tables, bold, italic and links come out as such. In Excel each table
        becomes a sheet. To change a Word file that somebody else wrote, use `revise_document`.

        Args:
            path: Where; its ending says what it becomes: .docx, .pdf, .xlsx or .md.
            markdown: All of the document.
            title: For the foot of the pages and the file's properties.
        """
        return desk.write(path, *_made(path, markdown, title, author))

    def write_spreadsheet(path: str, sheets: list[SheetGiven]) -> str:
        """Write an Excel file with formulas; you are told which fail, or that none was tried.

        Args:
            path: Where; it ends in .xlsx.
            sheets: The sheets in order.
        """
        if _ending(path) != ".xlsx":
            raise WorkspaceError(f"`{path}` has to end in .xlsx.")
        return desk.write(path, *_workbook(sheets, author))

    def revise_document(path: str, changes: list[Change], save_as: str = "") -> str:
        """Revise a Word file with tracked changes, each of which its reader accepts or refuses.

        Read the document first. Each change is made in the words of one paragraph, or puts in
        new paragraphs; only the words that differ are marked. Either all are made or none.

        Args:
            path: The Word file.
            changes: What to change, in order.
            save_as: Where to put the revised file; leave it out to revise the file itself.
        """
        return desk.revise(path, changes, save_as)

    return [
        _tool(write_document, idempotent=True, preview=_shown_markdown),
        _tool(write_spreadsheet, idempotent=True, preview=_shown_sheets),
        _tool(revise_document, idempotent=False, preview=desk.shown_changes),
    ]


def _tool(
    function: Callable[..., str], *, idempotent: bool, preview: Callable[[Mapping[str, Any]], str]
) -> BaseTool:
    from langchain_core.tools import StructuredTool

    return StructuredTool.from_function(
        function,
        parse_docstring=True,
        metadata={
            "effect": "draft",
            "idempotent": idempotent,
            "timeout": 120,
            "preview": preview,
        },
    )


class _Desk:
    """Puts files into a workspace; what the model has not seen is not overwritten."""

    def __init__(self, workspace: Workspace, author: str) -> None:
        self._workspace = workspace
        self._author = author

    def write(self, path: str, content: bytes, notes: Sequence[str] = ()) -> str:
        """Put a file at a path, and say what was put there."""
        self._check(path)
        self._workspace.write(path, content)
        self._workspace.see(path, digest_of(content))
        return "\n".join([f"{path} is written: {len(content):,} bytes.", *notes])

    def revise(self, path: str, changes: Sequence[Change], save_as: str) -> str:
        """Revise a Word file, and say what was done."""
        content = self._workspace.read(path)
        if save_as and _ending(save_as) != ".docx":
            raise WorkspaceError(f"`{save_as}` has to end in .docx.")
        revised = revise(
            path,
            content,
            [Revision(**one.model_dump()) for one in changes],
            author=self._author,
            date=datetime.datetime.now(datetime.UTC),
        )
        target = save_as or path
        if target == path:
            self._workspace.see(path, digest_of(content))
        lines = [f"{number}. {line}" for number, line in enumerate(revised.done, 1)]
        who = f"Tracked under the name {self._author}:"
        return self.write(target, revised.content, [who, *lines])

    def _check(self, path: str) -> None:
        try:
            before = self._workspace.read(path)
        except FileMissing:
            return
        if self._workspace.seen(path) != digest_of(before):
            raise WorkspaceError(
                f"`{path}` is there already and you have not read it as it is now, so it was left"
                " alone.",
                "Read it with `read_document`, or write to another path.",
            )

    def shown_changes(self, arguments: Mapping[str, Any]) -> str:
        """Show the tracked changes that a call would make."""
        try:
            changes = [Change.model_validate(one) for one in arguments.get("changes", ())]
        except ValueError:
            return "This call would be refused: its arguments are incomplete."
        target = arguments.get("save_as") or arguments.get("path")
        lines = [f"{arguments.get('path')} → {target}, tracked under the name {self._author}:"]
        for one in changes:
            if one.after:
                lines.append(f"after “{one.after}”:\n+ {one.new}")
            else:
                lines.append(f"- {one.old}")
                lines += [f"+ {one.new}"] if one.new is not None else []
            lines += [f"  comment: {one.comment}"] if one.comment else []
        return "\n".join(lines)


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _made(path: str, markdown: str, title: str, author: str) -> tuple[bytes, list[str]]:
    """Return a document's bytes, and what there is to know about it."""
    ending = _ending(path)
    if not markdown.strip():
        raise DocumentError("`markdown` is empty.", "Give all of the document.")
    if ending == ".md":
        return markdown.encode("utf-8", "replace"), []
    blocks = blocks_of(markdown)
    if ending == ".docx":
        from harness.documents.word import docx_of

        return docx_of(blocks, title=title, author=author, footer=title), []
    if ending == ".pdf":
        from harness.documents.fonts import uncovered
        from harness.documents.pages import pdf_of

        missing = uncovered(markdown)
        made = pdf_of(blocks, title=title, author=author, footer=title)
        return made, [missing] if missing else []
    if ending == ".xlsx":
        from harness.documents.sheets import sheets_of, xlsx_of

        content, note = xlsx_of(sheets_of(blocks), title=title, author=author)
        return content, [note] if note else []
    raise WorkspaceError(
        f"`{path}` can't be written: {ending or 'no ending'} is none of {', '.join(_WRITABLE)}.",
        "Write other text files with `write_file`.",
    )


def _workbook(sheets: Sequence[SheetGiven], author: str) -> tuple[bytes, list[str]]:
    from harness.documents.sheets import Sheet, xlsx_of

    made: list[Sheet] = [
        Sheet(name=one.name, rows=tuple(map(tuple, one.rows)), formulas=True) for one in sheets
    ]
    content, note = xlsx_of(made, author=author)
    notes = [note] if note else []
    return content, [*notes, *_failed(content)]


def _failed(content: bytes) -> list[str]:
    """Return the formulas whose result is an error, for the model to mend."""
    from io import BytesIO

    from openpyxl import load_workbook

    book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    failed = [
        f"{sheet.title}!{cell.coordinate} is {cell.value}"
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "e" or (isinstance(cell.value, str) and cell.value in _ERRORS)
    ]
    more = f" and {len(failed) - 10} more" if len(failed) > 10 else ""
    return [f"These formulas fail: {', '.join(failed[:10])}{more}."] if failed else []


_ERRORS = ("#REF!", "#NAME?", "#DIV/0!", "#VALUE!", "#N/A", "#NUM!", "#NULL!")


def _shown_markdown(arguments: Mapping[str, Any]) -> str:
    return _cut(f"{arguments.get('path')}:\n{arguments.get('markdown', '')}")


def _shown_sheets(arguments: Mapping[str, Any]) -> str:
    try:
        sheets = [SheetGiven.model_validate(one) for one in arguments.get("sheets", ())]
    except (ValueError, HarnessError):
        return "This call would be refused: its arguments are incomplete."
    lines = [f"{arguments.get('path')}:"]
    for one in sheets:
        lines += [f"[{one.name}]", *("\t".join(row) for row in one.rows)]
    return _cut("\n".join(lines))


def _cut(text: str) -> str:
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[:_MOST_SHOWN]}\n… {len(text) - _MOST_SHOWN:,} more characters"
