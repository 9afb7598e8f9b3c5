"""Experts' labels of a judge's verdicts: `labels.csv`, and what they say of the judge.

    case,repeat,criterion,met,expert,date,comment
    letter-4,1,clause,yes,M. Osei,2026-10-02,
    letter-4,1,invented,no,M. Osei,2026-10-02,The clause is real.

`repeat` counts from 1 and may be left out. Several experts may label one verdict: the most say.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DomainInvalid, EvalError
from harness.evals.results import EvalRun
from harness.evals.statistics import (
    FEWEST_LABELS,
    Agreement,
    Corrected,
    agreement,
    corrected_score,
    differ,
    few_sources,
)
from harness.values import Place, Problem

__all__ = ["COLUMNS", "Calibration", "LabelKey", "calibrate", "read_labels"]

LabelKey = tuple[str, int, str]
"""(case, repeat from 0, criterion)."""

COLUMNS = ("case", "repeat", "criterion", "met", "expert", "date", "comment")
PICKED = 0.001
"""Chance below which labelled answers that differ from the others were not drawn from them."""
_YES, _NO = ("yes", "true", "1", "met"), ("no", "false", "0", "not met")


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """How far a run's judge can be trusted.

    Attributes:
        agreement: Over all verdicts that have a label.
        by_criterion: The same for each criterion.
        corrected: The share of criteria met, corrected by the labels, where there are enough.
        warning: What to bear in mind, in plain words.
    """

    agreement: Agreement
    by_criterion: Mapping[str, Agreement]
    corrected: Corrected | None
    warning: str = ""


def read_labels(path: Path) -> dict[LabelKey, bool]:
    """Return the experts' labels; where experts differ, what most say (a tie is left out).

    Raises:
        EvalError: There is no such file.
        DomainInvalid: A row is off; says all of them.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise EvalError(
            f"{path} can't be read: {error.strerror or error}.",
            f"Write experts' verdicts into it, with the columns {', '.join(COLUMNS)}.",
        ) from error
    votes: dict[LabelKey, int] = defaultdict(int)
    problems = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        said = {str(key): (value or "").strip() for key, value in row.items() if key}
        met, repeat = said.get("met", "").casefold(), said.get("repeat") or "1"
        if not said.get("case") or not said.get("criterion"):
            problems.append(_problem(path, number, "A label needs `case` and `criterion`."))
        elif met not in (*_YES, *_NO):
            problems.append(_problem(path, number, f"`met` is `{met[:40]}`. Write yes or no."))
        elif not repeat.isdecimal() or int(repeat) < 1:
            problems.append(_problem(path, number, f"`repeat` is `{repeat[:40]}`. Count from 1."))
        else:
            votes[said["case"], int(repeat) - 1, said["criterion"]] += 1 if met in _YES else -1
    if problems:
        raise DomainInvalid(f"{path.name} has rows that can't be used:", problems)
    return {key: count > 0 for key, count in votes.items() if count}


def calibrate(run: EvalRun, labels: Mapping[LabelKey, bool], grader: str = "rubric") -> Calibration:
    """Return how the run's judge agrees with the labels, and its score corrected by them.

    Raises:
        EvalError: No label is on a verdict of this run.
    """
    verdicts = _verdicts(run, grader)
    both = [key for key in verdicts if key in labels]
    if not both:
        raise EvalError(
            f"labels.csv has no label on a verdict of the run {run.run}.",
            "Its rows name a case, a repeat and a criterion of the rubric.",
        )
    rest = [key for key in verdicts if key not in labels]
    expert, judge = [labels[key] for key in both], [verdicts[key] for key in both]
    by_criterion = {}
    for name in sorted({criterion for *_, criterion in both}):
        some = [key for key in both if key[2] == name]
        by_criterion[name] = agreement(
            [labels[key] for key in some],
            [verdicts[key] for key in some],
            _sources(run, some),
        )
    sources = _sources(run, [*both, *rest])
    problem = _not_enough(judge, [verdicts[key] for key in rest], sources)
    corrected = None
    if not problem and len(rest) > 1:
        corrected = corrected_score(
            [float(met) for met in expert],
            [float(met) for met in judge],
            [float(verdicts[key]) for key in rest],
            sources,
        )
    warnings = (problem, few_sources(_sources(run, both)), _unknown(run, verdicts, labels))
    return Calibration(
        agreement=agreement(expert, judge, _sources(run, both)),
        by_criterion=by_criterion,
        corrected=corrected,
        warning=" ".join(warning for warning in warnings if warning),
    )


def _sources(run: EvalRun, keys: Sequence[LabelKey]) -> list[Hashable]:
    """Return what each verdict belongs to: its case's source, or its case."""
    known = {case.id: case.source.strip().casefold() for case in run.cases}
    return [("source", known[case]) if known[case] else ("case", case) for case, *_ in keys]


def _not_enough(judge: Sequence[bool], others: Sequence[bool], sources: Sequence[Hashable]) -> str:
    """Return why the labels can't correct a score; "" where they can.

    Args:
        judge: Its verdicts that have a label.
        others: Those that have none.
        sources: What each belongs to, of both.
    """
    if len(judge) < FEWEST_LABELS:
        given = "1 label" if len(judge) == 1 else f"{len(judge)} labels"
        return (
            f"Only {given}: below {FEWEST_LABELS}, of answers chosen at random, the score is not"
            " corrected."
        )
    if others and differ(judge, others, sources) < PICKED:
        here, there = sum(judge) / len(judge), sum(others) / len(others)
        return (
            "The labelled answers were not chosen at random: of them the judge says"
            f" {100 * here:.0f} % are met, of the others {100 * there:.0f} %. The score is not"
            " corrected. Label answers in the order that the evals page shows them in."
        )
    return ""


def _unknown(
    run: EvalRun, verdicts: Mapping[LabelKey, bool], labels: Mapping[LabelKey, bool]
) -> str:
    """Return which labels name a case or a criterion that this run does not have."""
    cases = {case.id for case in run.cases}
    criteria = {(case, criterion) for case, _, criterion in verdicts}
    lost = sorted(
        {
            f"{case} ({criterion})" if case in cases else case
            for case, _, criterion in labels
            if (case, criterion) not in criteria
        }
    )
    if not lost:
        return ""
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    return f"Labels on what this run did not judge: {', '.join(lost[:5])}{more}."


def _verdicts(run: EvalRun, grader: str) -> dict[LabelKey, bool]:
    return {
        (case.id, repeat, name): met
        for case in run.cases
        for check in case.checks
        if check.grader == grader
        for repeat, parts in enumerate(check.parts)
        for name, met in parts
        if met is not None
    }


def _problem(path: Path, line: int, says: str) -> Problem:
    return Problem(place=Place(file=path.name, line=line), code="bad-value", message=says)
