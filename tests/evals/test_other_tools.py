"""Where our graders agree with autoevals' and Inspect's own cases, and where they do not and why.

The cases of Inspect are from its tests (tests/scorer/test_match.py, test_str_includes and
test_pattern, UK AI Security Institute, MIT licence), those of autoevals are what its package
answers when asked.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.domain.formats import AnswerSettings
from harness.evals.graders import Grade, graders
from harness.values import Check, EvalCase, Place

PLACE = Place(file="evals/dev.yaml")


def ours(name: str, expected: Any, answer: str, spec: Any = None) -> Grade:
    check = Check(grader=name, spec=spec, place=PLACE)
    case = EvalCase(id="c", input="?", expected=expected, checks=(check,), split="dev", place=PLACE)
    found = graders()[name](check, answer, case, AnswerSettings())
    assert isinstance(found, Grade)
    return found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("Paris", "Paris"), ("Paris", "London"), ("paris", "Paris"), ("", "Paris"), ("1", "1")],
)
def test_exact_is_that_of_autoevals(answer: str, expected: str) -> None:
    from autoevals import ExactMatch

    theirs = ExactMatch().eval(output=answer, expected=expected).score
    assert ours("exact", expected, answer).score == theirs


@pytest.mark.parametrize(
    ("answer", "expected", "why"),
    [
        (" Paris\n", "Paris", "white space around an answer is no fault of it"),
        ("New  York", "New York", "nor is white space in it"),
    ],
)
def test_exact_differs_from_autoevals(answer: str, expected: str, why: str) -> None:
    from autoevals import ExactMatch

    assert ExactMatch().eval(output=answer, expected=expected).score == 0
    assert ours("exact", expected, answer).met, why


@pytest.mark.parametrize(("answer", "expected"), [("12", "12"), ("0", "0"), ("-3", "-3")])
def test_equal_numbers_are_equal_for_autoevals_too(answer: str, expected: str) -> None:
    from autoevals import NumericDiff

    theirs = NumericDiff().eval(output=float(answer), expected=float(expected)).score
    assert ours("number", expected, answer).score == theirs == 1


def test_number_differs_from_autoevals() -> None:
    """Autoevals gives the closeness of two floats; a tolerance is right or wrong, and exact."""
    from autoevals import NumericDiff

    assert 0.9 < NumericDiff().eval(output=105.0, expected=100.0).score < 1
    assert not ours("number", "100", "105").met
    assert ours("number", "100", "105", {"value": "100", "within": "5 %"}).met


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"a": 1, "b": [1, 2]}', {"a": 1, "b": [1, 2]}),
        ('{"b": [1, 2], "a": 1}', {"a": 1, "b": [1, 2]}),
    ],
)
def test_equal_json_is_equal_for_autoevals_too(answer: str, expected: Any) -> None:
    import json

    from autoevals.json import JSONDiff

    assert JSONDiff().eval(output=json.loads(answer), expected=expected).score == 1
    assert ours("json", expected, answer).score == 1


def test_json_differs_from_autoevals() -> None:
    """Autoevals gives near texts a part of the score; a field is right or not, the score counts."""
    from autoevals.json import JSONDiff

    theirs = JSONDiff().eval(output={"a": "abc", "b": 1}, expected={"a": "abd", "b": 1}).score
    assert theirs is not None
    assert 0.5 < theirs < 1
    assert ours("json", {"a": "abd", "b": 1}, '{"a": "abc", "b": 1}').score == 0.5


@pytest.mark.parametrize(("answer", "met"), [('{"a": 1}', True), ("not json", False)])
def test_valid_json_is_valid_for_autoevals_too(answer: str, met: bool) -> None:
    from autoevals.json import ValidJSON

    schema = {"type": "object"}
    assert ValidJSON(schema=schema).eval(output=answer).score == float(met)
    assert ours("json", None, answer, schema).met is met


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (["b", "a"], ["a", "b"]),
        (["a", "b", "c"], ["a", "b"]),
        (["a"], ["a", "b"]),
    ],
)
def test_set_agrees_with_autoevals_on_whole_lists(answer: list[str], expected: list[str]) -> None:
    from autoevals.list import ListContains

    theirs = ListContains(allow_extra_entities=False).eval(output=answer, expected=expected).score
    assert ours("set", None, "\n".join(answer), tuple(expected)).met == (theirs == 1)


# --- Inspect ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "target", "right"),
    [
        ("The correct answer is RED.", "red", True),  # includes(), ignore_case
        ("foobar", "bar", True),
        ("foobar", "baz", False),
        ("the rose is\nred", "rose is red", True),
    ],
)
def test_includes_of_inspect_is_contains(answer: str, target: str, right: bool) -> None:
    assert ours("contains_all", None, answer, (target,)).met is right


@pytest.mark.parametrize(
    ("answer", "target", "right"),
    [
        ("the answer is 28%", "28", True),
        ("it costs 28,000 in all", "28000", True),
        ("so it is 28.", "28", True),
        ("so it is 29", "28", False),
        ("Total: $28.50", "28.5", True),
        ("**28**", "28", True),
    ],
)
def test_numeric_match_of_inspect_is_number(answer: str, target: str, right: bool) -> None:
    assert ours("number", target, answer).met is right


def test_where_number_differs_from_inspect_s_match() -> None:
    # Inspect's `match(numeric=True, location="end")` takes the last number, whatever it is.
    assert not ours("number", "28", "It is between 20 and 28, I can't say, 20-28").met
    # a range is no number; and an announced answer counts, though another number follows
    assert ours("number", "28", "Answer: 28 (see page 3)").met


@pytest.mark.parametrize(
    ("answer", "pattern", "right"),
    [
        ("foo ANSWER: 3", r"ANSWER: (\d+)", True),
        ("no answer here", r"ANSWER: (\d+)", False),
    ],
)
def test_pattern_of_inspect_is_matches(answer: str, pattern: str, right: bool) -> None:
    """Inspect compares the group with the target; `matches` says whether the pattern is there."""
    assert ours("matches", None, answer, pattern).met is right
