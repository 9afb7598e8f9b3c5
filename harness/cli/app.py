"""The commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import (
    AsJson,
    Budget,
    DomainFolder,
    Files,
    Home,
    Model,
    ModelOptions,
    Policy,
    Sections,
    open_domain,
    print_json,
    read_question,
    read_sections,
)
from harness.cli.run import run
from harness.cli.run_again import runs

__all__ = ["app"]

app = typer.Typer(
    name="harness",
    help="Teach a frontier model a profession in its context window: worked examples, evals and "
    "references, packed under an exact token budget, with honest scores.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(runs)
app.command("run")(run)

Question = Annotated[str, typer.Argument(metavar="QUESTION", help="The question; - reads stdin.")]


def _version(wanted: bool) -> None:
    if wanted:
        from harness import __version__

        print(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Teach a frontier model a profession in its context window."""


@app.command("init")
def init(
    name: Annotated[str, typer.Argument(help="Name of the new domain, and of its folder.")],
    template: Annotated[
        Literal["blank", "labels", "calculations", "documents"] | None,
        typer.Option(help="What to begin with (default: blank)."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="DOMAIN", help="Copy a shipped domain instead.")
    ] = None,
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="Where to make it.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a new domain folder, with comments that say what goes where."""
    from harness.sdk.start import start_domain

    path, files = start_domain(name, folder=folder, template=template, source=source)
    if as_json:
        print_json({"domain": name, "folder": str(path), "files": [str(one) for one in files]})
        return
    print(f"Made {path} with {len(files)} files. What next:")
    print(f"  1. Read {path / 'SKILL.md'} and make it say what a senior colleague would say.")
    print(f"  2. Put your worked cases into {path / 'examples'}.")
    print(f"  3. harness lint {path}")
    print(f'  4. harness ask {path} "your question"')


@app.command("lint")
def lint(domain: DomainFolder, as_json: AsJson = False, home: Home = None) -> None:
    """Say everything that is wrong in a domain folder, with file and line."""
    from harness.cli.show import problems
    from harness.values import jsonable

    found = open_domain(domain, home=home).lint()
    if as_json:
        print_json(
            [
                {**jsonable(one.place), "code": one.code, "message": one.message}
                | {"severity": one.severity}
                for one in found
            ]
        )
    else:
        print(problems(found, domain))
    if any(one.severity == "error" for one in found):
        raise typer.Exit(1)


@app.command("schema")
def schema(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Write the files into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write JSON Schemas of all formats, for completion in editors."""
    from harness.domain.schemas import json_schemas, write_schemas

    if as_json or folder is None:
        print_json(json_schemas())
        return
    for path in write_schemas(folder):
        print(path)


@app.command("index")
def index(domain: DomainFolder, as_json: AsJson = False, home: Home = None) -> None:
    """Embed and index a domain; every other command does so by itself."""
    from harness.cli.show import indexed
    from harness.values import jsonable

    done = open_domain(domain, home=home).index()
    if as_json:
        print_json(jsonable(done))
    else:
        print(indexed(done))


@app.command("core")
def core(
    domain: DomainFolder,
    dry_run: Annotated[bool, typer.Option(help="Print the choice, write nothing.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Choose the stable core anew and write core.lock."""
    harness = open_domain(domain, home=home)
    ids = harness.core(write=not dry_run)
    if as_json:
        print_json({"domain": harness.domain.name, "core": ids, "written": not dry_run})
    elif dry_run:
        print("\n".join(ids))
    else:
        print(f"core.lock of {harness.domain.name} now names {len(ids)} examples.")


@app.command("context")
def context(
    domain: DomainFolder,
    question: Question,
    policy: Policy = None,
    budget: Budget = None,
    section: Sections = None,
    file: Files = None,
    text: Annotated[bool, typer.Option("--text", help="Print the packed text, too.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show what a model would be shown for a question, and why; no model is called."""
    from harness.cli.show import context as shown

    packed = open_domain(domain, home=home).preview(
        read_question(question),
        files=file or [],
        policy=policy,
        budget=budget,
        sections=read_sections(section),
    )
    if as_json:
        print_json(packed.to_json())
    else:
        print(shown(packed, text=text))


@app.command("ask")
def ask(
    domain: DomainFolder,
    question: Question,
    model: Model = None,
    model_option: ModelOptions = None,
    policy: Policy = None,
    budget: Budget = None,
    section: Sections = None,
    file: Files = None,
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON Schema for this answer.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Show what would leave this machine, to whom, at what cost.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Go on from the last question of this domain.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Answer a question, taught by the domain."""
    from harness.cli.ask import answer, last_question, would_send
    from harness.sdk.schema_file import read_schema

    harness = open_domain(domain, home=home, model=model, model_options=model_option)
    how = {
        "files": file or [],
        "policy": policy,
        "budget": budget,
        "sections": read_sections(section),
    }
    if dry_run:
        would_send(harness, read_question(question), how, as_json=as_json)
    else:
        how["schema"] = read_schema(schema) if schema else None
        asked = harness.conversation(last_question(harness)) if go_on else harness
        answer(asked, read_question(question), how, as_json=as_json)


@app.command("eval")
def evaluate(
    domain: DomainFolder,
    split: Annotated[Literal["dev", "holdout"], typer.Option(help="Which cases to run.")] = "dev",
    model: Model = None,
    model_option: ModelOptions = None,
    policy: Policy = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only this many cases, from a fixed shuffle.")
    ] = None,
    case: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this case. May be repeated.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Cases at once.")] = None,
    guard: Annotated[
        bool,
        typer.Option(
            "--guard/--no-guard",
            help="Keep each case, its twins and siblings out of its own context. Off, the score "
            "is inflated.",
        ),
    ] = True,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Run eval cases and say how good the answers are, and how sure that is."""
    from harness.cli.progress import Bar
    from harness.evals import report, to_json

    run = open_domain(domain, home=home, model=model, model_options=model_option).evaluate(
        split=split,
        policy=policy,
        limit=limit,
        cases=case,
        jobs=jobs,
        guard=guard,
        progress=Bar("Answered"),
    )
    if as_json:
        print_json(to_json(run))
    else:
        print(report(run), end="")
    if run.scored == 0:
        raise typer.Exit(1)


@app.command("doctor")
def doctor(as_json: AsJson = False, home: Home = None) -> None:
    """Check this machine: what works, what is missing, how to mend it."""
    from harness.sdk.doctor import examine
    from harness.settings import Settings
    from harness.values import jsonable

    findings = examine(Settings({"home": home}))
    if as_json:
        print_json(jsonable(findings))
    else:
        for one in findings:
            print(f"{one.verdict:<8}{one.what:<18}{one.detail}")
            if one.mend:
                print(f"{'':<26}{one.mend}")
    if any(one.verdict == "broken" for one in findings):
        raise typer.Exit(1)


@app.command("config")
def config(
    domain: Annotated[
        str | None, typer.Argument(metavar="[DOMAIN]", help="With the settings of this domain.")
    ] = None,
    model: Model = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show every setting, its value, and where that came from."""
    from harness.sdk.config import explain_settings
    from harness.values import jsonable

    lines = explain_settings(domain, {"home": home, "model": model})
    if as_json:
        print_json(jsonable(lines))
        return
    for line in lines:
        where = f" ({line.where})" if line.where else ""
        print(f"{line.name:<16}{line.value!s:<28}{line.origin}{where}")
        print(f"{'':<16}{line.about} {line.variable}", file=sys.stdout)


@app.command("demo")
def demo(home: Home = None) -> None:
    """Run the main job on the shipped domains: index, look at a context, ask, score."""
    from harness.cli.demo import run_demo

    run_demo(home)
