"""What the context is worth: the same cases under several contexts, each against none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import EvalError
from harness.evals.compare import Comparison, compare, compare_json
from harness.evals.report import to_json
from harness.evals.results import EvalRun
from harness.evals.statistics import holm
from harness.values import in_dollars

__all__ = ["Ablation", "Arm", "ablation", "ablation_json", "ablation_report"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """The cases under one context.

    Attributes:
        comparison: With the first arm; None for that itself, and where nothing can be compared.
        p: The comparison's, adjusted for the number of arms (Holm).
        problem: Why there is no comparison, in plain words.
    """

    name: str
    run: EvalRun
    comparison: Comparison | None = None
    p: float | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ablation:
    """All arms, and the name of the one that the others are held against."""

    arms: tuple[Arm, ...]
    against: str


def ablation(runs: Sequence[tuple[str, EvalRun]]) -> Ablation:
    """Return the runs as arms, each compared with the first that has a score.

    A model that can't answer without any context (`baseline:nearest`) leaves `none` without one.
    """
    able = [index for index, (_, run) in enumerate(runs) if run.scored]
    against = able[0] if able else 0
    arms = []
    for index, (name, run) in enumerate(runs):
        if index <= against:
            arms.append(Arm(name=name, run=run, problem=_unscored(run)))
            continue
        try:
            arms.append(Arm(name=name, run=run, comparison=compare(runs[against][1], run)))
        except EvalError as error:
            arms.append(Arm(name=name, run=run, problem=error.message))
    compared = [index for index, arm in enumerate(arms) if arm.comparison is not None]
    ps = holm([arms[index].comparison.difference.p for index in compared])  # type: ignore[union-attr]
    for index, p in zip(compared, ps, strict=True):
        arm = arms[index]
        arms[index] = Arm(name=arm.name, run=arm.run, comparison=arm.comparison, p=p)
    return Ablation(arms=tuple(arms), against=runs[against][0])


def _unscored(run: EvalRun) -> str:
    """Return why nothing is held against a run; "" where something can be."""
    if run.scored:
        return ""
    said = Counter(case.error for case in run.cases if case.error).most_common(1)
    why = "".join(f" {error}" for error, _ in said)
    return f"no case could be scored, so nothing is held against it.{why}"


def ablation_report(found: Ablation) -> str:
    """Return the arms side by side, for a terminal."""
    first = found.arms[0]
    rows: list[tuple[str, ...]] = [
        (
            "context",
            "right",
            "95 % interval",
            f"against {found.against}",
            "",
            "tokens in",
            "cost",
            "seconds",
        )
    ]
    rows += [_row(arm) for arm in found.arms]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    run = first.run
    cases = "1 case" if run.n == 1 else f"{run.n:,} cases"
    head = f"{run.domain}, {run.split} split, {run.model}: {cases} under each context."
    notes = [f"! {arm.name}: {arm.problem}" for arm in found.arms if arm.problem]
    notes.append("Verdicts by p-values adjusted for the number of contexts (Holm).")
    return "\n\n".join([head, "\n".join(lines), "\n".join(notes)]) + "\n"


def _row(arm: Arm) -> tuple[str, ...]:
    score, run = arm.run.score, arm.run
    known = score.mean is not None and score.low is not None and score.high is not None
    change, verdict = "", ""
    if arm.comparison is not None:
        difference = arm.comparison.difference
        change = (
            f"{100 * difference.mean:+.1f} ({100 * difference.low:+.1f} to"
            f" {100 * difference.high:+.1f})"
        )
        verdict = _verdict(arm)
    return (
        arm.name,
        f"{100 * (score.mean or 0):.1f} %" if known else "no score",
        f"{100 * (score.low or 0):.1f} to {100 * (score.high or 0):.1f}" if known else "",
        change,
        verdict,
        f"{run.usage.input_tokens:,}",
        in_dollars(run.usage.cost_usd),
        f"{run.seconds:.1f}",
    )


def _verdict(arm: Arm) -> str:
    if arm.comparison is None or arm.p is None:
        return ""
    return arm.comparison.verdict if arm.p <= 0.05 else "not shown"


def ablation_json(found: Ablation) -> dict[str, Any]:
    """Return the arms as JSON says them."""
    arms = [
        {
            "context": arm.name,
            "run": {key: value for key, value in to_json(arm.run).items() if key != "cases"},
            "comparison": None if arm.comparison is None else compare_json(arm.comparison),
            "p_adjusted": arm.p,
            "verdict": _verdict(arm),
            "problem": arm.problem,
        }
        for arm in found.arms
    ]
    return {"against": found.against, "arms": arms}
