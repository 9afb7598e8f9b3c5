"""The cases of a run as an HTML table: what was asked, what was expected, what came, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from harness.evals.record import case_key
from harness.evals.results import CaseResult, CheckResult, EvalRun
from harness.values import Check, EvalCase, jsonable

__all__ = ["case_table", "cases_of_run"]

MOST_CASES = 2_000
"""Cases that the page lists; it says how many more there are."""
FOLDED = 280
"""Characters from which a text is folded."""
LONGEST = 20_000
"""Characters of a text that the page has; it says how many more there are."""

_MARKS = {True: ("met", "\u2713"), False: ("unmet", "\u2717"), None: ("open", "?")}
_TITLES = {True: "met", False: "not met", None: "could not be decided"}


def cases_of_run(
    run: EvalRun, cases: Iterable[EvalCase], version: str = ""
) -> Mapping[str, EvalCase]:
    """Return the cases that are still what the run was over, by id.

    Args:
        run: The run.
        cases: Of the domain as it is now.
        version: Of the domain as it is now: where it is the run's, every case is the same.
    """
    ran = {case.id: case.key for case in run.cases}
    return {
        case.id: case
        for case in cases
        if case.split == run.split
        and case.id in ran
        and (version == run.version or case_key(case) == ran[case.id])
    }


def case_table(run: EvalRun, cases: Mapping[str, EvalCase]) -> str:
    """Return the table, the worst case first.

    Args:
        run: The run.
        cases: What its cases ask and check, by id; one that was changed since is not there.
    """
    order = sorted(run.cases, key=lambda case: (case.score is not None, case.score or 0.0))
    shown = order[:MOST_CASES]
    rows = "".join(_row(one, cases.get(one.id)) for one in shown)
    notes = []
    if more := run.n - len(shown):
        notes.append(f"and {more:,} more cases")
    if gone := sum(one.id not in cases for one in shown):
        notes.append(
            f"{gone:,} of these cases {'is' if gone == 1 else 'are'} not in the domain's open"
            " evals as they were asked: their questions are not shown"
        )
    note = "".join(f'<p class="note">{words}</p>' for words in notes)
    names = ("case", "score", "question", "expected", "answer", "why")
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        "<h2>Cases, the worst first</h2>"
        f'{note}<div class="wide"><table class="cases"><tr>{head}</tr>{rows}</table></div>'
    )


def _row(result: CaseResult, case: EvalCase | None) -> str:
    score = "unscored" if result.score is None else f"{result.score:.2f}".rstrip("0").rstrip(".")
    cells = (
        _text(result.id),
        score,
        "" if case is None else _question(case),
        _expected(result, case),
        "<hr>".join(_text(answer) for answer in result.answers),
        _why(result),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _question(case: EvalCase) -> str:
    files = f'<p class="note">with {escape(", ".join(case.files))}</p>' if case.files else ""
    return _text(case.input) + files


def _expected(result: CaseResult, case: EvalCase | None) -> str:
    """Return what is expected in words, and each check with its mark."""
    parts = []
    if result.expected is not None:
        parts.append(_text(_words(result.expected)))
    checks: Sequence[Check | None] = case.checks if case is not None else ()
    if len(checks) != len(result.checks):
        checks = [None] * len(result.checks)
    lines = [_check(done, check) for done, check in zip(result.checks, checks, strict=True)]
    if lines:
        parts.append(f'<ul class="checks">{"".join(lines)}</ul>')
    return "".join(parts)


def _check(done: CheckResult, check: Check | None) -> str:
    spec = "" if check is None or check.spec is None else f": {_text(_words(check.spec))}"
    first = done.parts[0] if done.parts else ()
    parts = "".join(f"<li>{_mark(met)} {_text(name)}</li>" for name, met in first)
    inner = f'<ul class="checks">{parts}</ul>' if parts else ""
    return f"<li>{_mark(done.met)} <code>{escape(done.grader)}</code>{spec}{inner}</li>"


def _mark(met: bool | None) -> str:
    kind, sign = _MARKS[met]
    return f'<span class="{kind}" title="{_TITLES[met]}">{sign}</span>'


def _why(result: CaseResult) -> str:
    lines = [_text(result.error)] if result.error else []
    lines += [
        f"<p><code>{escape(check.grader)}</code>: {_text(check.why or 'not met')}</p>"
        for check in result.checks
        if check.met is False or (check.met is None and check.why)
    ]
    return "".join(lines)


def _words(spec: Any) -> str:
    """Return what a check asks for as a person writes it."""
    said = jsonable(spec)
    if isinstance(said, Mapping):
        return "; ".join(f"{key}: {_inner(value)}" for key, value in said.items())
    return _inner(said)


def _inner(said: Any) -> str:
    if isinstance(said, Mapping):
        return "{" + ", ".join(f"{key}: {_inner(value)}" for key, value in said.items()) + "}"
    if isinstance(said, list | tuple):
        return ", ".join(f"“{one}”" if isinstance(one, str) else _inner(one) for one in said)
    return str(said)


def _text(text: str) -> str:
    """Return a text for the page, folded where it is long."""
    cut = text[:LONGEST]
    if len(text) > LONGEST:
        cut += f" … and {len(text) - LONGEST:,} more characters"
    if len(cut) <= FOLDED:
        return f'<span class="text">{escape(cut)}</span>'
    start = " ".join(cut[: FOLDED // 2].split())
    return (
        f"<details><summary>{escape(start)} …</summary>"
        f'<div class="text">{escape(cut)}</div></details>'
    )
