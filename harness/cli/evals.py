"""The commands that measure: eval, compare, evals, ablate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from harness.cli.evals_show import exit_code, gated, show_run, write_files
from harness.cli.options import (
    AsJson,
    DomainFolder,
    Home,
    Model,
    ModelOptions,
    Policy,
    open_domain,
    print_json,
)

if TYPE_CHECKING:
    from harness.evals import EvalRun
    from harness.evals.compare import Comparison
    from harness.sdk import Harness

__all__ = ["BudgetUsd", "Jobs", "read_dollars", "register"]

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


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("eval")(evaluate)
    app.command("compare")(compare)
    app.command("evals")(evals)
    app.command("ablate")(ablate)


def evaluate(
    domain: DomainFolder,
    split: Split = "dev",
    sealed: Annotated[
        bool,
        typer.Option("--sealed", help="Open the sealed cases: counted, and on record for good."),
    ] = False,
    model: Model = None,
    model_option: ModelOptions = None,
    policy: Policy = None,
    limit: Limit = None,
    case: CaseIds = None,
    tag: Tags = None,
    repeat: Repeat = None,
    jobs: Jobs = None,
    guard: Annotated[
        bool,
        typer.Option(
            "--guard/--no-guard",
            help="Keep each case, its twins and siblings out of its own context. Off, the score "
            "is inflated.",
        ),
    ] = True,
    budget_usd: BudgetUsd = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the newest such run that was stopped early."),
    ] = False,
    retry_errors: Annotated[
        bool,
        typer.Option("--retry-errors", help="Go on, and ask again what gave no answer."),
    ] = False,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="The run that --resume or --retry-errors mean."),
    ] = None,
    regrade: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Grade this run's answers by the checks as they are now."),
    ] = None,
    reuse: Annotated[
        bool,
        typer.Option("--reuse", help="Take answers of earlier runs of the same configuration."),
    ] = False,
    judge: JudgeModel = None,
    trust_tools: Trust = False,
    baseline: Annotated[
        str | None, typer.Option(metavar="RUN", help="Compare with this run.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also run `none` (no worked cases), `baseline:nearest` or another model on the "
            "same cases, and compare with it. May be repeated.",
        ),
    ] = None,
    gate: GateFlag = False,
    margin: Margin = "0",
    junit: JUnit = None,
    html: Html = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Run eval cases: how good the answers are, and how sure that is.

    Stopped early, it keeps the cases that are done; --resume goes on.
    """
    from harness.cli.progress import EvalBar

    if gate and not baseline and not beside:
        raise _usage("--gate compares with a run, and none is named.", "Give --baseline RUN.")
    share = _share(margin)
    again = resume or retry_errors or run is not None
    wishes: dict[str, Any] = {
        "split": "sealed" if sealed else split,
        "limit": limit,
        "cases": case,
        "tags": tag,
        "repeats": repeat,
        "jobs": jobs,
        "guard": guard,
        "budget_usd": read_dollars(budget_usd),
        "judge": judge,
        "trust_tools": trust_tools,
    }
    options = {"home": home, "model_options": model_option}
    with open_domain(domain, model=model, **options) as harness:  # type: ignore[arg-type]
        if baseline:
            harness.evals.load(baseline)  # said before anything is asked, not after
        found = harness.evaluate(
            **wishes,
            policy=policy,
            resume=(run or "latest") if again else None,
            retry_errors=retry_errors,
            regrade=regrade,
            reuse=reuse,
            watch=EvalBar("Answered"),
        )
        others = [_beside(harness, name, domain, wishes, home) for name in beside or []]
        compared = _compared(harness, found, [*([baseline] if baseline else []), *others])
    comparisons = [one for one in compared if not isinstance(one, str)]
    write_files(found, comparisons, others, junit, html)
    show_run(found, comparisons, share if gate else None, as_json=as_json)
    for one in compared:
        if isinstance(one, str):
            print(f"harness: {one}", file=sys.stderr)
    if found.scored == 0 or (baseline and isinstance(compared[0], str)):
        raise typer.Exit(1)
    if gate:
        raise typer.Exit(exit_code(comparisons[0], share) if comparisons else 1)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Id of a run.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Id of the run held against it.")],
    gate: GateFlag = False,
    margin: Margin = "0",
    junit: JUnit = None,
    html: Html = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Say whether run B is better than A, worse, or neither is shown."""
    from harness.evals.compare import compare as held
    from harness.evals.compare import compare_json
    from harness.evals.compare_report import compare_report
    from harness.sdk.evals import load
    from harness.settings import Settings, find_home

    share = _share(margin)
    settings = Settings({"home": home})
    state = find_home(settings)
    found = held(*(load(state, run, settings) for run in (first, second)))
    write_files(found.second, [found], [], junit, html)
    if as_json:
        print_json(compare_json(found) | gated(found, share if gate else None))
    else:
        print(compare_report(found), end="")
    if gate:
        raise typer.Exit(exit_code(found, share))


def evals(domain: DomainFolder, as_json: AsJson = False, home: Home = None) -> None:
    """List the eval runs of a domain that are kept, the newest first."""
    with open_domain(domain, home=home) as harness:
        found = harness.evals.runs()
    if as_json:
        print_json(found)
        return
    for one in found:
        state = "" if one["finished"] else "  stopped early"
        print(f"{one['run']}  {one['split']}{state}")
    if not found:
        print("No eval run is kept. `harness eval` makes one.")


def ablate(
    domain: DomainFolder,
    split: Split = "dev",
    model: Model = None,
    model_option: ModelOptions = None,
    limit: Limit = None,
    tag: Tags = None,
    repeat: Repeat = None,
    jobs: Jobs = None,
    budget_usd: BudgetUsd = None,
    judge: JudgeModel = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show what the context is worth: none of it, part of it, all.

    The same cases are run each way, and held case by case against `none`.
    """
    from harness.cli.progress import EvalBar
    from harness.evals.ablation import ablation_json, ablation_report

    with open_domain(domain, home=home, model=model, model_options=model_option) as harness:
        found = harness.evals.ablate(
            split=split,
            limit=limit,
            tags=tag,
            repeats=repeat,
            jobs=jobs,
            budget_usd=read_dollars(budget_usd),
            judge=judge,
            watch=EvalBar("Answered"),
        )
    if as_json:
        print_json(ablation_json(found))
    else:
        print(ablation_report(found), end="")


