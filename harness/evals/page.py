"""An eval run as one static HTML page, plots included: opens from disk, loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.evals.compare import Comparison
from harness.evals.compare_report import compare_report
from harness.evals.plots import bars, curve, forest
from harness.evals.report import report
from harness.evals.results import CaseResult, EvalRun
from harness.evals.risk import risk_curve
from harness.evals.slices import by_tag

__all__ = ["html_page"]

MOST_CASES = 2_000
"""Cases that the page lists; it says how many more there are."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { font-size: 1.1rem; padding: .8rem 1rem; border-left: .3rem solid #555;
  background: #f4f5f7; }
.better { border-color: #18794e; } .worse { border-color: #b4232a; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #ddd;
  vertical-align: top; }
pre { white-space: pre-wrap; background: #f4f5f7; padding: 1rem; }
pre.table { white-space: pre; overflow-x: auto; }
svg { max-width: 100%; height: auto; } .note { color: #555; font-size: .9rem; }
"""


def html_page(
    run: EvalRun, comparison: Comparison | None = None, others: Sequence[EvalRun] = ()
) -> str:
    """Return the page.

    Args:
        run: The run.
        comparison: With a baseline.
        others: Runs to show beside it.
    """
    parts = [f"<h1>{escape(run.domain)}, {escape(run.split)} split: {escape(run.model)}</h1>"]
    if comparison is not None:
        kind = comparison.verdict.replace(" ", "-")
        parts.append(f'<p class="verdict {kind}">{escape(comparison.sentence)}</p>')
    beside = [*others]
    if comparison is not None and comparison.first not in beside:
        beside.append(comparison.first)
    parts.append("<h2>Scores with their 95 % intervals</h2>")
    parts.append(forest([(_name(one), one.score) for one in (run, *beside)]))
    if comparison is not None:
        parts.append("<h2>Comparison</h2>")
        table = compare_report(comparison).removeprefix(comparison.sentence).lstrip("\n")
        parts.append(f'<pre class="table">{escape(table)}</pre>')
    points = risk_curve(run.cases)
    if len(points) > 2:
        parts.append("<h2>Risk against coverage</h2>")
        parts.append(curve(points, across="share answered, the surest first", up="share wrong"))
    if tags := _by_tag(run):
        parts.append("<h2>By tag</h2>")
        parts.append(bars(tags))
    parts.append(f"<h2>In words</h2><pre>{escape(report(run))}</pre>")
    parts.append(_cases(run))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(run.domain)} {escape(run.run)}</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )


def _name(run: EvalRun) -> str:
    return f"{run.model}, {run.policy}"


def _by_tag(run: EvalRun) -> list[tuple[str, float, float, float]]:
    return [
        (f"{one.tag} ({one.cases})", one.score.mean, one.score.low, one.score.high)
        for one in by_tag(run)
        if one.score.mean is not None and one.score.low is not None and one.score.high is not None
    ]


def _cases(run: EvalRun) -> str:
    order = sorted(run.cases, key=lambda case: (case.score is not None, case.score or 0.0))
    rows = "".join(_row(case) for case in order[:MOST_CASES])
    more = run.n - MOST_CASES
    note = f'<p class="note">and {more:,} more cases</p>' if more > 0 else ""
    head = "<tr><th>case</th><th>score</th><th>expected</th><th>answer</th><th>why</th></tr>"
    return f"<h2>Cases, the worst first</h2><table>{head}{rows}</table>{note}"


def _row(case: CaseResult) -> str:
    score = "unscored" if case.score is None else f"{case.score:.2f}".rstrip("0").rstrip(".")
    why = case.error or "; ".join(check.why for check in case.checks if check.met is False)
    expected = "" if case.expected is None else str(case.expected)
    cells = (case.id, score, expected[:300], " | ".join(case.answers)[:600], why[:600])
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
