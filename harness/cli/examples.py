"""`harness examples …`, `harness correct` and `harness review`: what experts teach."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, DomainFolder, Home, open_domain, print_json, read_question
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.sdk.examples import Saved

__all__ = ["correct", "examples", "review"]

examples = typer.Typer(
    name="examples",
    help="List, add, review, retire and import worked examples.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

By = Annotated[str, typer.Option(metavar="NAME", help="Who does it (default: this user).")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the example.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why the answer is right.")]
Source = Annotated[
    str, typer.Option(metavar="NAME", help="The document, patient or contract it is from.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="WORD", help="A word for it. Repeatable.")
]


@examples.command("list")
def list_examples(
    domain: DomainFolder,
    text: Annotated[
        str, typer.Option(metavar="WORDS", help="Only those that have all of these words.")
    ] = "",
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Only approved, draft or retired ones.")
    ] = None,
    tag: Annotated[str, typer.Option(metavar="WORD", help="Only with this tag.")] = "",
    author: Annotated[str, typer.Option(metavar="NAME", help="Only by this author.")] = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """List examples, in the order of their files."""
    from harness.cli.show_examples import example_json, example_line

    if status not in (None, "approved", "draft", "retired"):
        raise UsageError(f"There is no status {status!r}.", "Known: approved, draft, retired.")
    with open_domain(domain, home=home) as harness:
        found = harness.examples.list(
            text=text,
            status=status,  # type: ignore[arg-type]  # one of the three: checked above
            tag=tag,
            author=author,
        )
    if as_json:
        print_json([example_json(one) for one in found])
        return
    for one in found:
        print(example_line(one))
    print(f"{len(found):,} examples.", file=sys.stderr)


@examples.command("similar")
def similar(
    domain: DomainFolder,
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="The question; - reads stdin.")
    ],
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many.")] = 8,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show the examples most like a question."""
    from harness.cli.show_examples import alike_json, alike_line

    with open_domain(domain, home=home) as harness:
        found = harness.examples.similar(read_question(question), most=limit)
    if as_json:
        print_json([alike_json(one) for one in found])
    else:
        print("\n".join(map(alike_line, found)) or "Nothing is like it.")


