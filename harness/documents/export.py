"""An answer or a finished run on paper: its text, its sources with their pages, what was done."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.documents.blocks import (
    Block,
    Heading,
    Item,
    Paragraph,
    Span,
    Spans,
    Table,
    plain,
)
from harness.documents.markdown import blocks_of
from harness.errors import DocumentError

__all__ = ["FORMATS", "Cited", "ExportFormat", "Exported", "Paper", "export"]

ExportFormat = Literal["docx", "pdf", "xlsx", "md", "json"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)

_MEDIA: dict[ExportFormat, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
}
_DEEPEST = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """A source of an answer.

    Attributes:
        where: Page, heading or sheet, in words: `p. 12`.
        quote: The words that stand there.
        verified: They were looked up and are there; None where nobody looked.
    """

    document: str
    where: str = ""
    quote: str = ""
    verified: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """What is exported. Everything but the text may be left out.

    Attributes:
        title: Stands at the top.
        question: What was asked.
        text: The answer, in Markdown.
        citations: Its sources.
        steps: What was done on the way, a line each.
        files: Names of files that came of it.
        warnings: What its reader has to know: that a check failed, that it stopped early.
        facts: Names and values about the answer: model, date, domain, version, cost.
        author: For the file's properties.
        language: Of the text, as `en` or `de`.
    """

    title: str
    text: str
    question: str = ""
    citations: tuple[Cited, ...] = ()
    steps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    author: str = ""
    language: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """A file's content, and what its reader should know: characters without a font, say."""

    content: bytes
    media_type: str
    notes: tuple[str, ...] = ()


def export(paper: Paper, form: ExportFormat) -> Exported:
    """Return an answer as a file.

    Args:
        paper: The answer.
        form: `docx`, `pdf`, `xlsx`, `md` or `json`.

    Raises:
        DocumentError: There is no such format, or it could not be made.
    """
    notes: tuple[str, ...] = ()
    match form:
        case "json":
            content = json.dumps(dataclasses.asdict(paper), ensure_ascii=False, indent=2) + "\n"
            data = content.encode("utf-8", "replace")
        case "md":
            data = _markdown(paper).encode("utf-8", "replace")
        case "docx":
            from harness.documents.word import docx_of

            blocks = _blocks(paper)
            data = docx_of(
                blocks,
                title=paper.title,
                author=paper.author,
                footer=paper.title,
                language=paper.language,
            )
        case "pdf":
            data, notes = _pdf(paper)
        case "xlsx":
            data, notes = _xlsx(paper)
        case _:
            raise DocumentError(
                f"There is no format {form!r}.", f"There are: {', '.join(FORMATS)}."
            )
    return Exported(content=data, media_type=_MEDIA[form], notes=notes)


def _pdf(paper: Paper) -> tuple[bytes, tuple[str, ...]]:
    from harness.documents.fonts import uncovered
    from harness.documents.pages import pdf_of

    blocks = _blocks(paper)
    data = pdf_of(
        blocks,
        title=paper.title,
        author=paper.author,
        footer=paper.title,
        language=paper.language,
    )
    missing = uncovered(_markdown(paper))
    return data, (missing,) if missing else ()


def _xlsx(paper: Paper) -> tuple[bytes, tuple[str, ...]]:
    """Return sheets: the answer, its tables, the sources, and what there is to know."""
    from harness.documents.sheets import Sheet, sheets_of, xlsx_of

    asked: list[Block] = [_heading(paper.title, 1)]
    if paper.question:
        asked.append(_said(paper.question))
    sheets = list(sheets_of([*asked, *_warnings(paper), *blocks_of(paper.text)]))
    sources = [block for block in _sources(paper) if isinstance(block, Table)]
    about = [block for block in _about(paper) if isinstance(block, Table)]
    for name, tables in (("Sources", sources), ("About", about)):
        for table in tables:
            rows = tuple(tuple(map(plain, row)) for row in (table.header, *table.rows))
            sheets.append(Sheet(name=name, rows=rows))
    if paper.steps:
        lines = tuple((step,) for step in paper.steps)
        sheets.append(Sheet(name="What was done", rows=(("Step",), *lines)))
    data, note = xlsx_of(sheets, title=paper.title, author=paper.author)
    return data, (note,) if note else ()


