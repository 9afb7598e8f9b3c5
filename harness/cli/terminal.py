"""Asking the person at the terminal, on stderr: stdout is the answer's alone, also in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from harness.journal.events import ApprovalRequested, QuestionAsked
    from harness.sdk.run import Decision

__all__ = ["confirm", "decide", "respond"]


CHOICES = "Allow? [y]es, yes for the rest of this [r]un, [e]dit it first, or [n]o: "


def decide(waits: ApprovalRequested) -> Decision:
    """Ask about a call; what is no clear yes is a no."""
    from harness.sdk.run import Decision

    letter = _line(CHOICES).strip().lower()[:1]
    if letter == "e":
        changed = _changed(waits)
        return Decision(allow=True, arguments=changed) if changed else decide(waits)
    if letter in ("y", "r"):
        return Decision(allow=True, scope="run" if letter == "r" else "once")
    reason = _line(f"Why not {waits.tool}? (the model reads it): ")
    return Decision(allow=False, reason=reason)


def _changed(waits: ApprovalRequested) -> dict[str, Any] | None:
    """Return a call's arguments as the person edits them; None where nothing came of it."""
    import json

    from harness.cli.editor import edited
    from harness.errors import HarnessError

    before = dict(waits.arguments)
    try:
        said = edited(json.dumps(before, ensure_ascii=False, indent=2) + "\n", ending=".json")
        after = json.loads(said)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return None
    except ValueError as error:
        print(f"That is no JSON: {error}. Nothing was changed.", file=sys.stderr)
        return None
    if not isinstance(after, dict) or after == before:
        print("Nothing was changed.", file=sys.stderr)
        return None
    return after


def respond(waits: QuestionAsked) -> str:
    """Ask a run's question, which has just been shown."""
    del waits
    return _line("Your answer: ")


def confirm(question: str) -> None:
    """Ask for a yes.

    Raises:
        typer.Abort: It is another word.
    """
    if _line(f"{question} [y/N]: ").strip().lower() not in ("y", "yes"):
        raise typer.Abort


def _line(question: str) -> str:
    """Return the line that a person types.

    Raises:
        typer.Abort: Nobody will type any more.
    """
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise typer.Abort
    return line.rstrip("\n")
