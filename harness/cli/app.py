"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.evals import register as register_evals
from harness.cli.evals_files import register as register_eval_files
from harness.cli.examples import correct, examples, review
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
from harness.cli.people import people
from harness.cli.run import run
from harness.cli.runs_export import runs
from harness.cli.trust import trust
from harness.cli.ui import ui

__all__ = ["app"]

app = typer.Typer(
    name="harness",
    help="Teach a frontier model a profession in its context window: worked examples, evals and "
    "references, packed under an exact token budget, with honest scores.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half a second less
    context_settings={"help_option_names": ["-h", "--help"]},
)

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
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the new domain, and of its folder.")
    ],
    template: Annotated[
        Literal["blank", "labels", "calculations", "documents"] | None,
        typer.Option(help="What kind of work it is for (default: blank)."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="DOMAIN", help="Copy a domain instead, as a shipped one."),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--in", metavar="DIR", help="Folder to make it in.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a new domain folder, with comments on what goes where."""
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
    """List all that is wrong in a domain folder, by file and line."""
    from harness.cli.show import problems
    from harness.values import jsonable

    with open_domain(domain, home=home) as harness:
        found = harness.lint()
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
        Path | None, typer.Argument(metavar="DIR", help="Write the files into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write JSON Schemas of all formats, for completion in editors.

    Without a folder they are printed.
    """
    from harness.domain.schemas import json_schemas, write_schemas

    if folder is None:
        print_json(json_schemas())
        return
    paths = [str(path) for path in write_schemas(folder)]
    if as_json:
        print_json(paths)
    else:
        print("\n".join(paths))


@app.command("index")
def index(domain: DomainFolder, as_json: AsJson = False, home: Home = None) -> None:
    """Embed and index a domain.

    Every command that needs the index brings it up to date by itself.
    """
    from harness.cli.show import indexed
    from harness.values import jsonable

    with open_domain(domain, home=home) as harness:
        done = harness.index()
    if as_json:
        print_json(jsonable(done))
    else:
        print(indexed(done))


@app.command("core")
def core(
    domain: DomainFolder,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the choice, write nothing.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Choose the stable core anew, and write core.lock.

    The core is the set of examples that stand in every context of the domain, in the same order,
    so that a provider's cache serves them.
    """
    with open_domain(domain, home=home) as harness:
        ids = harness.core(write=not dry_run)
        name = harness.domain.name
    if as_json:
        print_json({"domain": name, "core": ids, "written": not dry_run})
    elif dry_run:
        print("".join(f"{one}\n" for one in ids), end="")
    else:
        count = "1 example" if len(ids) == 1 else f"{len(ids):,} examples"
        print(f"core.lock of {name} now names {count}.")


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
    """Show what a model would be shown for a question, and why.

    No model is called.
    """
    from harness.cli.show import context as shown

    with open_domain(domain, home=home) as harness:
        packed = harness.preview(
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


OnPaper = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FILE",
        help="Write the answer here, too: docx, pdf, xlsx, md or json, as the file ends.",
    ),
]


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
        bool,
        typer.Option(
            "--dry-run", help="Show what would leave this machine, to whom, at what cost."
        ),
    ] = False,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Go on from the domain's last question, with its model."),
    ] = False,
    out: OnPaper = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Answer a question, taught by the domain.

    The answer goes to stdout; what stands behind it goes to stderr.
    """
    from harness.cli.ask import answer, last_question, model_before, put_on_paper, would_send
    from harness.sdk.schema_file import read_schema

    how = {
        "files": file or [],
        "policy": policy,
        "budget": budget,
        "sections": read_sections(section),
        "schema": read_schema(schema) if schema else None,
    }
    if out is not None:
        from harness.sdk.paper import form_of

        form_of(out)  # refused before anything is asked
    if go_on and model is None:
        model = model_before(domain, home)
    with open_domain(domain, home=home, model=model, model_options=model_option) as harness:
        text = read_question(question)
        if dry_run:
            would_send(harness, text, how, as_json=as_json)
            return
        asked = harness.conversation(last_question(harness)) if go_on else harness
        given = answer(asked, text, how, as_json=as_json)
        if out is not None:
            put_on_paper(harness, given, out, text, file or [])


register_evals(app)
register_eval_files(app)


app.command("trust")(trust)


app.command("run")(run)
app.add_typer(runs)
app.command("correct")(correct)
app.command("review")(review)
app.command("ui")(ui)
app.add_typer(examples)
app.add_typer(people)


@app.command("doctor")
def doctor(as_json: AsJson = False, home: Home = None) -> None:
    """Check this machine: what works, what is missing, how to mend it."""
    from harness.cli.show import findings
    from harness.sdk.doctor import examine
    from harness.settings import Settings
    from harness.values import jsonable

    found = examine(Settings({"home": home}))
    if as_json:
        print_json(jsonable(found))
    else:
        print(findings(found))
    if any(one.verdict == "broken" for one in found):
        raise typer.Exit(1)


@app.command("config")
def config(
    domain: Annotated[
        str | None, typer.Argument(metavar="DOMAIN", help="With the settings of this domain.")
    ] = None,
    model: Model = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Show every setting, its value, and where that came from."""
    from harness.cli.show import settings
    from harness.sdk.config import explain_settings
    from harness.values import jsonable

    lines = explain_settings(domain, {"home": home, "model": model})
    if as_json:
        print_json(jsonable(lines))
    else:
        print(settings(lines))


@app.command("demo")
def demo(as_json: AsJson = False, home: Home = None) -> None:
    """Run the main job on the shipped domains.

    Each is indexed, shows a context, answers a question, and is scored on a sample of its eval
    cases, by baseline:nearest: no key, no download.
    """
    from harness.cli.demo import run_demo

    run_demo(home, as_json=as_json)
