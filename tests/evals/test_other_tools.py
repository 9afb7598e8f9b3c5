"""Our checks against the published cases of autoevals and Inspect: the same, or a reason why not.

The cases, their origin and their licences: `data/SOURCE.md`. A case whose score differs stands in
`data/divergences.yaml` with our score and the reason; one that stands there without differing
fails as well, so that the list is what it says.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.domain.formats import AnswerSettings
from harness.evals.graders import Grade, graders
from harness.values import Check, EvalCase, Place

DATA = Path(__file__).parent / "data"
PLACE = Place(file="evals/dev.yaml")
TOLERANCE = 0.005
"""Inspect's tests give F1 with two digits."""


def read(name: str) -> list[dict[str, Any]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


INSPECT = read("inspect_cases.jsonl")
AUTOEVALS = read("autoevals_cases.jsonl")


def divergences() -> dict[str, tuple[float | None, str]]:
    """Our score (None: the check refuses the case) and the reason, by the name of the test."""
    groups = YAML(typ="safe", pure=True).load(DATA / "divergences.yaml")
    return {
        test: (score, group["why"]) for group in groups for test, score in group["tests"].items()
    }


DIVERGENCES = divergences()


def ours(
    name: str,
    answer: str,
    *,
    expected: Any = None,
    spec: Any = None,
    labels: Iterable[str] = (),
    passing: bool = False,
) -> float | None:
    """Our score, or whether it passes; None: the check refuses the case."""
    check = Check(grader=name, spec=spec, place=PLACE)
    case = EvalCase(id="c", input="?", expected=expected, checks=(check,), split="dev", place=PLACE)
    found = graders()[name](check, answer, case, AnswerSettings(labels=tuple(labels)))
    assert isinstance(found, Grade)
    if found.met is None:
        return None
    return float(found.met) if passing else found.score


def of_inspect(case: Mapping[str, Any], target: str) -> float | None:
    """Our score of an Inspect case with one target; its targets are each good enough."""
    options, answer = case["options"], case["answer"]
    match case["scorer"]:
        case "match":
            return ours("number", answer, spec=target)
        case "pattern":
            spec = {"pattern": options["pattern"], "ignore_case": options.get("ignore_case", True)}
            return ours("matches", answer, spec=spec)
        case "exact":
            return ours("exact", answer, expected=target)
        case "f1":
            return ours("set", answer, spec={"items": target.split(", ")})
        case "answer":
            return ours("label", answer, expected=target, labels=LABELS[options["pattern"]])
    raise AssertionError(case["scorer"])


LABELS = {"letter": "ABCD", "word": ("Yes", "No"), "line": ()}


def of_choice(case: Mapping[str, Any]) -> float | None:
    """Several choices are all to be given, and no other: a set of labels, right as a whole."""
    return ours("set", case["answer"], spec=tuple(case["target"]), passing=True)


def of_autoevals(case: Mapping[str, Any]) -> float | None:
    answer, target = case["answer"], case["target"]
    said = answer if isinstance(answer, str) else json.dumps(answer)
    match case["scorer"]:
        case "ExactMatch" | "Levenshtein":
            text = target if isinstance(target, str) else json.dumps(target)
            return ours("exact", said, expected=text)
        case "NumericDiff":
            return ours("number", said, spec=str(target))
        case "ListContains":
            items = list(map(str, target))
            if case["options"].get("allow_extra_entities"):
                return ours("set", said, spec={"items": items, "recall": "1"}, passing=True)
            return ours("set", said, spec={"items": items})
        case "JSONDiff":
            said = said if said.startswith(("{", "[")) else json.dumps(answer)
            return ours("json", said, expected=target)
        case "ValidJSON":
            return ours("json", said, spec=target or {})
    raise AssertionError(case["scorer"])


def scored(case: Mapping[str, Any]) -> float | None:
    if case in AUTOEVALS:
        return of_autoevals(case)
    if case["scorer"] == "choice":
        return of_choice(case)
    scores = [of_inspect(case, target) for target in case["target"]]
    return max((score for score in scores if score is not None), default=None)


@pytest.mark.parametrize("case", [*INSPECT, *AUTOEVALS], ids=lambda case: case["test"])
def test_the_score_is_theirs_or_differs_for_a_reason(case: dict[str, Any]) -> None:
    score = scored(case)
    if case["test"] not in DIVERGENCES:
        assert score == pytest.approx(case["score"], abs=TOLERANCE)
        return
    expected, why = DIVERGENCES[case["test"]]
    assert score == (None if expected is None else pytest.approx(expected, abs=TOLERANCE)), why
    assert expected is None or expected != pytest.approx(case["score"], abs=TOLERANCE)
    assert why


def test_every_divergence_is_of_a_published_case() -> None:
    assert {case["test"] for case in [*INSPECT, *AUTOEVALS]} >= DIVERGENCES.keys()


@pytest.mark.parametrize("case", AUTOEVALS, ids=lambda case: case["test"])
def test_autoevals_still_says_so(case: dict[str, Any]) -> None:
    import autoevals
    from autoevals.json import JSONDiff, ValidJSON
    from autoevals.list import ListContains

    made: Any = {
        "JSONDiff": JSONDiff,
        "ValidJSON": ValidJSON,
        "ListContains": ListContains,
    }.get(case["scorer"]) or getattr(autoevals, case["scorer"])
    options = dict(case["options"])
    if case["scorer"] == "ListContains":
        options["pairwise_scorer"] = autoevals.Levenshtein()
    said = made(**options)(case["answer"], case["target"]).score
    assert said == pytest.approx(case["score"], abs=1e-4)


ASK_INSPECT = Path(__file__).parent / "data" / "ask_inspect.py"


@pytest.mark.soak
def test_inspect_still_says_so(inspect_python: Path) -> None:
    command = [inspect_python, ASK_INSPECT, DATA / "inspect_cases.jsonl"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == pytest.approx(
        [case["score"] for case in INSPECT], abs=TOLERANCE
    )
