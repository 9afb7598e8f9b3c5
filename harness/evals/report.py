"""An eval run told to a person in a terminal, and as JSON to a machine."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.evals.graders import JUDGED
from harness.evals.graders.grade import shown
from harness.evals.results import CaseResult, EvalRun
from harness.evals.risk import risk_curve, risk_of
from harness.evals.statistics import (
    DISCORDANT,
    clusters_of,
    detectable,
    mean_pass_at,
    mean_pass_hat,
)
from harness.values import in_dollars, jsonable

__all__ = ["report", "to_json"]

MOST_FAILURES = 10
"""Failing cases that the report shows; it says how many more there are."""


def report(run: EvalRun) -> str:
    """Return the run as text for a terminal: the score, what is doubtful, what failed."""
    blocks = ["\n".join([_headline(run), *_counts(run), *_more(run)])]
    if run.warnings:
        blocks.append("\n".join(f"! {words}" for words in run.warnings))
    unscored = [case for case in run.cases if case.score is None]
    if unscored:
        blocks.append(_unscored(unscored))
    failing = [case for case in run.cases if case.score is not None and case.score < 1]
    if failing:
        blocks.append(_failures(failing))
    return "\n\n".join(blocks) + "\n"


def to_json(run: EvalRun) -> dict[str, Any]:
    """Return the run as JSON says it, nothing rounded.

    The keys `run, domain, split, model, n, scored, unscored, score, cases` are stable; more may
    come beside them. `errors` has the words of every case that could not be scored, by id.
    """
    score = run.score
    cases = [
        {
            "id": case.id,
            "key": case.key,
            "score": case.score,
            "tags": list(case.tags),
            "passed": case.passed,
            "tries": case.tries,
            "abstained": case.abstained,
            "confidence": case.confidence,
            "checks": [jsonable(check) for check in case.checks],
        }
        for case in run.cases
    ]
    return {
        "run": run.run,
        "domain": run.domain,
        "version": run.version,
        "split": run.split,
        "model": run.model,
        "policy": run.policy,
        "guard": run.guard,
        "n": run.n,
        "scored": run.scored,
        "unscored": run.unscored,
        "abstained": run.abstained,
        "score": {
            "mean": score.mean,
            "low": score.low,
            "high": score.high,
            "method": score.method,
        },
        "cases": cases,
        "config": run.config,
        "repeats": {
            f"{name}_{k}": figure for k, name, figure in _repeats(run) if figure is not None
        },
        "risk": _risk_json(run),
        "detectable": _detectable(run),
        "judge": {
            "model": run.judge,
            "usage": jsonable(run.judged),
            "unreadable": run.unreadable,
        },
        "openings": run.openings,
        "regrades": run.regrades,
        "answered": run.answered,
        "errors": {case.id: case.error for case in run.cases if case.error},
        "usage": jsonable(run.usage),
        "seconds": run.seconds,
        "warnings": list(run.warnings),
    }


# --- the terminal -----------------------------------------------------------------------------


def _headline(run: EvalRun) -> str:
    score = run.score
    of = f"{run.domain}, {run.split} split, {run.model}"
    if score.mean is None or score.low is None or score.high is None:
        return f"{of}: no score, as none of the {_cases(run.n)} could be scored."
    right = sum(case.score == 1 for case in run.cases)
    whole = all(case.score in (0, 1, None) for case in run.cases)
    counted = f" ({right:,} of {run.scored:,})" if whole else f", over {_cases(run.scored)}"
    return (
        f"{of}: {_percent(score.mean)} right{counted}; on new cases like these between"
        f" {_percent(score.low)} and {_percent(score.high)}, with 95 % confidence."
    )


def _counts(run: EvalRun) -> list[str]:
    said = [f"{_cases(run.n)}, {run.scored:,} scored, {run.unscored:,} unscored"]
    if run.abstained:
        said.append(f"{run.abstained:,} abstained")
    said.append(f"context: {run.policy}, guard {'on' if run.guard else 'OFF'}")
    usage = run.usage
    tokens = f"{usage.input_tokens:,} tokens in ({usage.cached_input_tokens:,} cached)"
    said.append(
        f"{tokens}, {usage.output_tokens:,} out, {in_dollars(usage.cost_usd)}, {run.seconds:.1f} s"
    )
    return ["; ".join(said[:-1]), said[-1]]


def _more(run: EvalRun) -> list[str]:
    """Return the lines on abstentions, repeats, rubrics, the judge, and what can be shown."""
    lines = []
    risk = risk_of(run)
    if run.abstained and risk.risk is not None and risk.risk.mean is not None:
        lines.append(
            f"answered {_percent(risk.coverage)} (coverage); of the answers"
            f" {_percent(risk.risk.mean)} wrong (risk), between {_percent(risk.risk.low or 0)}"
            f" and {_percent(risk.risk.high or 0)}"
        )
    said = [f"{name}@{k}" if name == "pass" else f"pass^{k}" for k, name, _ in _repeats(run)]
    figures = [figure for *_, figure in _repeats(run)]
    pairs = zip(said, figures, strict=True)
    if words := [f"{name} {_percent(one)}" for name, one in pairs if one is not None]:
        lines.append(
            "of so many tries of a case one passes (pass@) or all do (pass^): " + ", ".join(words)
        )
    for grader in JUDGED:
        points = [
            check.score
            for case in run.cases
            for check in case.checks
            if check.grader == grader and check.met is not None
        ]
        if points:
            mean = _percent(sum(points) / len(points))
            lines.append(f"{grader}: {mean} of the points on average, by {run.judge or 'a judge'}")
    if run.judged is not None:
        cost = in_dollars(run.judged.cost_usd)
        lines.append(
            f"judging: {run.judged.input_tokens:,} tokens in, {cost};"
            f" {run.unreadable} outputs without a verdict"
        )
    if run.scored > 1:
        lines.append(_power(_detectable(run)))
    return lines


def _power(difference: float) -> str:
    """Return what the set can show, in words; two that disagree on a share differ by no more."""
    if difference >= DISCORDANT:
        return (
            "too few cases from different sources to tell two runs apart that disagree on"
            f" {100 * DISCORDANT:.0f} % of them"
        )
    return (
        f"against another run, this set finds a difference of {100 * difference:.0f} points four"
        f" times out of five (if they disagree on {100 * DISCORDANT:.0f} % of the cases)"
    )


def _detectable(run: EvalRun) -> float:
    """Return the smallest difference that the run's cases can show, siblings counted once."""
    scored = [case for case in run.cases if case.score is not None]
    return detectable(len(set(clusters_of([case.source for case in scored]))))


