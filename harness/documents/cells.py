"""What a cell's text is: a number, a share, a date, a formula, or just text."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

__all__ = ["Cell", "cell_of", "unsafe_formula"]

Kind = Literal["text", "number", "date", "formula", "blank"]

_PLAIN = re.compile(
    r"(?P<open>\()?(?P<sign>[-\u2212+])?(?P<money>[$€£¥] ?)?"
    r"(?P<digits>(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*)(?P<places>\.\d+)?)"
    r"(?P<percent> ?%)?(?P<close>\))?"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_DIGITS = 15  # that Excel keeps

# What reaches out of the workbook: other programs (DDE), other files, the network.
_OUTWARD = re.compile(
    r"""\|.*!|\[|\b(?:WEBSERVICE|FILTERXML|IMAGE|RTD|CALL|REGISTER\.ID|EXEC|HYPERLINK)\s*\(""",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell as a spreadsheet holds it.

    Attributes:
        text: As it was written.
        form: Number format in Excel's own words; empty for the general one.
    """

    kind: Kind
    text: str
    number: float = 0.0
    date: datetime.date | None = None
    form: str = ""


def cell_of(text: str, *, formulas: bool = False) -> Cell:
    """Return what a text becomes in a cell.

    What is surely a number becomes one that looks the same: `1,234.50`, `(3,200)`, `12.5 %`,
    `$ 40`. `0123`, phone numbers and long codes stay the text that they are.

    Args:
        text: As it was written.
        formulas: A text that begins with `=` is one; else it stays text, so that nothing that a
            document says is run as a formula.
    """
    stripped = text.strip()
    if not stripped:
        return Cell(kind="blank", text="")
    if formulas and stripped.startswith("=") and len(stripped) > 1:
        return Cell(kind="formula", text=stripped)
    if _DATE.fullmatch(stripped):
        try:
            date = datetime.date.fromisoformat(stripped)
        except ValueError:
            return Cell(kind="text", text=text)
        if date.year >= 1901:  # Excel's first year has a day that never was
            return Cell(kind="date", text=stripped, date=date, form="yyyy-mm-dd")
    found = _PLAIN.fullmatch(stripped)
    if found and bool(found["open"]) == bool(found["close"]):
        return _number(found, text)
    return Cell(kind="text", text=text)


def _number(found: re.Match[str], text: str) -> Cell:
    digits = found["digits"]
    bare = digits.replace(",", "")
    if len(bare.replace(".", "").lstrip("0")) > _MOST_DIGITS or (found["open"] and found["sign"]):
        return Cell(kind="text", text=text)
    value = Decimal(bare)
    if found["sign"] in ("-", "\u2212") or found["open"]:
        value = -value
    places = "." + "0" * (len(found["places"]) - 1) if found["places"] else ""
    form = ("#,##0" if "," in digits else "0") + places
    if found["money"]:
        form = f'"{found["money"]}"{form}'
    if found["percent"]:
        value /= 100
        form += "%"
    if found["open"]:
        form = f"{form};({form})"
    return Cell(kind="number", text=text, number=float(value), form=form)


def unsafe_formula(formula: str) -> str:
    """Return why a formula may not be written, in words; empty where it may."""
    found = _OUTWARD.search(formula)
    if not found:
        return ""
    return f"`{formula[:80]}` reaches out of the workbook (`{found[0][:20]}`)."
