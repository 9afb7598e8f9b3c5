"""An answer or a run put on paper: what was asked, said, done, and where it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.documents.export import FORMATS, Cited, ExportFormat, Paper
from harness.errors import UsageError
from harness.journal.artifacts import artifacts_of
from harness.journal.events import (
    MessageCompleted,
    Recorded,
    RunFinished,
    RunStarted,
    ToolFinished,
    ToolStarted,
)
from harness.loop.gate import quotes_in
from harness.values import in_dollars

if TYPE_CHECKING:
    from harness.journal.parts import Citation
    from harness.values import Answer, ItemReport, Usage

__all__ = ["FindQuote", "form_of", "paper_of_answer", "paper_of_events", "write_paper"]

FindQuote = Callable[[str, str], "Citation | None"]
_WIDE = 160
_MOST_SHOWN = 30
_SILENT = ("finish", "plan")
"""Tools that say nothing of how the work was done."""


def form_of(path: Path) -> ExportFormat:
    """Return the format that a file's ending names.

    Raises:
        UsageError: It names none.
    """
    ending = path.suffix.lower().removeprefix(".")
    known: dict[str, ExportFormat] = {**{one: one for one in FORMATS}, "markdown": "md"}
    if ending in known:
        return known[ending]
    raise UsageError(
        f"{path.name} names no format.", f"Let it end in {', '.join(f'.{one}' for one in FORMATS)}."
    )


def write_paper(paper: Paper, path: Path, form: ExportFormat | None = None) -> tuple[str, ...]:
    """Write a paper to a file; return what its reader should know: characters without a font.

    Args:
        paper: The answer.
        path: The file; folders on the way are made.
        form: The format; by default as the file's ending says.

    Raises:
        UsageError: The ending names no format.
        DocumentError: It could not be made.
        OSError: It can't be written.
    """
    from harness.documents.export import export

    made = export(paper, form or form_of(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.content)
    return made.notes


def paper_of_answer(
    answer: Answer, *, title: str, question: str, find_quote: FindQuote, language: str = "en"
) -> Paper:
    """Return an answer as a paper.

    Args:
        answer: The answer.
        title: Stands at the top.
        question: What was asked.
        find_quote: Looks up a quote of the answer.
        language: Of the text.
    """
    return Paper(
        title=title,
        question=question,
        text=answer.text,
        citations=citations_in(answer.text, find_quote),
        warnings=answer.warnings,
        facts=(
            ("Model", answer.model),
            ("Domain", f"{answer.domain}, version {answer.version}"),
            ("Run", answer.run),
            *_used(answer.usage),
            *_shown("References shown to the model", answer.passages),
            *_shown("Examples shown to the model", answer.demonstrations),
        ),
        language=language,
    )


def paper_of_events(events: Iterable[Recorded], find_quote: FindQuote | None = None) -> Paper:
    """Return a run as a paper, as far as it has come.

    Args:
        events: Of the run, in order.
        find_quote: Looks up quotes where the run did not; None leaves them as they are.
    """
    every = list(events)
    started: RunStarted | None = None
    finished: RunFinished | None = None
    said = ""
    for recorded in every:
        match recorded.event:
            case RunStarted() as event if started is None:
                started = event
            case MessageCompleted(purpose="step") as event:
                said, finished = event.text or said, None
            case RunFinished() as event:
                finished = event
    paper = Paper(
        title=started.domain if started else "",
        question=started.goal if started else "",
        text=(finished.answer if finished else "") or said,
        steps=tuple(_steps(every)),
        files=tuple(one.path for one in artifacts_of(one.event for one in every)),
        facts=_facts(every, started, finished),
    )
    if finished is None:
        return replace(paper, warnings=("The run has not ended; this is how far it has come.",))
    kept = tuple(
        Cited(document=one.document, where=one.where, quote=one.quote, verified=one.verified)
        for one in finished.citations
    )
    if not kept and find_quote is not None:
        kept = citations_in(paper.text, find_quote)
    stopped = finished.stop != "completed"
    ended = (f"The run ended before its work was done: {finished.stop}.",) if stopped else ()
    return replace(paper, citations=kept, warnings=(*ended, *finished.problems))


def citations_in(text: str, find_quote: FindQuote) -> tuple[Cited, ...]:
    """Return the quotes of an answer, looked up; one of an unknown source is not judged."""
    found = []
    for source, quote in quotes_in(text):
        citation = find_quote(source, quote)
        if citation is None:
            found.append(Cited(document=source, quote=quote))
            continue
        found.append(
            Cited(
                document=citation.document,
                where=citation.where,
                quote=quote,
                verified=citation.verified,
            )
        )
    return tuple(found)


def _steps(events: Iterable[Recorded]) -> Iterable[str]:
    """Yield what was done, a line for each call of a tool."""
    calls: dict[str, ToolStarted] = {}
    for recorded in events:
        event = recorded.event
        if isinstance(event, ToolStarted):
            calls[event.call] = event
        elif isinstance(event, ToolFinished) and event.call in calls:
            begun = calls.pop(event.call)
            if begun.tool not in _SILENT:
                mark = " (failed)" if event.error else ""
                yield f"{begun.tool}{mark}: {_arguments(begun)} → {_line(event.text)}"


def _arguments(begun: ToolStarted) -> str:
    values = list(begun.arguments.values())
    if len(values) == 1 and isinstance(values[0], str):
        return _line(values[0])
    return _line(json.dumps(begun.arguments, ensure_ascii=False, default=str))


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDE else f"{line[:_WIDE]}…"


def _facts(
    events: list[Recorded], started: RunStarted | None, finished: RunFinished | None
) -> tuple[tuple[str, str], ...]:
    if started is None:
        return ()
    return (
        ("Model", started.model),
        ("Domain", f"{started.domain}, version {started.domain_version}"),
        ("Run", events[0].run),
        ("Began", f"{events[0].at:%Y-%m-%d %H:%M} UTC"),
        *((("Steps", f"{finished.steps:,}"), *_used(finished.usage)) if finished else ()),
    )


def _used(usage: Usage) -> tuple[tuple[str, str], ...]:
    tokens = f"{usage.input_tokens:,} in, {usage.output_tokens:,} out"
    return (("Tokens", tokens), ("Cost", in_dollars(usage.cost_usd)))


def _shown(name: str, items: tuple[ItemReport, ...]) -> tuple[tuple[str, str], ...]:
    """Return what stood in the context, the nearest last, as it stood there."""
    if not items:
        return ()
    ids = [one.id for one in items[-_MOST_SHOWN:]]
    more = f" and {len(items) - len(ids):,} more" if len(items) > len(ids) else ""
    return ((name, ", ".join(ids) + more),)
