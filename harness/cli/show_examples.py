"""What the commands on examples print, and the review at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.values import Example, jsonable

if TYPE_CHECKING:
    from harness.improve import Import
    from harness.sdk.examples import Examples, Saved, Waiting
    from harness.sdk.likeness import Alike

__all__ = [
    "alike_json",
    "alike_line",
    "example_json",
    "example_line",
    "import_json",
    "import_report",
    "review_at_terminal",
    "saved_json",
    "saved_report",
    "waiting_json",
    "waiting_report",
]

WIDTH = 72
FIELDS = ("id", "input", "output", "why", "steps", "source", "tags", "files", "status")


def example_json(one: Example) -> dict[str, Any]:
    """Return an example as `--json` prints it."""
    said = {name: jsonable(getattr(one, name)) for name in (*FIELDS, "author", "date")}
    return {**said, "file": one.place.file, "line": one.place.line}


def example_line(one: Example) -> str:
    """Return an example on one line."""
    return f"{one.status:<9} {one.id:<28} {_short(one.input)} → {_short(one.output, 28)}"


def alike_json(one: Alike) -> dict[str, Any]:
    """Return a similar example as `--json` prints it."""
    near = {"similarity": one.similarity, "shared_words": one.shared, "near_duplicate": one.twin}
    return {**example_json(one.example), **near}


def alike_line(one: Alike) -> str:
    """Return a similar example on one line."""
    cosine = f"{one.similarity:.3f}" if one.similarity is not None else "  -  "
    mark = "  near-duplicate" if one.twin else ""
    return f"{cosine}  {example_line(one.example)}{mark}"


def saved_json(saved: Saved) -> dict[str, Any]:
    """Return what was saved as `--json` prints it."""
    return {
        "example": example_json(saved.example),
        "waits_for": saved.waits_for,
        "beside": saved.beside,
        "near": [alike_json(one) for one in saved.near],
        "warnings": [str(one) for one in saved.problems],
    }


def saved_report(saved: Saved) -> str:
    """Return what was saved, and what to know of it."""
    one = saved.example
    lines = [f"{one.id} is {one.status}, in {one.place.file}."]
    if saved.waits_for:
        lines[0] = f"{one.id} is a draft in {one.place.file}; it waits for {saved.waits_for}."
    if saved.beside:
        lines.append(f"Somebody changed {saved.beside} meanwhile: yours stands beside it.")
    lines += [f"! {problem.message}" for problem in saved.problems]
    twins = [near for near in saved.near if near.twin]
    lines += [f"! It is almost the same as {example_line(near.example)}" for near in twins]
    return "\n".join(lines)


def waiting_json(one: Waiting) -> dict[str, Any]:
    """Return a draft that waits as `--json` prints it."""
    return {
        "example": example_json(one.example),
        "agreed": list(one.agreed),
        "history": jsonable(one.history),
        "near": [alike_json(near) for near in one.near],
        "warnings": [str(problem) for problem in one.problems],
    }


def waiting_report(one: Waiting) -> str:
    """Return a draft as a reviewer reads it."""
    example = one.example
    by = f" by {example.author}" if example.author else ""
    lines = [f"{example.id}{by}, {example.date or 'no date'} ({example.place})"]
    for title, text in (("Input", example.input), ("Output", example.output), ("Why", example.why)):
        if text:
            lines += [f"  {title}:", *(f"    {line}" for line in text.split("\n"))]
    for number, step in enumerate(example.steps, start=1):
        lines += [f"  Step {number}:", *(f"    {line}" for line in step.split("\n"))]
    lines += [f"  ! {problem.message}" for problem in one.problems]
    lines += [f"  like {alike_line(near)}" for near in one.near]
    return "\n".join(lines)


def review_at_terminal(examples: Examples, waiting: list[Waiting], *, by: str) -> None:
    """Ask about each draft in turn."""
    import typer

    for number, one in enumerate(waiting, start=1):
        print(f"\n{number} of {len(waiting)}: {waiting_report(one)}\n")
        word = ""
        while word not in ("a", "m", "r", "l", "q"):
            word = typer.prompt("(a)ccept, (m)end, (r)eject, (l)eave, (q)uit").strip().lower()[:1]
        if word == "q":
            return
        try:
            if word == "a":
                print(saved_report(examples.accept(one.example.id, seen=one.example, by=by)))
            elif word == "m":
                text = typer.prompt("The answer", default=one.example.output)
                print(
                    saved_report(
                        examples.accept(one.example.id, seen=one.example, by=by, output=text)
                    )
                )
            elif word == "r":
                reason = typer.prompt("Why")
                print(saved_report(examples.reject(one.example.id, reason, by=by)))
        except HarnessError as error:  # said, and the next one is asked about
            print(f"! {error}")


def import_json(found: Import) -> dict[str, Any]:
    """Return an import as `--json` prints it."""
    return {
        "file": found.name,
        "written": found.written,
        "added": found.added,
        "columns": dict(found.columns),
        "rows": [
            {"line": row.example.place.line, "verdict": row.verdict, "near": row.near}
            | {"id": row.example.id, "input": row.example.input, "output": row.example.output}
            for row in found.rows
        ],
        "problems": [str(one) for one in found.problems],
    }


SAYS = {
    "new": "{count} new",
    "near": "{count} near-duplicates of examples that are there",
    "there": "{count} there already",
    "taken": "{count} with an id that another example has",
}


def import_report(found: Import, *, wrote: bool, near: bool) -> str:
    """Return what an import found, or did."""
    lines = [f"{name} is read as {field}." for name, field in found.columns.items()]
    counts = dict.fromkeys(SAYS, 0)
    for row in found.rows:
        counts[row.verdict] += 1
        if row.verdict != "new":
            lines.append(f"line {row.example.place.line}: {row.verdict}: {row.near}")
    lines += [str(one) for one in found.problems]
    told = [SAYS[verdict].format(count=count) for verdict, count in counts.items() if count]
    lines.append(f"{found.name}: {', '.join(told) or 'nothing to read'}.")
    if wrote:
        lines.append(f"Added {found.added} to {found.written}." if found.added else "Added none.")
    else:
        count = len(found.to_add(near=near))
        lines.append(f"{count} would be added; --write adds them." if count else "Nothing to add.")
    return "\n".join(lines)


def _short(text: str, width: int = WIDTH) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
