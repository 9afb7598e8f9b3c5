"""A run by tag, and two runs' scores over the cases that they share."""

from __future__ import annotations

from dataclasses import dataclass

from harness.evals.compare import Comparison
from harness.evals.results import EvalRun
from harness.evals.statistics import Score, summarise

__all__ = ["Tagged", "by_tag", "shared_scores"]

MOST_TAGS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Tagged:
    """The score over the cases with one tag; `cases` are those that could be scored."""

    tag: str
    cases: int
    score: Score


def by_tag(run: EvalRun) -> list[Tagged]:
    """Return a run's score for each tag of its cases, by the tag's name; forty at most."""
    found = []
    for tag in sorted({tag for case in run.cases for tag in case.tags})[:MOST_TAGS]:
        some = [case for case in run.cases if tag in case.tags and case.score is not None]
        score = summarise([case.score or 0.0 for case in some], [case.source for case in some])
        if score.mean is not None:
            found.append(Tagged(tag=tag, cases=len(some), score=score))
    return found


def shared_scores(found: Comparison) -> tuple[Score, Score]:
    """Return each run's score, with its interval, over the cases that were compared."""
    there = {case.key: case for case in found.second.cases if case.score is not None}
    pairs = [
        (case, there[case.key])
        for case in found.first.cases
        if case.score is not None and case.key in there
    ]
    sources = [one.source for one, _ in pairs]
    first, second = ([pair[n].score or 0.0 for pair in pairs] for n in (0, 1))
    return summarise(first, sources), summarise(second, sources)