def _blocks(paper: Paper) -> list[Block]:
    blocks: list[Block] = [_heading(paper.title, 1)]
    if paper.question:
        blocks += [_heading("Question", 2)]
        blocks += [_said(part, quote=1) for part in paper.question.split("\n\n") if part.strip()]
    blocks += _warnings(paper)
    if paper.question:
        blocks.append(_heading("Answer", 2))
    blocks += _lowered(blocks_of(paper.text), 2 if paper.question else 1)
    blocks += _sources(paper)
    blocks += _listed("What was done", paper.steps, numbered=True)
    blocks += _listed("Files", paper.files)
    return blocks + _about(paper)


def _lowered(blocks: Sequence[Block], above: int) -> list[Block]:
    """Put the answer's headings below those of the paper."""
    levels = [block.level for block in blocks if isinstance(block, Heading)]
    shift = above + 1 - min(levels, default=above + 1)
    return [
        dataclasses.replace(block, level=min(max(block.level + shift, 1), _DEEPEST))
        if isinstance(block, Heading)
        else block
        for block in blocks
    ]


def _heading(text: str, level: int) -> Heading:
    return Heading(spans=_text(text), level=level)


def _said(text: str, quote: int = 0) -> Paragraph:
    return Paragraph(spans=_text(text.strip()), quote=quote)


def _text(text: str) -> Spans:
    return (Span(text=text),) if text else ()


def _warnings(paper: Paper) -> list[Block]:
    return [
        Paragraph(spans=(Span(text="Note: ", bold=True), Span(text=one))) for one in paper.warnings
    ]


def _sources(paper: Paper) -> list[Block]:
    if not paper.citations:
        return []
    checked = {True: "found there", False: "NOT found there", None: ""}
    head = ["No.", "Document", "Place", "Words"]
    rows = [
        [str(number), one.document, one.where, one.quote, checked[one.verified]]
        for number, one in enumerate(paper.citations, 1)
    ]
    if any(one.verified is not None for one in paper.citations):
        head.append("Checked")
    table = Table(
        header=tuple(map(_text, head)),
        rows=tuple(tuple(map(_text, row[: len(head)])) for row in rows),
        aligns=tuple("" for _ in head),
    )
    return [_heading("Sources", 2), table]


def _listed(title: str, lines: Sequence[str], *, numbered: bool = False) -> list[Block]:
    if not lines:
        return []
    items = [
        Item(spans=_text(line), depth=1, mark=f"{number}." if numbered else "•")
        for number, line in enumerate(lines, 1)
    ]
    return [_heading(title, 2), *items]


def _about(paper: Paper) -> list[Block]:
    if not paper.facts:
        return []
    rows = tuple((_text(name), _text(value)) for name, value in paper.facts)
    table = Table(header=(_text("What"), _text("Value")), rows=rows, aligns=("", ""))
    return [_heading("About this answer", 2), table]


# --- Markdown --------------------------------------------------------------------------------


def _markdown(paper: Paper) -> str:
    """Return the paper as Markdown; the answer's own stands in it as it was written."""
    parts = [f"# {_flat(paper.title)}"]
    if paper.question:
        quoted = "\n".join(f"> {line}".rstrip() for line in paper.question.strip().split("\n"))
        parts += ["## Question", quoted]
    parts += [f"**Note:** {_flat(one)}" for one in paper.warnings]
    if paper.question:
        parts.append("## Answer")
    parts.append(paper.text.strip())
    for block in (*_sources(paper), *_about(paper)):
        if isinstance(block, Heading):
            parts.append(f"## {plain(block.spans)}")
        elif isinstance(block, Table):
            parts.append(_table(block))
    for title, lines in (("What was done", paper.steps), ("Files", paper.files)):
        if lines:
            items = "\n".join(f"{number}. {_flat(line)}" for number, line in enumerate(lines, 1))
            parts += [f"## {title}", items]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    rows = [table.header, *table.rows]
    lines = [
        "| " + " | ".join(_flat(plain(cell)).replace("|", "\\|") for cell in row) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + " --- |" * len(table.header))
    return "\n".join(lines)


def _flat(text: str) -> str:
    return " ".join(text.split())
