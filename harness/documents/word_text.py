"""Word as text: headings, numbered clauses, tables, notes, comments and tracked changes.

The body reads as if every change were accepted; what was inserted and deleted, by whom and when,
stands in a part of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.documents.places import Part
from harness.documents.word_beside import parts_beside
from harness.documents.word_numbers import Numbers
from harness.documents.word_paragraph import BOX, FALLBACK, paragraph_text
from harness.documents.word_xml import W
from harness.domain.references.structure import tidied

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["opened", "word_parts"]

_W = f"{{{W}}}"
_VAL = f"{_W}val"
_UNTITLED = 60  # paragraphs in a part of a document without headings


def opened(data: bytes) -> Document:
    """Return a Word file, also one with macros, opened by python-docx."""
    import docx
    from docx.opc.constants import CONTENT_TYPE
    from docx.opc.package import OpcPackage
    from docx.opc.part import PartFactory, XmlPart
    from docx.parts.document import DocumentPart

    # python-docx opens only plain documents; macros and templates are the same inside.
    main = "application/vnd.ms-word.document.macroEnabled.main+xml"
    template = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
    for kind in (main, template):
        PartFactory.part_type_for.setdefault(kind, DocumentPart)
    for kind in (CONTENT_TYPE.WML_FOOTNOTES, CONTENT_TYPE.WML_ENDNOTES):
        PartFactory.part_type_for.setdefault(kind, XmlPart)  # so that notes can be revised
    package: Any = OpcPackage.open(BytesIO(data))
    part = package.main_document_part
    if part.content_type in (CONTENT_TYPE.WML_DOCUMENT_MAIN, main, template):
        document: Document = part.document
        return document
    return docx.Document(BytesIO(data))  # says itself what it is


def word_parts(data: bytes) -> list[Part]:
    """Return a Word file's parts: one a heading, then what stands beside the text."""
    document = opened(data)
    return [*_Body(document).parts(), *parts_beside(document)]


@dataclass(slots=True)
class _Open:
    """The part being read."""

    where: str
    lines: list[str] = field(default_factory=list)
    count: int = 0


class _Body:
    """Reads the text from the first paragraph to the last."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._numbers = Numbers(document)
        self._levels = _heading_levels(document)
        self._path: list[tuple[int, str]] = []
        self._done: list[_Open] = []
        self._open = _Open("")

    def parts(self) -> list[Part]:
        """Return the parts of the text."""
        for block in _blocks(self._document.element.body):
            if block.tag == f"{_W}p":
                self._paragraph(block)
            else:
                self._open.lines.append(_table_text(block))
        self._done.append(self._open)
        if not self._path:
            self._name_untitled()
        return [
            Part(where=one.where, text=tidied("\n\n".join(one.lines)))
            for one in self._done
            if one.lines
        ]

    def _paragraph(self, block: Any) -> None:
        text = paragraph_text(block).strip()
        number = self._numbers.label(block)
        if not text:
            return
        level = self._level(block)
        if level:
            self._begin(level, f"{number} {text}".strip())
        elif not self._path and self._open.count >= _UNTITLED:
            self._done.append(self._open)
            self._open = _Open("")
        self._open.count += 1
        mark = "#" * level + " " if level else ""
        self._open.lines.append(f"{mark}{number} {text}" if number else mark + text)

    def _begin(self, level: int, title: str) -> None:
        """Begin a part at a heading; a heading with nothing of its own goes with the next."""
        alone = len(self._open.lines) > 0 and all(line.startswith("#") for line in self._open.lines)
        below = bool(self._path) and level > self._path[-1][0]
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        short = " ".join(title.split())
        self._path.append((level, short if len(short) <= 120 else f"{short[:119]}…"))
        where = " > ".join(one for _, one in self._path)
        if alone and below:
            self._open.where = where
        else:
            self._done.append(self._open)
            self._open = _Open(where)

    def _level(self, block: Any) -> int:
        """Return a paragraph's level as a heading: by its style, or its own outline level."""
        properties = block.find(f"{_W}pPr")
        if properties is None:
            return 0
        outline = properties.find(f"{_W}outlineLvl")
        if outline is not None and (outline.get(_VAL) or "9").isdecimal():
            own = int(outline.get(_VAL) or 9)
            return own + 1 if own < 9 else 0
        style = properties.find(f"{_W}pStyle")
        return self._levels.get(style.get(_VAL) or "", 0) if style is not None else 0

    def _name_untitled(self) -> None:
        start = 1
        for one in self._done:
            one.where = f"paragraphs {start}-{start + one.count - 1}"
            start += one.count
        if len(self._done) == 1:
            self._done[0].where = ""


def _heading_levels(document: Document) -> dict[str, int]:
    """Return the level of every style that is a heading, also by the style it is based on."""
    levels: dict[str, int] = {}
    for style in document.styles.element.findall(f"{_W}style"):
        identity = style.get(f"{_W}styleId") or ""
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        based = style.find(f"{_W}basedOn")
        name = style.find(f"{_W}name")
        value = outline.get(_VAL) or "" if outline is not None else ""
        if value.isdecimal() and int(value) < 9:
            levels[identity] = int(value) + 1
        elif name is not None and (name.get(_VAL) or "").casefold() == "title":
            levels[identity] = 1
        elif based is not None and not value and (based.get(_VAL) or "") in levels:
            levels[identity] = levels[based.get(_VAL) or ""]
    return levels


def _blocks(parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables in order, also those in content controls and text boxes."""
    for child in parent:
        if child.tag == f"{_W}p":
            yield child
            for box in child.iter(BOX):
                if not any(above.tag == FALLBACK for above in box.iterancestors()):
                    yield from _blocks(box)
        elif child.tag == f"{_W}tbl":
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins"):
            yield from _blocks(child)


def _table_text(table: Any) -> str:
    """Return a table as Markdown; a merged cell has its text once, then `←` and `↑`."""
    rows: list[list[str]] = []
    for row in table.iter(f"{_W}tr"):
        if next((one for one in row.iterancestors(f"{_W}tbl")), None) is not table:
            continue  # of a table inside of a cell
        cells: list[str] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tr")) is not row:
                continue
            cells += _cell_texts(cell)
        rows.append(cells)
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def _cell_texts(cell: Any) -> list[str]:
    """Return a cell's text and the marks of the columns that it spans."""
    texts = (paragraph_text(one) for one in cell.iter(f"{_W}p"))
    text = " ".join(" ".join(texts).replace("|", "\\|").split())
    properties = cell.find(f"{_W}tcPr")
    span = properties.find(f"{_W}gridSpan") if properties is not None else None
    merge = properties.find(f"{_W}vMerge") if properties is not None else None
    if merge is not None and merge.get(_VAL) != "restart":
        text = "↑"
    columns = int(span.get(_VAL) or 1) if span is not None else 1
    return [text] + ["←"] * (min(columns, 200) - 1)
