"""Two runs over the same cases, held against each other: better, worse, or not shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from harness.errors import EvalError
from harness.evals.results import CaseResult, EvalRun
from harness.evals.statistics import (
    Difference,
    benjamini_hochberg,
    clusters_of,
    compare_scores,
    detectable_from,
    few_sources,
)
from harness.values import jsonable

__all__ = ["Comparison", "Gate", "Slice", "Verdict", "compare", "compare_json", "gate"]

Verdict = Literal["better", "worse", "not shown"]
Gate = Literal["passed", "worse", "not shown"]

FEWEST_IN_SLICE = 5
"""Cases of a tag below which nothing is said about it."""
FALSE_DISCOVERIES = 0.05
"""Share of the slices called different that may be so by luck."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The comparison over the cases with one tag.

    Attributes:
        q: The test's p, adjusted for the number of tags (Benjamini-Hochberg).
        verdict: By `q` and the interval.
    """

    tag: str
    first: float
    second: float
    difference: Difference
    q: float
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A second run held against a first.

    Attributes:
        difference: Of the second from the first, over the cases that both have scored.
        verdict: On the second.
        sentence: The verdict in words, with its doubt.
        detectable: Smallest difference that this comparison finds four times out of five.
        first_score: Mean over the cases compared.
        second_score: Mean over the same.
        newly_failing: Ids of the cases that got worse.
        newly_passing: Ids of those that got better.
        only_first: Ids of cases that the second run does not have.
        only_second: Ids of cases that the first does not have.
        changed: Ids of cases that ask or check something else in the second.
        unscored: Ids of common cases that one of them could not score.
        warnings: What to bear in mind, in plain words.
    """

    first: EvalRun
    second: EvalRun
    difference: Difference
    verdict: Verdict
    sentence: str
    detectable: float
    first_score: float
    second_score: float
    newly_failing: tuple[str, ...]
    newly_passing: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    changed: tuple[str, ...]
    unscored: tuple[str, ...]
    slices: tuple[Slice, ...]
    warnings: tuple[str, ...]


def compare(first: EvalRun, second: EvalRun) -> Comparison:
    """Return how the second run does against the first, case by case.

    Raises:
        EvalError: They have no case in common that both could score.
    """
    here = {case.key: case for case in first.cases}
    there = {case.key: case for case in second.cases}
    common = [(case, there[case.key]) for case in first.cases if case.key in there]
    scored = [(a, b) for a, b in common if a.score is not None and b.score is not None]
    ids_here = {case.id for case in first.cases if case.key not in there}
    ids_there = {case.id for case in second.cases if case.key not in here}
    if not scored:
        raise _nothing_shared(first, second, len(common), sorted(ids_here & ids_there))
    before, after = _scores(scored)
    sources = [a.source for a, _ in scored]
    difference = compare_scores(before, after, sources)
    changes = [y - x for x, y in zip(before, after, strict=True)]
    found = Comparison(
        first=first,
        second=second,
        difference=difference,
        verdict=_verdict(difference, difference.significant),
        sentence="",
        detectable=detectable_from(changes, clusters_of(sources)),
        first_score=sum(before) / len(before),
        second_score=sum(after) / len(after),
        newly_failing=tuple(
            a.id for (a, _), change in zip(scored, changes, strict=True) if change < 0
        ),
        newly_passing=tuple(
            a.id for (a, _), change in zip(scored, changes, strict=True) if change > 0
        ),
        only_first=tuple(sorted(ids_here - ids_there)),
        only_second=tuple(sorted(ids_there - ids_here)),
        changed=tuple(sorted(ids_here & ids_there)),
        unscored=tuple(a.id for a, b in common if a.score is None or b.score is None),
        slices=tuple(_slices(scored)),
        warnings=(*_warnings(first, second), *filter(None, [few_sources(clusters_of(sources))])),
    )
    return _told(found)


def _nothing_shared(
    first: EvalRun, second: EvalRun, common: int, changed: Sequence[str]
) -> EvalError:
    of = "" if first.domain == second.domain else f"; of {first.domain} and {second.domain}"
    says = (
        f"The runs {first.run} and {second.run} have no case in common that both could"
        f" score ({common} in common{of})."
    )
    if not changed:
        return EvalError(says, "Compare runs over the same cases of one split.")
    more = f" and {len(changed) - 5:,} more" if len(changed) > 5 else ""
    return EvalError(
        f"{says} Asked or checked in another way: {', '.join(changed[:5])}{more}.",
        "If only the checks changed, grade both by them as they are now (`harness eval DOMAIN"
        f" --regrade {first.run}`), and compare those.",
    )


def gate(comparison: Comparison, margin: float) -> Gate:
    """Return whether the second run may take the first one's place.

    Args:
        comparison: Of the two.
        margin: Share that may be lost, 0 to 1: `passed` where the lower bound is above it.
    """
    if comparison.difference.low > -margin:
        return "passed"
    return "worse" if comparison.verdict == "worse" else "not shown"


