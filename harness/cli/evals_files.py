"""The commands around evals that read and write files: map, seal, judge, import, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli.evals_options import BudgetUsd, Jobs, read_dollars
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
    from harness.evals.labels import Calibration
    from harness.sdk.bulk import BulkEstimate

__all__ = ["register"]

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("map")(map_)
    app.command("seal")(seal)
    app.command("judge")(judge)
    app.command("import")(import_)
    app.command("export")(export)


def map_(
    domain: DomainFolder,
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="An .xlsx, .csv or .jsonl file.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The table with the answers.")
    ],
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of the questions (default: input, question)."),
    ] = None,
    model: Model = None,
    model_option: ModelOptions = None,
    policy: Policy = None,
    jobs: Jobs = None,
    budget_usd: BudgetUsd = None,
    yes: Yes = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Answer every row of a table.

    New columns: `answer`; `nearest_similarity`, how near the nearest worked case that was shown
    is to the row (at most 1; it says how familiar the row is, not that the answer is right);
    `citations`, quotes that were found in the references; `cost_usd`; `error`. A domain that
    answers by label adds `confidence`: how far the ten nearest worked cases have the answer's
    label (0 to 1; for sorting, it is no probability). From Excel to Excel they are put beside
    the rows of the first sheet, and the rest of the workbook stays. What it would send and cost
    is said first. Stopped, the same command goes on.
    """
    from harness.cli.progress import EvalBar
    from harness.sdk.bulk import estimate_rows
    from harness.sdk.rows import refuse_target
    from harness.values import in_dollars, jsonable

    refuse_target(table, output)
    with open_domain(domain, home=home, model=model, model_options=model_option) as harness:
        wanted = estimate_rows(harness, table, column=column, policy=policy)
        print(_would_send(wanted), file=sys.stderr)
        if wanted.rows and wanted.destination and not yes:
            _confirm("Send them?")
        done = harness.evals.map(
            table,
            output,
            column=column,
            policy=policy,
            jobs=jobs,
            budget_usd=read_dollars(budget_usd),
            watch=EvalBar("Answered"),
        )
    if as_json:
        print_json({**jsonable(done), "target": str(done.target)})
    else:
        empty = f" ({done.unasked:,} of them without a question)" if done.unasked else ""
        print(
            f"{_rows(done.rows)} in {done.target}: {done.asked:,} asked now, {done.failed:,}"
            f" without an answer{empty}; {in_dollars(done.cost_usd)}."
        )
    if done.stopped:
        print(f"harness: {done.stopped}", file=sys.stderr)
    if done.failed == done.rows:
        raise typer.Exit(1)


def _would_send(wanted: BulkEstimate) -> str:
    """Return what answering the rest of a table would send, in a sentence."""
    from harness.values import in_dollars

    apart = [f"{wanted.done:,} answered before"] if wanted.done else []
    apart += [f"{wanted.unasked:,} without a question"] if wanted.unasked else []
    beside = f" (besides {' and '.join(apart)})" if apart else ""
    if not wanted.rows:
        return f"Nothing is left to ask{beside}."
    to = f"to {wanted.destination}" if wanted.destination else "nowhere: it runs here"
    return (
        f"{_rows(wanted.rows)} to ask{beside}, about {wanted.input_tokens:,} tokens of input"
        f" ({in_dollars(wanted.input_cost_usd)} before answers), {to}, by {wanted.model}."
    )


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def seal(
    domain: DomainFolder,
    split: Annotated[
        Literal["sealed", "dev", "holdout"],
        typer.Option(help="What to seal; `sealed` is what stands open in evals/sealed/."),
    ] = "sealed",
    yes: Yes = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Encrypt eval cases with a key kept outside the folder.

    The open files are deleted. Publish the hash that it prints: it shows later that the cases
    are still the same.
    """
    if not yes:
        _confirm(f"The open files of the {split} split of {domain} will be deleted. Seal it?")
    with open_domain(domain, home=home) as harness:
        done = harness.evals.seal(split)
    if as_json:
        said = {"domain": done.domain, "cases": done.cases, "sha256": done.sha256}
        print_json({**said, "file": str(done.file), "key": str(done.key)})
        return
    print(f"Sealed {done.cases:,} cases of {done.domain} into {done.file}.")
    print(f"sha256 {done.sha256}")
    print(f"The key is {done.key}. Without it nobody can open them: keep a copy elsewhere.")


def judge(
    domain: DomainFolder,
    run: RunId,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Hold a run's judge against the experts' labels in labels.csv."""
    from harness.values import jsonable

    with open_domain(domain, home=home) as harness:
        found = harness.evals.calibrate(run)
    if as_json:
        print_json(jsonable(found))
    else:
        print(_calibration(found), end="")


def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="promptfoo's YAML, Inspect's JSON dataset, or a .csv or .xlsx."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="New YAML file, as evals/dev.yaml."),
    ],
    kind: Annotated[
        Literal["promptfoo", "inspect"] | None,
        typer.Option("--kind", help="Whose file it is (default: told from what is in it)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take over the cases of another eval tool, or of a table.

    What did not carry over is said. A table has the columns id, input, expected, tags and
    check:NAME; it may also stand as it is as evals/dev.csv or evals/dev.xlsx.
    """
    from harness.sdk.exchange import import_cases

    found = import_cases(source, output, kind)
    if as_json:
        print_json({"cases": len(found.cases), "file": str(output), "lost": found.lost})
        return
    cases = f"{len(found.cases):,} case{'' if len(found.cases) == 1 else 's'}"
    print(f"Wrote {cases} into {output}. Read them before you use them.")
    for what, count in sorted(found.lost.items(), key=lambda pair: -pair[1]):
        print(f"  not carried over ({count:,}x): {what}")


def export(
    domain: DomainFolder,
    run: RunId,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="New file, as run.eval.")
    ],
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Write an eval run as a log of Inspect (.eval)."""
    from harness.sdk.exchange import export_inspect

    with open_domain(domain, home=home) as harness:
        count = export_inspect(harness, run, output)
    if as_json:
        print_json({"run": run, "cases": count, "file": str(output)})
    else:
        print(f"Wrote {count:,} case{'' if count == 1 else 's'} of {run} into {output}.")


def _confirm(question: str) -> None:
    from harness.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to say yes.", "Give --yes.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise typer.Exit(1)


def _calibration(found: Calibration) -> str:
    overall = found.agreement

    def share(value: float | None, low: float, high: float) -> str:
        if value is None:
            return "none to judge by"
        return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"

    lines = [
        f"{overall.n:,} verdicts that experts labelled, too.",
        f"met, says the expert, and so does the judge (TPR): "
        f"{share(overall.tpr, *overall.tpr_interval)}",
        f"not met, and so says the judge (TNR): {share(overall.tnr, *overall.tnr_interval)}",
    ]
    if overall.kappa is not None:
        low, high = overall.kappa_interval
        lines.append(f"Cohen's kappa {overall.kappa:.2f} ({low:.2f} to {high:.2f})")
    for name, one in found.by_criterion.items():
        kappa = "" if one.kappa is None else f", kappa {one.kappa:.2f}"
        lines.append(f"  {name}: {one.n:,} labels{kappa}")
    if found.corrected is not None:
        fixed = found.corrected
        lines.append(
            f"criteria met, corrected by the labels: {100 * fixed.mean:.1f} %"
            f" ({100 * fixed.low:.1f} to {100 * fixed.high:.1f})"
        )
    if found.warning:
        lines.append(f"! {found.warning}")
    return "\n".join(lines) + "\n"
