"""The kit `compute`: calculations that the model writes, in an interpreter that can do no harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, WorkspaceError
from harness.seams_hands import Calculator, SandboxResult
from harness.tools.python_shell import in_thread
from harness.tools.texts import Texts, ending_of

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["compute_tools"]

MOST_ROWS = 200_000
MOST_READ = 20 << 20
TIMEOUT = 30.0


def compute_tools(calculator: Calculator, texts: Texts | None = None) -> list[BaseTool]:
    """Return `compute`.

    Args:
        calculator: Where it runs.
        texts: The workspace, whose files a calculation can read; None: it reads none.
    """
    from langchain_core.tools import StructuredTool

    async def compute(code: str) -> str:
        """Calculate in Python: the value of the last expression is the result.

        Use it for every figure, date and count that matters, rather than your head. It is a
        small Python: numbers, text, lists and dicts, functions, `math`, `decimal`, `datetime`,
        `json`, `csv`, `re`; no pandas, no class inheritance, no network, and files can only be
        read. Each call starts anew. For money and where rounding matters, use Decimal.

        Files of the workspace: `open("data.csv")`; `files()` lists them;
        `rows("data.csv")` or `rows("book.xlsx", "Sheet1")` gives a table as a list of dicts, one a
        row, cells of a CSV file as text; `text("letter.docx")` gives a document's text.

        Args:
            code: The calculation; several lines are fine.
        """

        def work(_: Callable[[], bool]) -> SandboxResult:
            return calculator.run(
                code, files=_readers(texts) if texts else {}, functions=_functions(texts)
            )

        return _said(await in_thread(work))

    return [
        StructuredTool.from_function(
            coroutine=compute,
            parse_docstring=True,
            metadata={"effect": "read", "idempotent": True, "timeout": TIMEOUT},
        )
    ]


def _said(result: SandboxResult) -> str:
    if result.end != "done":
        raise HarnessError("\n".join(part for part in (result.printed, result.errors) if part))
    parts = [result.printed.rstrip(), str(result.value) if result.value is not None else ""]
    return "\n".join(part for part in parts if part) or (
        "It has no result: end with an expression, or print."
    )


def _readers(texts: Texts) -> dict[str, Callable[[], bytes]]:
    def reader(path: str) -> Callable[[], bytes]:
        return lambda: _content(texts, path)

    return {one.path: reader(one.path) for one in texts.workspace.files()}


def _content(texts: Texts, path: str) -> bytes:
    content = texts.workspace.read(path)
    if len(content) > MOST_READ:
        raise WorkspaceError(
            f"`{path}` has {len(content) / 2**20:,.0f} MB; a calculation reads at most"
            f" {MOST_READ / 2**20:,.0f} MB.",
        )
    return content


def _functions(texts: Texts | None) -> dict[str, Callable[..., Any]]:
    if texts is None:
        return {}
    known = texts

    def files() -> list[str]:
        return [one.path for one in known.workspace.files()]

    def rows(path: str, sheet: str = "") -> list[dict[str, Any]]:
        content = _content(known, str(path))
        if ending_of(str(path)) in (".xlsx", ".xlsm"):
            return _sheet(str(path), content, str(sheet))
        return _csv(known, str(path))

    def text(path: str) -> str:
        _content(known, str(path))
        return known.read(str(path))[0]

    return {"files": files, "rows": rows, "text": text}


def _csv(texts: Texts, path: str) -> list[dict[str, Any]]:
    whole = texts.read(path)[0]
    try:
        dialect: Any = csv.Sniffer().sniff(whole[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    found = []
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(whole), dialect=dialect)):
            if number >= MOST_ROWS:
                raise WorkspaceError(f"`{path}` has more than {MOST_ROWS:,} rows.")
            found.append({str(key): value for key, value in row.items() if key is not None})
    except csv.Error as error:
        raise WorkspaceError(f"`{path}` can't be read as a table: {error}.") from error
    return found


def _sheet(path: str, content: bytes, name: str) -> list[dict[str, Any]]:
    """Return a sheet's rows, by its first row; formulas as the values stored with them."""
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise WorkspaceError(f"`{path}` can't be read as an Excel file.") from error
    try:
        if name and name not in book.sheetnames:
            raise WorkspaceError(
                f"`{path}` has no sheet {name!r}.", f"It has: {', '.join(book.sheetnames)}."
            )
        sheet = book[name] if name else book.worksheets[0]
        lines = sheet.iter_rows(values_only=True)
        names = [
            str(cell) if cell is not None else f"column {number}"
            for number, cell in enumerate(next(lines, ()), 1)
        ]
        found = []
        for number, line in enumerate(lines):
            if number >= MOST_ROWS:
                raise WorkspaceError(f"`{path}` has more than {MOST_ROWS:,} rows.")
            if any(cell is not None for cell in line):
                found.append(dict(zip(names, line, strict=False)))
        return found
    finally:
        book.close()
