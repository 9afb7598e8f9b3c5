"""`harness run`: a long task, in the foreground or in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from harness.cli.options import (
    AsJson,
    DomainFolder,
    Files,
    Home,
    Model,
    ModelOptions,
    open_domain,
    print_json,
    read_question,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.sdk.run import Budget, Run, RunResult

__all__ = [
    "ApproveMode",
    "BudgetTokens",
    "BudgetUsd",
    "MaxSteps",
    "Minutes",
    "asking",
    "budget_of",
    "in_background",
    "run",
    "words_of",
    "work_on",
]

Goal = Annotated[str, typer.Argument(metavar="GOAL", help="What is to be done; - reads stdin.")]
ApproveMode = Annotated[
    Literal["ask", "never", "auto"],
    typer.Option(
        help="What asks for approval: wait for a person; refuse it; or do only what rules allow."
    ),
]
BudgetUsd = Annotated[
    float | None, typer.Option(min=0, metavar="USD", help="Most US dollars, assistants included.")
]
BudgetTokens = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Most tokens, input and output of all calls.")
]
MaxSteps = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Most messages of the model.")
]
Minutes = Annotated[float | None, typer.Option(min=0, metavar="M", help="Most minutes at work.")]
START_SECONDS = 120.0
"""How long a process in the background has until the run is in the journal."""


def run(
    domain: DomainFolder,
    goal: Goal,
    file: Files = None,
    approve: ApproveMode = "ask",
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    max_steps: MaxSteps = None,
    minutes: Minutes = None,
    model: Model = None,
    model_option: ModelOptions = None,
    background: Annotated[
        bool, typer.Option("--background", help="Work in a process of its own; print the id.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Put the answer and the files here."),
    ] = None,
    name: Annotated[str | None, typer.Option("--as", hidden=True)] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Work on a task with tools until it is done.

    It plans, reads, searches, writes, asks, and hands in an answer. What it does goes to stderr,
    the answer to stdout; with --json, every event is a line.
    """
    text = read_question(goal)
    if background:
        words = words_of(
            file=file,
            approve=approve,
            budget_usd=budget_usd,
            budget_tokens=budget_tokens,
            max_steps=max_steps,
            minutes=minutes,
            model=model,
            model_option=model_option,
            out=out,
            home=home,
        )
        _send_off(domain, text, words, home=home, as_json=as_json)
        return
    harness = open_domain(domain, home=home, model=model, model_options=model_option)
    with (
        harness,
        harness.run(
            text,
            files=file or [],
            budget=budget_of(budget_usd, budget_tokens, max_steps, minutes),
            name=name,
            **asking(approve),
        ) as work,
    ):
        work_on(work, as_json=as_json, out=out)


def _send_off(
    domain: str, text: str, words: list[str], *, home: Path | None, as_json: bool
) -> None:
    """Begin a run in a process of its own and print its id; `words` are its options."""
    from harness.sdk.runs import new_run_id

    name = new_run_id()
    process, log = in_background(
        ["run", domain, "-", *words, "--as", name], text, home=home, near=domain, run=name
    )
    if as_json:
        print_json({"run": name, "process": process, "log": str(log)})
    else:
        print(name)
        print(f"Follow it: harness runs tail {name}", file=sys.stderr)


def budget_of(
    usd: float | None, tokens: int | None, steps: int | None, minutes: float | None
) -> Budget | None:
    """Return the budget that options say; None where they say none."""
    from harness.sdk.run import Budget

    if usd is tokens is steps is minutes is None:
        return None
    return Budget(usd=usd, tokens=tokens, steps=steps, minutes=minutes)


def asking(approve: str) -> dict[str, Any]:
    """Return how a run asks: at the terminal, where there is one."""
    if approve == "ask" and sys.stdin.isatty() and sys.stderr.isatty():
        from harness.cli.terminal import decide, respond

        return {"approve": decide, "respond": respond}
    attended = os.environ.get("HARNESS_BACKGROUND") == "1"
    return {"approve": approve, "attended": attended}


def work_on(work: Run, *, as_json: bool, out: Path | None) -> None:
    """Drive a run to its end and print it; exits 1 where it did not complete."""
    from harness.cli.show_runs import json_line, say, told
    from harness.journal.events import Recorded

    for item in work.recorded():
        if not isinstance(item, Recorded):
            continue
        if as_json:
            print(json_line(item), flush=True)
        elif words := told(item.event):
            say(words)
    result = work.result
    waits = result.stop == "needs_input"
    if not as_json and result.text and not waits:
        print(result.text)
    if out is not None:
        for path in put_out(work, result, out):
            say(str(path))
    if waits:
        say(f"Run {work.id} waits for you: harness runs show {work.id}")
    else:
        say(f"Run {work.id}")
    if not result.completed:
        raise typer.Exit(1)


def put_out(work: Run, result: RunResult, folder: Path) -> list[Path]:
    """Save the files that came of a run, and its answer, in a folder; return their paths."""
    from harness.cli.show_runs import say, since_lines

    files = work.artifacts
    for line in since_lines(list(files)):
        say(line)
    written = files.save(folder)
    if result.text:
        answer = next(
            path
            for path in (folder / f"answer{mark}.md" for mark in ("", *range(2, 10_000)))
            if path not in written
        )
        folder.mkdir(parents=True, exist_ok=True)
        answer.write_text(f"{result.text}\n", "utf-8", newline="\n")
        written.append(answer)
    return written


def words_of(**options: Any) -> list[str]:
    """Return options as words of a command line."""
    words: list[str] = []
    for name, value in options.items():
        every = value if isinstance(value, list) else [] if value is None else [value]
        for one in every:
            words += [f"--{name.replace('_', '-')}", str(one)]
    return words


def in_background(
    words: list[str], said: str, *, home: Path | None, near: str, run: str
) -> tuple[int, Path]:
    """Start a command in a session of its own; return when it works on the run.

    Args:
        words: The command.
        said: What it reads from standard input.
        home: The state folder.
        near: The domain, near which the state folder is looked for.
        run: The run that it works on.

    Returns:
        The id of its process, and its log.

    Raises:
        StateError: It ended before it had begun.
    """
    from harness.cli.runs import records
    from harness.settings import Settings, find_home

    folder = find_home(Settings({"home": home}), Path(near)) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{run}.log"
    known = records(folder.parent)
    events = {one.run: one.events for one in known.list()}
    with log.open("wb") as writes, tempfile.TemporaryFile() as reads:
        reads.write(said.encode("utf-8", "surrogateescape"))
        reads.seek(0)
        process = subprocess.Popen(  # noqa: S603 - this very program, with the user's own words
            [sys.executable, "-c", "from harness.cli import main; main()", *words],
            stdin=reads,
            stdout=writes,
            stderr=writes,
            start_new_session=True,
            env={**os.environ, "HARNESS_BACKGROUND": "1"},
        )

    def begun() -> bool:
        return any(one.run == run and one.events > events.get(run, 0) for one in known.list())

    _wait(begun, process, log)
    return process.pid, log


def _wait(begun: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the run has begun.

    Raises:
        StateError: The process ended before, or takes too long.
    """
    from harness.errors import StateError

    end = time.monotonic() + START_SECONDS
    while not begun():
        if process.poll() is not None:
            raise StateError(
                "The run could not begin: " + log.read_text("utf-8", "replace").strip()[-2_000:]
            )
        if time.monotonic() > end:
            raise StateError("The run has not begun yet.", f"See {log}.")
        time.sleep(0.1)
