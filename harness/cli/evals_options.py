"""Options of the commands that measure, and how those with a form of their own are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "Baseline",
    "Beside",
    "BudgetUsd",
    "CaseIds",
    "GateFlag",
    "GuardFlag",
    "Html",
    "JUnit",
    "Jobs",
    "JudgeModel",
    "Limit",
    "Margin",
    "OfRun",
    "Regrade",
    "Repeat",
    "Resume",
    "RetryErrors",
    "Reuse",
    "Sealed",
    "Split",
    "Tags",
    "Trust",
    "read_dollars",
    "read_margin",
    "usage",
]

Split = Annotated[Literal["dev", "holdout"], typer.Option(help="Which cases to run.")]
Limit = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Only this many cases, from a fixed shuffle."),
]
CaseIds = Annotated[
    list[str] | None,
    typer.Option("--case", metavar="ID", help="Only the case with this id. May be repeated."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Only cases with this tag. May be repeated."),
]
Repeat = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Ask every case so many times.")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="How many cases run at once, at most."),
]
BudgetUsd = Annotated[
    str | None, typer.Option(metavar="USD", help="Stop asking when so much is spent.")
]
JudgeModel = Annotated[
    str | None,
    typer.Option("--judge", metavar="NAME", help="provider:model that judges by rubrics."),
]
Trust = Annotated[
    bool,
    typer.Option("--trust-tools", help="Let `python` checks run the code in the domain's tools/."),
]
Margin = Annotated[
    str,
    typer.Option(metavar="SHARE", help="With --gate: what may be lost, as 2 % or 0.02."),
]
GateFlag = Annotated[
    bool,
    typer.Option(
        "--gate",
        help="Exit with 0 if no more than the margin can be lost, 2 if significantly worse, "
        "else 3.",
    ),
]
JUnit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML into this file.")
]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page with plots.")
]
Sealed = Annotated[
    bool,
    typer.Option("--sealed", help="Open the sealed cases: counted, and on record for good."),
]
GuardFlag = Annotated[
    bool,
    typer.Option(
        "--guard/--no-guard",
        help="Keep each case, its twins and siblings out of its own context. Off, the score "
        "is inflated.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the newest such run that was stopped early."),
]
RetryErrors = Annotated[
    bool,
    typer.Option("--retry-errors", help="Go on, and ask again what gave no answer."),
]
OfRun = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="The run that --resume or --retry-errors mean."),
]
Regrade = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Grade this run's answers by the checks as they are now."),
]
Reuse = Annotated[
    bool,
    typer.Option("--reuse", help="Take answers of earlier runs of the same configuration."),
]
Baseline = Annotated[str | None, typer.Option(metavar="RUN", help="Compare with this run.")]
Beside = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Also run `none` (no worked cases), `baseline:nearest` or another model on the "
        "same cases, and compare with it. May be repeated.",
    ),
]


def read_margin(text: str) -> float:
    """Return a share as it was written, `2 %` or `0.02`.

    Raises:
        UsageError: It is none, or not from 0 to 1.
    """
    from harness.domain.scalars import read_share

    try:
        share = read_share(text)
        number = float(text) if share is None else float(share)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise usage(f"--margin {text!r} is no share.", "Write 2 % or 0.02.")
    return number


def read_dollars(text: str | None) -> str | None:
    """Return an amount of dollars as it was written, without its sign.

    Raises:
        UsageError: It is none.
    """
    from decimal import Decimal, InvalidOperation

    if text is None:
        return None
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise usage(f"--budget-usd {text!r} is no amount.", "Write dollars, like 2.50.")
    return str(amount)


def usage(message: str, mend: str) -> Exception:
    """Return the error of a command line that can't be meant so."""
    from harness.errors import UsageError

    return UsageError(message, mend)
