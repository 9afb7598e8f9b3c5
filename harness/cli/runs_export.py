"""`harness runs export`: a run for programs, for people, or on paper."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from harness.cli.options import Home
from harness.cli.run_again import runs
from harness.cli.runs import RunId, records

if TYPE_CHECKING:
    from harness.documents.export import ExportFormat
    from harness.sdk.records import Records

__all__ = ["runs", "say_notes"]

RunFormat = Literal["jsonl", "transcript", "docx", "pdf", "xlsx", "md", "json"]
BINARY = ("docx", "pdf", "xlsx")


@runs.command("export")
def export(
    run: RunId,
    form: Annotated[
        RunFormat | None,
        typer.Option(
            "--format",
            help="Every event (jsonl); all of it for people (transcript); or the answer with its "
            "sources, steps and files (the rest). By default as FILE ends, else jsonl.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write it to this file.")
    ] = None,
    home: Home = None,
) -> None:
    """Write a run to a file: its record, or its answer on paper; sealed reasoning is in none."""
    known = records(home)
    name = known.find(run)
    form = form or _by_ending(out)
    if form == "jsonl" or form == "transcript":  # noqa: PLR1714 - mypy narrows only so
        _write_record(known, name, form, out)
        return
    _write_paper(known, name, form, out)


def _by_ending(out: Path | None) -> RunFormat:
    ending = out.suffix.lower().removeprefix(".") if out else ""
    found: RunFormat = "jsonl"
    for one in get_args(RunFormat):
        if one == ending:
            found = one
    return found


def _write_record(
    known: Records, name: str, form: Literal["jsonl", "transcript"], out: Path | None
) -> None:
    pieces = known.export(name, "jsonl" if form == "jsonl" else "markdown")
    if out is None:
        sys.stdout.writelines(pieces)
        return
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
    print(out)


def _write_paper(known: Records, name: str, form: ExportFormat, out: Path | None) -> None:
    """Write a run's answer.

    Raises:
        UsageError: A binary file would go to a terminal.
    """
    from harness.errors import UsageError
    from harness.sdk.paper import write_paper

    if out is not None:
        say_notes(write_paper(known.paper(name), out, form))
        print(out)
        return
    if form in BINARY and sys.stdout.isatty():
        raise UsageError(f"A {form} file is not for a terminal.", f"Write -o {name}.{form}.")
    from harness.documents.export import export as made_of

    made = made_of(known.paper(name), form)
    say_notes(made.notes)
    if form in BINARY:
        sys.stdout.buffer.write(made.content)
    else:
        print(made.content.decode("utf-8"), end="")


def say_notes(notes: tuple[str, ...]) -> None:
    """Tell on stderr what a reader of a file should know."""
    for note in notes:
        print(f"! {note}", file=sys.stderr)