@examples.command("add")
def add(
    domain: DomainFolder,
    question: Annotated[str, typer.Option(metavar="TEXT", help="The question; - reads stdin.")],
    answer: Annotated[str, typer.Option(metavar="TEXT", help="How an expert answers it.")],
    why: Why = "",
    source: Source = "",
    tag: Tags = None,
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Write down a worked example, as a draft that waits for review."""
    with open_domain(domain, home=home) as harness:
        saved = harness.examples.propose(
            read_question(question), answer, why=why, source=source, tags=tag or [], by=by
        )
    _tell(saved, as_json=as_json)


@examples.command("from")
def from_run(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id of a run or its beginning; `last` is newest.")
    ],
    answer: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What it should have said (default: what it did); - reads stdin."
        ),
    ] = None,
    why: Why = "",
    source: Source = "",
    tag: Tags = None,
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Make a worked example of a run, as a draft: its question, its answer, and its steps."""
    from harness.cli.runs import records
    from harness.sdk.corrections import answered, propose_worked

    told = answered(records(home), run)
    right = None if answer is None else read_question(answer)
    for notice in told.notices:
        print(f"! {notice}", file=sys.stderr)
    with open_domain(told.folder, home=home) as harness:
        saved = propose_worked(
            harness.examples,
            told,
            answer=right,
            why=why,
            source=source,
            tags=tag or [],
            by=by,
        )
    _tell(saved, as_json=as_json)


@examples.command("accept")
def accept(
    domain: DomainFolder,
    name: Id,
    answer: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Mend the answer first.")
    ] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Mend the reason first.")] = None,
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Accept a draft: the next question already uses it."""
    written = {"output": answer, "why": why}
    mended: dict[str, Any] = {key: text for key, text in written.items() if text is not None}
    with open_domain(domain, home=home) as harness:
        saved = harness.examples.accept(name, by=by, **mended)
    _tell(saved, as_json=as_json)


@examples.command("reject")
def reject(
    domain: DomainFolder,
    name: Id,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever wrote it.")],
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Reject a draft. It stays in its file, retired, with the reason on record."""
    with open_domain(domain, home=home) as harness:
        saved = harness.examples.reject(name, reason, by=by)
    _tell(saved, as_json=as_json)


@examples.command("retire")
def retire(
    domain: DomainFolder,
    name: Id,
    reason: Reason = "",
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Take an example out of use. It stays in its file."""
    with open_domain(domain, home=home) as harness:
        saved = harness.examples.retire(name, reason, by=by)
    _tell(saved, as_json=as_json)


@examples.command("import")
def import_(
    domain: DomainFolder,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table or list: csv, xlsx, jsonl, yaml.")
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FIELD", help="Read this column as that field (Frage=input). Repeatable."
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Add them. Without it, only say what would be added.")
    ] = False,
    near: Annotated[
        bool, typer.Option("--near/--no-near", help="Add near-duplicates of what is there, too.")
    ] = True,
    approved: Annotated[
        bool, typer.Option("--approved", help="Use them at once, without review.")
    ] = False,
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show what importing a file would add and what is wrong with it; with --write, add it."""
    from harness.cli.show_examples import import_json, import_report

    columns = dict(_pair(one) for one in column or [])
    with open_domain(domain, home=home) as harness:
        found = harness.examples.import_(
            file,
            write=write,
            near=near,
            status="approved" if approved else "draft",
            columns=columns or None,
            by=by,
        )
    if as_json:
        print_json(import_json(found))
    else:
        print(import_report(found, wrote=write, near=near))
    if found.problems and not found.rows:
        raise typer.Exit(1)


def correct(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="The answer, by its run; `last` is the newest. Or a domain."
        ),
    ],
    answer: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What it should have been; - reads stdin (default: your editor)."
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What was asked, where no run is named; - reads stdin."),
    ] = None,
    why: Why = "",
    source: Source = "",
    steps: Annotated[
        bool, typer.Option("--steps", help="With how the run was worked, as the example's steps.")
    ] = False,
    tag: Tags = None,
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Correct an answer: it becomes a draft example for review."""
    from harness.sdk.corrections import answered

    if question is None:
        from harness.cli.runs import records

        told = answered(records(home), target)
        domain, asked, run, said = told.folder, told.question, told.run, told.answer
        worked = told.steps if steps else ()
    elif steps:
        raise UsageError("--steps are those of a run.", "Name the run instead of a domain.")
    else:
        domain, asked, run, said, worked = target, read_question(question), "", "", ()
    right = _corrected(said) if answer is None else read_question(answer)
    with open_domain(domain, home=home) as harness:
        saved = harness.examples.propose(
            asked, right, why=why, steps=worked, source=source, tags=tag or [], by=by, run=run
        )
    _tell(saved, as_json=as_json)


def _corrected(answer: str) -> str:
    """Return an answer as the person at the terminal corrects it in their editor.

    Raises:
        UsageError: There is no terminal or no editor, or nothing was changed.
    """
    from harness.cli.editor import edited

    if not sys.stdin.isatty():
        raise UsageError(
            "No answer is given.", "Give --answer, or correct it in your EDITOR at a terminal."
        )
    changed = edited(answer, ending=".md").strip("\n")
    if changed == answer.strip("\n"):
        raise UsageError("Nothing was changed, so nothing is corrected.", "Save another answer.")
    return changed


def review(
    domain: DomainFolder,
    by: By = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Go through the drafts that wait: accept, mend, reject or leave.

    On a terminal each is asked about; elsewhere, and with --json, they are listed.
    """
    from harness.cli.show_examples import review_at_terminal, waiting_json, waiting_report

    with open_domain(domain, home=home) as harness:
        waiting = harness.examples.review()
        if as_json:
            print_json([waiting_json(one) for one in waiting])
        elif not waiting:
            print("Nothing waits for review.")
        elif sys.stdin.isatty() and sys.stdout.isatty():
            review_at_terminal(harness.examples, waiting, by=by)
        else:
            print("\n\n".join(map(waiting_report, waiting)))


def _pair(option: str) -> tuple[str, str]:
    name, equals, field = option.rpartition("=")
    if not equals or not name:
        raise UsageError(f"--column {option!r} is not NAME=FIELD.", "Write Frage=input.")
    return name, field


def _tell(saved: Saved, *, as_json: bool) -> None:
    from harness.cli.show_examples import saved_json, saved_report

    shown: Any = saved_json(saved) if as_json else saved_report(saved)
    if as_json:
        print_json(shown)
    else:
        print(shown)
