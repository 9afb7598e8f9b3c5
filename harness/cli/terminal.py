"""Asking the person at the terminal, on stderr: stdout is the answer's alone, also in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from harness.journal.events import ApprovalRequested, QuestionAsked
    from harness.sdk.run import Decision

__all__ = ["confirm", "decide", "respond"]


def decide(waits: ApprovalRequested) -> Decision:
    """Ask about a call; what is no clear yes is a no."""
    from harness.sdk.run import Decision

    word = _line("Allow? [y]es, [r]un: yes for the rest of this run, or [n]o: ")
    letter = word.strip().lower()[:1]
    if letter in ("y", "r"):
        return Decision(allow=True, scope="run" if letter == "r" else "once")
    reason = _line(f"Why not {waits.tool}? (the model reads it): ")
    return Decision(allow=False, reason=reason)


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