def _repeats(run: EvalRun) -> list[tuple[int, str, float | None]]:
    """Return pass@k and pass^k for cases that were asked several times."""
    cases = [(case.passed, case.tries) for case in run.cases if case.tries > 1]
    most = max((tries for _, tries in cases), default=0)
    found: list[tuple[int, str, float | None]] = []
    for k in sorted({2, most} & set(range(2, most + 1))):
        found += [(k, "pass", mean_pass_at(cases, k)), (k, "all", mean_pass_hat(cases, k))]
    return found


def _risk_json(run: EvalRun) -> dict[str, Any]:
    risk = risk_of(run)
    curve = [{"coverage": x, "risk": y} for x, y in risk_curve(run.cases)]
    return {
        "answered": risk.answered,
        "coverage": risk.coverage,
        "risk": jsonable(risk.risk),
        "curve": curve,
    }


def _unscored(cases: list[CaseResult]) -> str:
    reasons = Counter(" ".join(case.error.split()) for case in cases)
    lines = [f"Not scored, neither right nor wrong: {_cases(len(cases))}"]
    for words, count in reasons.most_common(5):
        ids = [case.id for case in cases if " ".join(case.error.split()) == words]
        lines.append(f"  {count}x {_cut(words, 300)} ({_cut(', '.join(ids), 80)})")
    if len(reasons) > 5:
        lines.append(f"  and {len(reasons) - 5} other reasons")
    return "\n".join(lines)


def _failures(cases: list[CaseResult]) -> str:
    lines = [f"Not right: {_cases(len(cases))}"]
    for case in cases[:MOST_FAILURES]:
        share = "" if not case.score else f" (right in {_percent(case.score)} of its repeats)"
        lines.append(f"  {_cut(' '.join(case.id.split()), 80)}{share}")
        if case.expected is not None:
            lines.append(f"    expected  {shown(case.expected, 160)}")
        lines.append(f"    got       {shown(' | '.join(case.answers), 160)}")
        lines += [
            f"    {check.grader}: {_cut(' '.join(check.why.split()), 240)}"
            for check in case.checks
            if check.met is False
        ]
    if len(cases) > MOST_FAILURES:
        lines.append(f"  and {len(cases) - MOST_FAILURES} more")
    return "\n".join(lines)


def _cases(count: int) -> str:
    return f"{count:,} case" + ("" if count == 1 else "s")


def _percent(share: float) -> str:
    """Return the share in percent; only what is exactly all or nothing reads 100 or 0."""
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        text = "99.9"
    if text == "0.0" and share > 0:
        text = "0.1"
    return f"{text.removesuffix('.0')} %"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + " …"
