"""What the commands that measure print and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import print_json

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.evals import EvalRun
    from harness.evals.compare import Comparison

__all__ = ["exit_code", "gated", "show_run", "write_files"]


def show_run(
    run: EvalRun, comparisons: list[Comparison], margin: float | None, *, as_json: bool
) -> None:
    """Print a run with its comparisons, for a person or a machine."""
    from harness.evals import report, to_json
    from harness.evals.compare import compare_json
    from harness.evals.compare_report import compare_report

    if as_json:
        says = to_json(run)
        if comparisons:
            pairs = zip(comparisons, _adjusted(comparisons), strict=True)
            says |= {"comparisons": [compare_json(one) | {"p_adjusted": p} for one, p in pairs]}
            says |= gated(comparisons[0], margin)
        print_json(says)
        return
    print(report(run), end="")
    for one in comparisons:
        print(f"\n{compare_report(one)}", end="")
    if len(comparisons) > 1:
        said = ", ".join(f"{p:.3f}" for p in _adjusted(comparisons))
        print(f"\nAdjusted for {len(comparisons)} comparisons (Holm), in their order: p = {said}.")
    print(f"\nKept as the run {run.run}.")


def _adjusted(comparisons: list[Comparison]) -> list[float]:
    from harness.evals.statistics import holm

    return holm([one.difference.p for one in comparisons])


def gated(found: Comparison, margin: float | None) -> dict[str, Any]:
    """Return what the gate says, as JSON has it; nothing where it was not asked."""
    from harness.evals.compare import gate

    return {} if margin is None else {"gate": gate(found, margin), "margin": margin}


def exit_code(found: Comparison, margin: float) -> int:
    """Return the exit code of a gate: 0 passed, 2 significantly worse, 3 not shown."""
    from harness.evals.compare import gate

    return {"passed": 0, "worse": 2, "not shown": 3}[gate(found, margin)]


def write_files(
    run: EvalRun,
    comparisons: list[Comparison],
    others: list[EvalRun],
    junit: Path | None,
    html: Path | None,
    *,
    domain: Domain | None = None,
) -> None:
    """Write the JUnit file and the page that were asked for.

    Args:
        run: The run.
        comparisons: With other runs; the JUnit file has the first.
        others: Runs of the same cases in other ways.
        junit: Where to write the JUnit file.
        html: Where to write the page.
        domain: Has the cases; by default a folder here, or a shipped one, of the run's name.
    """
    from harness.errors import StateError

    first = comparisons[0] if comparisons else None
    try:
        if junit is not None:
            from harness.evals.junit import junit_xml

            junit.write_text(junit_xml(run, first), "utf-8", "xmlcharrefreplace")
        if html is not None:
            from harness.evals.page import html_page
            from harness.evals.page_cases import cases_of_run

            found = domain or _domain_of(run)
            cases = cases_of_run(run, found.cases, found.version) if found else None
            page = html_page(run, comparisons, others, cases=cases)
            html.write_text(page, "utf-8", "xmlcharrefreplace")
    except OSError as error:
        raise StateError(
            f"{error.filename} can't be written: {error.strerror or error}.",
            f"The run itself is kept, as {run.run}.",
        ) from error


def _domain_of(run: EvalRun) -> Domain | None:
    """Return the domain of a run's name, here or shipped; None where there is none."""
    from harness.cli.options import open_domain
    from harness.errors import HarnessError

    try:
        with open_domain(run.domain) as harness:
            found = harness.evals.domain()
    except (HarnessError, OSError):  # the page is worth writing without the questions, too
        return None
    return found if found.name == run.domain else None
