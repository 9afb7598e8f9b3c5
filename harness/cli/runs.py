"""`harness runs …`: the runs of a state folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from harness.cli.options import AsJson, Home, print_json

if TYPE_CHECKING:
    from harness.sdk.records import Records

__all__ = ["runs"]

runs = typer.Typer(
    name="runs",
    help="See, follow, steer, decide on, resume, check and export runs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of a run or its beginning; `last` is the newest.")
]
Call = Annotated[
    str | None, typer.Option("--call", metavar="ID", help="Which call, where several wait.")
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; the record and the model have it.")]


def records(home: Path | None) -> Records:
    """Return the runs of the state folder."""
    from harness.sdk.records import Records
    from harness.settings import Settings

    return Records.of(Settings({"home": home}))


@runs.command("list")
def list_runs(
    domain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only runs of this domain.")
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="Only runs in this state (running, stopped, waiting, completed …).",
        ),
    ] = None,
    evals: Annotated[
        bool, typer.Option("--evals", help="Those that worked on eval cases, too.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Only so many, the newest.")] = 20,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """List runs, newest first."""
    from harness.cli.show_runs import run_json, run_table

    found = records(home).list(domain=domain, state=state, evals=evals)
    if as_json:
        print_json([run_json(one) for one in found[:limit]])
    else:
        print(run_table(found, limit))


@runs.command("show")
def show(
    run: RunId,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="DIR", help="Save its files here.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show a run: what was asked, the plan, its files, what waits for you, how it ended."""
    from harness.cli.show_runs import account, account_json, say

    known = records(home)
    name = known.find(run)
    told, files = known.show(name), known.files(name)
    listed = list(files)
    if as_json:
        print_json(account_json(told, listed))
    else:
        print(account(told, listed))
    for path in files.save(out) if out else ():
        say(str(path))


@runs.command("tail")
def tail(
    run: RunId,
    after: Annotated[int, typer.Option(min=0, metavar="N", help="Begin behind this event.")] = 0,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Follow a run as it goes on, from any process, until it ends or nobody works on it."""
    from harness.cli.show_runs import print_event

    known = records(home)
    name = known.find(run)
    for recorded in known.follow(name, after):
        print_event(recorded, as_json=as_json)
    _left_alone(known, name)


@runs.command("answer")
def answer(
    run: RunId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The answer.")],
    question: Annotated[
        str | None, typer.Option(metavar="ID", help="Which question, where several wait.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Answer a question that a run asks."""
    known = records(home)
    name = known.find(run)
    known.answer(name, text, question=question)
    _told(known, name, "answered", as_json=as_json)


@runs.command("approve")
def approve(
    run: RunId,
    call: Call = None,
    scope: Annotated[
        Literal["once", "run", "rule"],
        typer.Option(help="This call; this tool for the rest of the run; or a rule."),
    ] = "once",
    arguments: Annotated[
        str | None, typer.Option(metavar="JSON", help="Call it with these arguments instead.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(metavar="JSON", help='Of the rule, as {"path": "drafts/*"}.'),
    ] = None,
    reason: Reason = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Allow a call that waits for approval."""
    how = {
        "arguments": _object(arguments, "--arguments"),
        "pattern": _object(pattern, "--pattern"),
    }
    known = records(home)
    name = known.find(run)
    known.approve(name, call, scope=scope, reason=reason, **how)
    _told(known, name, "allowed", as_json=as_json)


@runs.command("deny")
def deny(
    run: RunId,
    call: Call = None,
    scope: Annotated[
        Literal["once", "run", "rule"],
        typer.Option(help="This call; this tool for the rest of the run; or a rule."),
    ] = "once",
    reason: Reason = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Refuse a call that waits for approval; the model is told the reason."""
    known = records(home)
    name = known.find(run)
    known.deny(name, call, scope=scope, reason=reason)
    _told(known, name, "refused", as_json=as_json)


@runs.command("steer")
def steer(
    run: RunId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say to it.")],
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Say something to a run at work; it lands at the next boundary between tools."""
    known = records(home)
    name = known.find(run)
    known.steer(name, text)
    _told(known, name, "told", as_json=as_json)


@runs.command("cancel")
def cancel(run: RunId, reason: Reason = "", as_json: AsJson = False, home: Home = None) -> None:
    """End a run; what it has done is kept."""
    known = records(home)
    name = known.find(run)
    known.cancel(name, reason)
    _told(known, name, "asked to end", as_json=as_json)


@runs.command("verify")
def verify(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Id of a run; without it, all.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Say whether a run's record is as it was written: exit code 1 where it is not."""
    from harness.cli.show_runs import verdict
    from harness.values import jsonable

    known = records(home)
    found = known.verify(known.find(run) if run else None)
    if as_json:
        print_json([{"clean": one.clean, **jsonable(one)} for one in found])
    else:
        print("\n".join(map(verdict, found)) or "There are no runs.")
    if not all(one.clean for one in found):
        raise typer.Exit(1)


@runs.command("replay")
def replay(run: RunId, as_json: AsJson = False, home: Home = None) -> None:
    """Do a run again from its record, without a model or tools: exit code 1 where it differs."""
    known = records(home)
    name = known.find(run)
    done = known.replay(name)
    count, difference = len(done.events), done.difference
    if as_json:
        told = None if difference is None else str(difference)
        print_json({"run": name, "events": count, "complete": done.complete, "difference": told})
    else:
        print(f"{name}: {count:,} events came out the same.")
        print(difference or ("All of it." if done.complete else "The record ends there."))
    if difference is not None:
        raise typer.Exit(1)


@runs.command("erase")
def erase(
    run: RunId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Destroy a run's key: nobody can read the run any more. It can't be undone."""
    from harness.cli.terminal import confirm

    known = records(home)
    name = known.find(run)
    if not yes:
        confirm(f"Erase run {name} for good?")
    known.erase(name)
    if as_json:
        print_json({"run": name, "told": "erased", "worker": ""})
    else:
        print(f"Run {name} is erased; its chain still verifies.")


def _told(known: Records, name: str, word: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"run": name, "told": word, "worker": known.journal.run(name).worker})
        return
    print(f"Run {name} is {word}.", flush=True)
    _left_alone(known, name)


def _left_alone(known: Records, name: str) -> None:
    """Say how a run goes on that nobody works on."""
    now = known.journal.run(name)
    if not now.worker and now.tally.state in ("new", "running", "waiting", "needs_input"):
        print(f"Nobody works on it now: harness runs resume {name}", file=sys.stderr)


def _object(text: str | None, option: str) -> dict[str, Any] | None:
    from harness.errors import UsageError

    if text is None:
        return None
    try:
        read = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{option} is no JSON: {error}.", 'Write {"path": "a.md"}.') from error
    if not isinstance(read, dict):
        raise UsageError(f"{option} is no JSON object.", 'Write {"path": "a.md"}.')
    return read