def compare_json(found: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON says it, nothing rounded."""
    difference = found.difference
    return {
        "first": found.first.run,
        "second": found.second.run,
        "verdict": found.verdict,
        "sentence": found.sentence,
        "n": difference.n,
        "difference": jsonable(difference),
        "detectable": found.detectable,
        "scores": {"first": found.first_score, "second": found.second_score},
        "newly_failing": list(found.newly_failing),
        "newly_passing": list(found.newly_passing),
        "only_first": list(found.only_first),
        "only_second": list(found.only_second),
        "changed": list(found.changed),
        "unscored": list(found.unscored),
        "slices": [jsonable(one) for one in found.slices],
        "usage": {"first": jsonable(found.first.usage), "second": jsonable(found.second.usage)},
        "seconds": {"first": found.first.seconds, "second": found.second.seconds},
        "warnings": list(found.warnings),
    }


# --- in words ---------------------------------------------------------------------------------

_HOW = {
    "mcnemar_midp": "McNemar's mid-p",
    "sign_flip": "sign-flip permutation by source, p",
    "none": "no test, p",
}


def _told(found: Comparison) -> Comparison:
    from dataclasses import replace

    difference = found.difference
    name, other = _names(found.first, found.second)
    start = {
        "better": f"{name} is better than {other}",
        "worse": f"{name} is worse than {other}",
        "not shown": f"Not shown that {name} and {other} differ",
    }[found.verdict]
    p = "< 0.001" if difference.p < 0.001 else f"= {difference.p:.3f}"
    sentence = (
        f"{start}: {_points(difference.mean)} points (95 % interval {_points(difference.low)} to"
        f" {_points(difference.high)}; {_HOW[difference.method]} {p}) on {difference.n:,}"
        f" {'case' if difference.n == 1 else 'cases'} that both scored."
    )
    if found.verdict == "not shown":
        sentence += (
            f" A set like this finds a difference of {100 * found.detectable:.1f} points four"
            " times out of five, smaller ones less often."
        )
    return replace(found, sentence=sentence)


def _names(first: EvalRun, second: EvalRun) -> tuple[str, str]:
    """Return what to call the second and the first: by what they differ in."""
    if first.model != second.model and second.policy == first.policy:
        return second.model, first.model
    if first.model == second.model and second.policy != first.policy:
        return f"the policy {second.policy}", f"the policy {first.policy}"
    if first.model == second.model:
        return f"the run {second.run}", f"the run {first.run}"
    return f"{second.model} ({second.policy})", f"{first.model} ({first.policy})"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _verdict(difference: Difference, significant: bool) -> Verdict:
    if not significant:
        return "not shown"
    return "better" if difference.mean > 0 else "worse"


def _scores(
    pairs: Sequence[tuple[CaseResult, CaseResult]],
) -> tuple[list[float], list[float]]:
    return [a.score or 0.0 for a, _ in pairs], [b.score or 0.0 for _, b in pairs]


def _slices(pairs: Sequence[tuple[CaseResult, CaseResult]]) -> list[Slice]:
    by_tag: dict[str, list[tuple[CaseResult, CaseResult]]] = defaultdict(list)
    for pair in pairs:
        for tag in pair[0].tags:
            by_tag[tag].append(pair)
    tags = sorted(tag for tag, some in by_tag.items() if len(some) >= FEWEST_IN_SLICE)
    found = []
    for tag in tags:
        before, after = _scores(by_tag[tag])
        found.append(
            (tag, before, after, compare_scores(before, after, [a.source for a, _ in by_tag[tag]]))
        )
    adjusted = benjamini_hochberg([difference.p for *_, difference in found])
    return [
        Slice(
            tag=tag,
            first=sum(before) / len(before),
            second=sum(after) / len(after),
            difference=difference,
            q=q,
            verdict=_verdict(
                difference, q <= FALSE_DISCOVERIES and not difference.low <= 0 <= difference.high
            ),
        )
        for (tag, before, after, difference), q in zip(found, adjusted, strict=True)
    ]


def _warnings(first: EvalRun, second: EvalRun) -> Iterator[str]:
    if first.domain != second.domain:
        yield f"The runs are of two domains, {first.domain} and {second.domain}."
    if first.guard != second.guard:
        yield "One of the runs was without the guard: their scores can't be compared."
    elif not second.guard:
        yield "Both runs were without the guard: their scores are inflated."
    if first.judge != second.judge and (first.judged or second.judged):
        yield f"Two judges graded: {first.judge or 'none'} and {second.judge or 'none'}."
    answered = [run.answered or run.version for run in (first, second)]
    if answered[0] != answered[1] and first.config != second.config:
        yield "The domain was changed between the runs: its examples may decide, not the model."
    elif first.version != second.version:
        yield (
            "The answers were graded by two versions of the domain,"
            f" {first.version} and {second.version}: its checks may decide, not the answers."
        )
    known = first.usage.cost_usd, second.usage.cost_usd
    if None not in known and known[0] and known[1]:
        ratio = Decimal(str(known[1])) / Decimal(str(known[0]))
        if ratio >= 2 or ratio <= Decimal("0.5"):
            yield f"The second run cost {ratio:.1f} times as much as the first."
