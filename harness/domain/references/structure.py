"""What every format is parsed into: sections of blocks, and what was found wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.domain.references.codes import Code

__all__ = ["Block", "Finding", "Parsed", "Section", "Unreadable", "tidied"]

_DROPPED = [*range(0x09), *range(0x0E, 0x20), 0x7F, 0xAD, 0xFEFF]
_SPACES = [0x0B, 0x0C, 0x85, 0xA0, 0x2028, 0x2029, 0x202F]
_TIDY: dict[int, str | None] = {**dict.fromkeys(_DROPPED), **dict.fromkeys(_SPACES, " ")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, a table or a stretch of lines that belong together.

    Attributes:
        kind: `prose` may be cut between sentences, `lines` between lines, a `table` between
            rows (its first two lines, header and rule, are repeated).
        line: Line or row where it starts, counted from 1; 1 where unknown.
        numbers: Of a spreadsheet's table, the row behind each line of the text.
        tight: No blank line stands between this and the block before, as between list items.
    """

    text: str
    kind: Literal["prose", "lines", "table", "heading"] = "prose"
    line: int = 1
    numbers: tuple[int, ...] = ()
    tight: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """What stands under one heading, or on one page, sheet or slide.

    Attributes:
        where: In words: `Dosing > Renal`, `p. 3`, `sheet Rates`, `slide 4`; may be empty.
        end: As `where`, for the section's last passage; empty where it is the same.
    """

    where: str
    blocks: tuple[Block, ...]
    end: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something wrong in a document, before it is known which file that is."""

    code: Code
    message: str
    line: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A document taken apart.

    Attributes:
        numbered: Its lines are those of the expert's file, not of a form on the way.
    """

    sections: tuple[Section, ...]
    findings: tuple[Finding, ...] = ()
    numbered: bool = True


class Unreadable(Exception):
    """Carries the finding that ends the reading of a document."""

    def __init__(self, code: Code, message: str, *, line: int = 1) -> None:
        super().__init__(message)
        self.finding = Finding(code=code, message=message, line=line)


def tidied(text: str) -> str:
    """Return the text with plain line ends and spaces; the number of lines stays.

    Control characters and soft hyphens go, other blanks become spaces, trailing ones go.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TIDY)
    # PDFs yield lone surrogates, which can be neither printed nor stored.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "\n".join(line.rstrip() for line in text.split("\n"))
