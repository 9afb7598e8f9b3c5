"""A file opened as a document, whatever it is: the one way in for all that reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import PurePosixPath

from harness.documents.grid import Grid, grid_text
from harness.documents.kinds import decoded, kind_of
from harness.documents.places import Document, Kind, Part
from harness.domain.references.reader import quiet
from harness.domain.references.structure import Section, Unreadable, tidied
from harness.errors import DocumentError

__all__ = ["open_document"]

Parts = tuple[list[Part], tuple[str, ...]]
_LINES = 200  # of a plain text in one part
_ROWS = 500  # of a table in one part


def open_document(name: str, data: bytes) -> Document:
    """Open a file as a document.

    Args:
        name: Of the file, for messages; its ending tells kinds of text apart.
        data: Its bytes.

    Raises:
        DocumentError: It can't be read; says why, and what to do.
    """
    kind, notes = kind_of(name, data)
    try:
        with quiet():
            if kind == "pdf":
                from harness.documents.pdf_text import pdf_document

                return pdf_document(name, data, notes)
            parts, more = _READERS[kind](name, data)
    except Unreadable as error:
        raise DocumentError(f"`{name}`: {error.finding.message}") from error
    except DocumentError:
        raise
    # The libraries raise almost anything on a damaged document.
    except Exception as error:
        raise DocumentError(
            f"`{name}` is a damaged or unusual {kind} document ({type(error).__name__}: "
            f"{str(error)[:120]}).",
            "Open it in its own program and save it anew.",
        ) from error
    kept = [part for part in parts if part.text.strip()]
    if not kept:
        raise DocumentError(
            f"`{name}` has no text.", "If it shows pictures of text, have it recognised (OCR)."
        )
    return _document(name, kind, kept, (*notes, *more))


def _document(name: str, kind: Kind, parts: list[Part], notes: tuple[str, ...]) -> Document:
    return Document(
        name=name,
        kind=kind,
        places=tuple(part.where for part in parts),
        read=lambda number: parts[number].text,
        notes=notes,
    )


def _word(_: str, data: bytes) -> Parts:
    from harness.documents.word_text import word_parts

    return word_parts(data), ()


def _excel(_: str, data: bytes) -> Parts:
    from harness.documents.sheet_text import sheet_parts

    return sheet_parts(data)


def _slides(_: str, data: bytes) -> Parts:
    from harness.domain.references.office import parse_pptx

    return _of_sections(parse_pptx(data).sections), ()


def _web(name: str, data: bytes) -> Parts:
    from harness.domain.references.office import parse_html

    text, notes = decoded(name, data)
    return _of_sections(parse_html(tidied(text)).sections), notes


def _markdown(name: str, data: bytes) -> Parts:
    from harness.domain.references.markdown import sections

    text, notes = decoded(name, data)
    return _of_sections(sections(tidied(text))), notes


def _of_sections(sections: tuple[Section, ...]) -> list[Part]:
    return [
        Part(
            where=section.where,
            text="".join(
                ("\n" if block.tight else "\n\n" if number else "") + block.text
                for number, block in enumerate(section.blocks)
            ),
        )
        for section in sections
    ]


def _lines(name: str, data: bytes) -> Parts:
    text, notes = decoded(name, data)
    lines = tidied(text).rstrip("\n").split("\n")
    starts = range(0, len(lines), _LINES)
    return [
        Part(
            where=f"lines {start + 1}-{min(start + _LINES, len(lines))}",
            text="\n".join(lines[start : start + _LINES]),
        )
        for start in starts
    ], notes


def _table(name: str, data: bytes) -> Parts:
    """Read CSV: what stands between the cells is found out, quoted cells may have line breaks."""
    text, notes = decoded(name, data)
    sample = text[:20_000]
    if PurePosixPath(name).suffix.lower() == ".tsv":
        delimiter = "\t"
    else:
        first = sample.split("\n", 1)[0]
        delimiter = max(",;\t|", key=lambda sign: (first.count(sign), -",;\t|".index(sign)))
    csv.field_size_limit(2**24)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    parts = []
    for start in range(0, len(rows), _ROWS):
        grid = Grid(first_row=start + 1, rows=tuple(map(tuple, rows[start : start + _ROWS])))
        where = f"rows {start + 1}-{start + len(grid.rows)}"
        parts.append(Part(where=where, text=grid_text(grid)))
    return parts, notes


_READERS: dict[Kind, Callable[[str, bytes], Parts]] = {
    "docx": _word,
    "xlsx": _excel,
    "pptx": _slides,
    "html": _web,
    "md": _markdown,
    "txt": _lines,
    "csv": _table,
}