# --- parts ------------------------------------------------------------------------------------


def _beside(
    harness: Harness, name: str, domain: str, wishes: dict[str, Any], home: Path | None
) -> EvalRun:
    """Run the same cases without worked cases, or by another model."""
    from harness.cli.progress import EvalBar

    bar = EvalBar(f"Answered by {name}")
    if name == "none":
        return harness.evaluate(**wishes, policy="none", watch=bar)
    with open_domain(domain, home=home, model=name) as other:
        return other.evaluate(**wishes, watch=bar)


def _compared(
    harness: Harness, run: EvalRun, others: Sequence[EvalRun | str]
) -> list[Comparison | str]:
    """Return the comparisons, or why there is none: the run itself is worth printing anyway."""
    from harness.errors import EvalError

    found: list[Comparison | str] = []
    for other in others:
        try:
            found.append(harness.evals.compare(other, run))
        except EvalError as error:
            found.append(str(error))
    return found


def _share(text: str) -> float:
    from harness.domain.scalars import read_share

    try:
        share = read_share(text)
        number = float(text) if share is None else float(share)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise _usage(f"--margin {text!r} is no share.", "Write 2 % or 0.02.")
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
        raise _usage(f"--budget-usd {text!r} is no amount.", "Write dollars, like 2.50.")
    return str(amount)


def _usage(message: str, mend: str) -> Exception:
    from harness.errors import UsageError

    return UsageError(message, mend)
