"""`harness runs resume | fork | undo | replay`: runs that are there, worked on again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import AsJson, Home, Model, ModelOptions, open_domain, print_json
from harness.cli.run import (
    ApproveMode,
    BudgetTokens,
    BudgetUsd,
    MaxSteps,
    Minutes,
    asking,
    budget_of,
    in_background,
    words_of,
    work_on,
)
from harness.cli.runs import RunId, records, runs

if TYPE_CHECKING:
    from harness.sdk import Harness

__all__ = ["runs"]

Message = Annotated[
    str, typer.Option("--message", "-m", metavar="TEXT", help="Something new to say to it.")
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="DIR", help="Put the answer and the files here."),
]
DomainOption = Annotated[
    str | None,
    typer.Option("--domain", metavar="DIR", help="Its domain folder, where that has moved."),
]


def _opened(
    run: str,
    home: Path | None,
    domain: str | None,
    model: str | None = None,
    model_option: list[str] | None = None,
) -> tuple[str, Harness]:
    """Return the id of a run, and its domain, open."""
    known = records(home)
    name = known.find(run)
    folder = domain or known.folder_of(name)
    at = known.door.home
    known.door.close()
    return name, open_domain(folder, home=at, model=model, model_options=model_option)


@runs.command("resume")
def resume(
    run: RunId,
    message: Message = "",
    approve: ApproveMode = "ask",
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    max_steps: MaxSteps = None,
    minutes: Minutes = None,
    model: Model = None,
    model_option: ModelOptions = None,
    domain: DomainOption = None,
    background: Annotated[
        bool, typer.Option("--background", help="Work in a process of its own.")
    ] = False,
    out: Out = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Take a run up where it ends: killed, stopped, waiting, or out of budget."""
    if background:
        words = words_of(
            message=message or None,
            approve=approve,
            budget_usd=budget_usd,
            budget_tokens=budget_tokens,
            max_steps=max_steps,
            minutes=minutes,
            model=model,
            model_option=model_option,
            domain=domain,
            out=out,
            home=home,
        )
        name = records(home).find(run)
        words = ["runs", "resume", name, *words]
        process, log = in_background(words, "", home=home, near=".", run=name)
        if as_json:
            print_json({"run": name, "process": process, "log": str(log)})
        else:
            print(name)
        return
    name, harness = _opened(run, home, domain, model, model_option)
    budget = budget_of(budget_usd, budget_tokens, max_steps, minutes)
    with (
        harness,
        harness.runs.resume(
            name, message=message, budget=budget, model=model, **asking(approve)
        ) as work,
    ):
        work_on(work, as_json=as_json, out=out)


@runs.command("fork")
def fork(
    run: RunId,
    step: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The last step that counts.")
    ] = None,
    message: Message = "",
    approve: ApproveMode = "ask",
    model: Model = None,
    model_option: ModelOptions = None,
    domain: DomainOption = None,
    out: Out = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Go another way from a step of a run on; the run itself stays as it is."""
    name, harness = _opened(run, home, domain, model, model_option)
    with (
        harness,
        harness.runs.fork(name, step=step, message=message, model=model, **asking(approve)) as work,
    ):
        work_on(work, as_json=as_json, out=out)


@runs.command("undo")
def undo(
    run: RunId,
    turn: Annotated[
        int, typer.Argument(metavar="TURN", min=1, help="The first turn that is undone.")
    ],
    domain: DomainOption = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Bring the files of a run's workspace back to the start of a turn."""
    name, harness = _opened(run, home, domain)
    with harness:
        paths = harness.runs.undo(name, turn)
    if as_json:
        print_json({"run": name, "turn": turn, "files": list(paths)})
    else:
        print("\n".join(paths) or "Every file is already as it was.")
