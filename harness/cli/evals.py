"""The commands that measure: eval, compare, evals, ablate."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.evals_options import (
    Baseline,
    Beside,
    BudgetUsd,
    CaseIds,
    GateFlag,
    GuardFlag,
    Html,
    Jobs,
    JudgeModel,
    JUnit,
    Limit,
    Margin,
    OfRun,
    Regrade,
    Repeat,
    Resume,
    RetryErrors,
    Reuse,
    Sealed,
    Split,
    Tags,
    Trust,
    read_dollars,
    read_margin,
    usage,
)
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
    from harness.evals import EvalRun, RunRecord
    from harness.evals.compare import Comparison
    from harness.sdk import Harness
    from harness.sdk.options import EvalOptions

__all__ = ["register"]

NEWEST = 20
"""Runs that are listed for people."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("eval")(evaluate)
    app.command("compare")(compare)
    app.command("evals")(evals)
    app.command("ablate")(ablate)


def evaluate(
    domain: DomainFolder,
    split: Split = "dev",
    sealed: Sealed = False,
    model: Model = None,
    model_option: ModelOptions = None,
    policy: Policy = None,
    limit: Limit = None,
    case: CaseIds = None,
    tag: Tags = None,
    repeat: Repeat = None,
    jobs: Jobs = None,
    guard: GuardFlag = True,
    budget_usd: BudgetUsd = None,
    resume: Resume = False,
    retry_errors: RetryErrors = False,
    run: OfRun = None,
    regrade: Regrade = None,
    reuse: Reuse = False,
    judge: JudgeModel = None,
    trust_tools: Trust = False,
    baseline: Baseline = None,
    beside: Beside = None,
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
    if gate and not baseline and not beside:
        raise usage("--gate compares with a run, and none is named.", "Give --baseline RUN.")
    share = read_margin(margin)
    same: EvalOptions = {
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
    own: EvalOptions = {
        "policy": policy,
        "resume": (run or "latest") if resume or retry_errors or run is not None else None,
        "retry_errors": retry_errors,
        "regrade": regrade,
        "reuse": reuse,
    }
    with open_domain(domain, model=model, home=home, model_options=model_option) as harness:
        found = _measured(harness, domain, same, own, baseline=baseline, beside=beside, home=home)
        folder = None if html is None else harness.evals.domain()
    write_files(found.run, found.comparisons, found.others, junit, html, domain=folder)
    raise typer.Exit(_shown(found, share if gate else None, as_json=as_json))


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

    if first == second:
        raise usage(f"Both are the run {first}.", "Name two; `harness evals` lists them.")
    share = read_margin(margin)
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
        newest = [] if as_json else harness.evals.records(NEWEST)
    if as_json:
        print_json(found)
        return
    rows = [_row(one) for one in newest]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    if len(found) > len(rows):
        print(f"{len(found) - len(rows):,} older ones: --json lists them all.")
    if not found:
        print("No eval run is kept. `harness eval` makes one.")


def _row(record: RunRecord) -> tuple[str, ...]:
    """Return what tells a run from others, in columns."""
    how, count = record.conditions, len(record.cases)
    state = "" if record.finished else "stopped early"
    cases = f"{count:,} case{'' if count == 1 else 's'}"
    return how.run, how.split, cases, how.model, how.policy, state


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


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A run, and what it was held against.

    Attributes:
        others: Runs of the same cases in other ways.
        problems: Why there is no comparison with a run; the run itself is worth printing anyway.
        baseless: The baseline is one of those.
    """

    run: EvalRun
    others: list[EvalRun]
    comparisons: list[Comparison]
    problems: list[str]
    baseless: bool


def _shown(found: _Measured, margin: float | None, *, as_json: bool) -> int:
    """Print what came of it; return the exit code: with a margin, the gate's."""
    show_run(found.run, found.comparisons, margin, as_json=as_json)
    for problem in found.problems:
        print(f"harness: {problem}", file=sys.stderr)
    if found.run.scored == 0 or found.baseless:
        return 1
    if margin is None:
        return 0
    return exit_code(found.comparisons[0], margin) if found.comparisons else 1


def _measured(
    harness: Harness,
    domain: str,
    same: EvalOptions,
    own: EvalOptions,
    *,
    baseline: str | None,
    beside: list[str] | None,
    home: Path | None,
) -> _Measured:
    """Run the cases, in the other ways too, and compare.

    Args:
        harness: Open over the domain.
        domain: Its folder.
        same: What holds for every way.
        own: What holds for the run itself alone.
        baseline: A kept run to compare with.
        beside: The other ways.
        home: The state folder.
    """
    from harness.cli.progress import EvalBar
    from harness.errors import EvalError

    if baseline:
        harness.evals.load(baseline)  # said before anything is asked, not after
    asked: EvalOptions = {**same, **own, "watch": EvalBar("Answered")}
    run = harness.evaluate(**asked)
    others = [_beside(harness, name, domain, same, home) for name in beside or []]
    comparisons, problems, baseless = [], [], False
    held: list[EvalRun | str] = [*([baseline] if baseline else []), *others]
    for other in held:
        try:
            comparisons.append(harness.evals.compare(other, run))
        except EvalError as error:
            problems.append(str(error))
            baseless = baseless or other is baseline
    return _Measured(
        run=run,
        others=others,
        comparisons=comparisons,
        problems=problems,
        baseless=baseless,
    )


def _beside(
    harness: Harness, name: str, domain: str, same: EvalOptions, home: Path | None
) -> EvalRun:
    """Run the same cases without worked cases, or by another model."""
    from harness.cli.progress import EvalBar

    asked: EvalOptions = {**same, "watch": EvalBar(f"Answered by {name}")}
    if name == "none":
        asked["policy"] = "none"
        return harness.evaluate(**asked)
    with open_domain(domain, home=home, model=name) as other:
        return other.evaluate(**asked)
