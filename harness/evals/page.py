"""An eval run as one static HTML page, plots included: opens from disk, loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from harness.evals.compare import Comparison
from harness.evals.page_cases import case_table
from harness.evals.page_compare import compared, verdict
from harness.evals.plots import bars, curve, forest
from harness.evals.report import report
from harness.evals.results import EvalRun
from harness.evals.risk import risk_curve
from harness.evals.slices import by_tag
from harness.evals.statistics import holm
from harness.values import EvalCase

__all__ = ["html_page"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto;
  padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.verdict { font-size: 1.1rem; padding: .8rem 1rem; border-left: .3rem solid #555;
  background: #f4f5f7; }
.better { border-color: #18794e; } .worse { border-color: #b4232a; }
.wide { overflow-x: auto; margin-bottom: 1rem; }
.narrow { width: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #ddd;
  vertical-align: top; }
td { overflow-wrap: break-word; }
.cases { table-layout: fixed; min-width: 56rem; }
.cases td { overflow-wrap: anywhere; }
.cases th:nth-child(1) { width: 9%; } .cases th:nth-child(2) { width: 4.5rem; }
.text { white-space: pre-wrap; } summary { cursor: pointer; }
.checks { list-style: none; margin: 0; padding: 0; } .checks .checks { padding-left: 1.2rem; }
.cases p { margin: 0 0 .3rem; }
.met { color: #18794e; } .unmet { color: #b4232a; } .open { color: #555; }
pre { white-space: pre-wrap; background: #f4f5f7; padding: 1rem; }
svg { max-width: 100%; height: auto; } .note { color: #555; font-size: .9rem; }
"""


def html_page(
    run: EvalRun,
    comparison: Comparison | Sequence[Comparison] | None = None,
    others: Sequence[EvalRun] = (),
    *,
    cases: Mapping[str, EvalCase] | None = None,
) -> str:
    """Return the page.

    Args:
        run: The run.
        comparison: With a baseline; or several, in their order.
        others: Runs to show beside it.
        cases: What the run's cases ask and check, by id; see `cases_of_run`.
    """
    held = [comparison] if isinstance(comparison, Comparison) else [*(comparison or ())]
    parts = [f"<h1>{escape(run.domain)}, {escape(run.split)} split: {escape(run.model)}</h1>"]
    parts += [verdict(one) for one in held]
    beside = [*others]
    beside += [one.first for one in held if one.first not in beside]
    parts.append("<h2>Scores with their 95 % intervals</h2>")
    parts.append(forest([(_name(one), one.score) for one in (run, *beside)]))
    if held:
        parts.append(f"<h2>Comparison{'s' if len(held) > 1 else ''}</h2>")
    for one in held:
        if len(held) > 1:
            first = f"{one.first.model}, {one.first.policy} ({one.first.run})"
            parts.append(f"<h3>Held against {escape(first)}</h3>")
        parts.append(compared(one))
    if len(held) > 1:
        said = ", ".join(f"{p:.3f}" for p in holm([one.difference.p for one in held]))
        words = f"Adjusted for {len(held)} comparisons (Holm), in their order: p = {said}."
        parts.append(f'<p class="note">{words}</p>')
    points = risk_curve(run.cases)
    if len(points) > 2:
        parts.append("<h2>Risk against coverage</h2>")
        parts.append(curve(points, across="share answered, the surest first", up="share wrong"))
    if tags := _by_tag(run):
        parts.append("<h2>By tag</h2>")
        parts.append(bars(tags))
    parts.append(f"<h2>In words</h2><pre>{escape(report(run))}</pre>")
    parts.append(case_table(run, cases or {}))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(run.domain)} {escape(run.run)}</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )


def _name(run: EvalRun) -> str:
    """Return two lines: two runs of one configuration differ in the second."""
    return f"{run.model}\n{run.policy}, {run.run}"


def _by_tag(run: EvalRun) -> list[tuple[str, float, float, float]]:
    return [
        (f"{one.tag} ({one.cases})", one.score.mean, one.score.low, one.score.high)
        for one in by_tag(run)
        if one.score.mean is not None and one.score.low is not None and one.score.high is not None
    ]
