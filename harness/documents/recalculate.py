"""Results of a workbook's formulas, worked out in a process of its own.

The library `formulas` knows most of Excel's functions. It is slow to start, takes what memory a
workbook asks for, and is made for trusted files: so it gets a time, a limit of memory, and no
workbook that names another file. Its licence is the EUPL, so who wants it installs it (the extra
`formulas`); without it, results are said to be missing.
"""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["Results", "results_of"]

Results = Mapping[tuple[int, int], float | str | bool]
"""Value by row and column, both counted from 1."""

SECONDS = 40
MEMORY = 3 * 2**30
"""Bytes of address space."""
MOST_FORMULAS = 20_000
ABSENT = "that needs the extra `formulas`: pip install 'domain-harness[formulas]'."


def results_of(workbook: bytes) -> tuple[dict[str, Results], str]:
    """Work out a workbook's formulas.

    Args:
        workbook: An Excel file that is safe to unpack.

    Returns:
        The results by the sheet's name in lower case, and why there are none, in words, if so.
    """
    if importlib.util.find_spec("formulas") is None:
        return {}, ABSENT
    try:
        done = subprocess.run(  # noqa: S603  # our own module, nothing of it from outside
            [sys.executable, "-W", "ignore", "-m", __name__],
            input=workbook,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, f"working them out took longer than {SECONDS} seconds."
    try:
        said = json.loads(done.stdout or b"{}")
    except ValueError:
        said = {}
    if "results" not in said:
        return {}, str(said.get("why") or "they could not be worked out here.")
    return {
        sheet: {(row, column): value for row, column, value in cells}
        for sheet, cells in said["results"].items()
    }, ""


def _main() -> None:
    """Read a workbook from stdin, and write the results as JSON to stdout."""
    _limit()
    workbook = sys.stdin.buffer.read()
    try:
        said: dict[str, Any] = {"results": _worked_out(workbook)}
    except _Refused as refused:
        said = {"why": str(refused)}
    except Exception as error:  # whatever the library meets that it does not know
        said = {"why": f"one of them is not understood ({type(error).__name__})."}
    sys.stdout.write(json.dumps(said))


class _Refused(Exception):
    """The workbook is not worked out; says why."""


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time still ends it
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _worked_out(workbook: bytes) -> dict[str, list[tuple[int, int, Any]]]:
    import tempfile
    from io import BytesIO
    from pathlib import Path

    import openpyxl

    book = openpyxl.load_workbook(BytesIO(workbook))
    places = _formulas(book)
    from formulas import ExcelModel  # slow to load: only for what is not refused

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        path.write_bytes(workbook)
        solution = ExcelModel().loads(str(path)).finish(circular=True).calculate()
    found: dict[str, list[tuple[int, int, Any]]] = {}
    for sheet, row, column, name in places:
        ranges = solution.get(f"'[book.xlsx]{sheet.upper()}'!{name}")
        value = None if ranges is None else _plain(ranges.value[0, 0])
        if value is not None:
            found.setdefault(sheet.casefold(), []).append((row, column, value))
    return found


def _formulas(book: Any) -> list[tuple[str, int, int, str]]:
    """Return where formulas stand; a workbook that names another one is refused."""
    places = []
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                if "[" in str(getattr(cell.value, "text", cell.value)):
                    raise _Refused(f"{sheet.title}!{cell.coordinate} looks into another file.")
                places.append((sheet.title, cell.row, cell.column, cell.coordinate))
    if len(places) > MOST_FORMULAS:
        raise _Refused(f"there are {len(places):,}, more than {MOST_FORMULAS:,}.")
    return places


def _plain(value: Any) -> float | str | bool | None:
    """Return a result as JSON can say it; None for one that is no value."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool | int | float):
        return value if math.isfinite(value) else None
    text = str(value)
    return None if text == "empty" else text


if __name__ == "__main__":
    _main()
