"""The checks of an answer's text: what they pass, what they fail, what they can't decide."""

from __future__ import annotations

from typing import Any

import anyio
import numpy as np
import pytest

from harness.domain.formats import AnswerSettings
from harness.evals.graders import Grade, graders
from harness.evals.graders.cites import quotes_in, where_quoted
from harness.evals.graders.matches import pattern_problem
from harness.evals.graders.set_ import items_of
from harness.values import Check, EvalCase, Place

PLACE = Place(file="evals/dev.yaml", line=3)
WORDING = "Clause 4: We pay for sudden and un-\nforeseen escape of water, up to EUR 5,000. " * 2
DOCUMENTS = {"wording/policy.md": WORDING, "guide.md": "Ask for the plumber's report first."}


def graded(name: str, spec: Any, answer: str, *, expected: Any = None, **fields: Any) -> Grade:
    check = Check(grader=name, spec=spec, place=PLACE)
    given = {"id": "c", "input": "?", "split": "dev", "place": PLACE, **fields}
    case = EvalCase(expected=expected, checks=(check,), **given)

    def embed(texts: Any) -> Any:
        rows = np.array([[float("water" in text), 1.0] for text in texts])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    known = graders(documents=DOCUMENTS, embed=embed)
    found = known[name](check, answer, case, AnswerSettings())
    if isinstance(found, Grade):
        return found

    async def wait() -> Grade:
        return await found  # type: ignore[misc]

    return anyio.run(wait)


@pytest.mark.parametrize(
    ("name", "spec", "answer", "met"),
    [
        ("contains_any", ("wear", "gradual leak"), "It was a Gradual\n leak.", True),
        ("contains_any", ("wear", "gradual leak"), "It was sudden.", False),
        ("contains_any", (), "x", None),
        ("never_contains", ("guarantee",), "We GUARANTEE it.", False),
        ("never_contains", "guarantee", "We think so.", True),
        ("never_contains", "guarantee", "   ", False),  # nothing said is no good answer
        ("never_contains", "guarantee", "\u200b\u2060", False),
        ("matches", "POL-[0-9]{6}", "It is POL-123456.", True),
        ("matches", {"pattern": "POL-[0-9]{6}", "whole": "yes"}, " POL-123456\n", True),
        ("matches", {"pattern": "POL-[0-9]{6}", "whole": "yes"}, "It is POL-123456", False),
        ("matches", {"pattern": "^not covered$", "ignore_case": "yes"}, "So:\nNot Covered", True),
        ("matches", "([", "x", None),
        ("set", ("Acme GmbH", "Borealis Ltd"), "- borealis ltd.\n- **Acme GmbH**", True),
        ("set", ("a", "b"), '["b", "a"]', True),
        ("set", ("a", "b"), "The parties are: a, b", True),
        ("set", ("a", "b"), "a; b; c", False),
        ("set", {"items": ["a", "b"], "recall": "1"}, "a; b; c", True),
        ("set", {"items": ["a", "b"], "f1": "80 %"}, "a; b; c", True),
        ("set", {"items": ["a", "b"], "precision": "0.9"}, "a; b; c", False),
        ("set", {"f1": "1"}, "a", None),
        ("similar", "water came out", "the water", True),
        ("similar", "water came out", "fire", False),
        ("similar", {"to": "water", "at_least": "60 %"}, "fire", True),
        ("similar", "water", " ", False),
        ("similar", "fire", "\ufeff", False),
    ],
)
def test_what_each_check_says(name: str, spec: Any, answer: str, met: bool | None) -> None:
    found = graded(name, spec, answer)
    assert found.met is met
    assert 0 <= found.score <= 1
    assert found.met or found.why


@pytest.mark.parametrize(
    ("spec", "answer", "met"),
    [
        (None, "Yes: “sudden and unforeseen escape of water”.", True),
        (None, 'Yes: "sudden and unforeseen … up to EUR 5,000".', True),
        (None, "> We pay for sudden and unforeseen\n> escape of water\n\nSo yes.", True),
        (None, '{"quote": "ask for the plumber\'s report first"}', True),
        (None, "Yes: “sudden or foreseen escape of water”.", False),  # not word for word
        (None, "Yes: “up to EUR 5,000 … sudden escape of fire”.", False),
        (None, "Yes, it is covered.", False),
        (None, "“escape of water” and “we pay for anything at all”.", False),
        ("policy.md", "“sudden and unforeseen escape of water”", True),
        ("policy", "“Ask for the plumber’s report first”", False),  # noqa: RUF001
        ("other.md", "“sudden and unforeseen escape of water”", None),
        ({"at_least": "2"}, "“sudden and unforeseen escape of water”", False),
        (("escape of water",), "“sudden and unforeseen escape of water”", True),
        (("up to EUR 5,000",), "“sudden and unforeseen escape of water”", False),
    ],
)
def test_quotes_have_to_stand_in_the_sources(spec: Any, answer: str, met: bool | None) -> None:
    assert graded("cites", spec, answer).met is met


@pytest.mark.parametrize(
    ("source", "quote", "met"),
    [
        ("They concat sat one.", "cat sat on", False),
        ("They concat sat on it.", "cat sat on", False),
        ("The cat sat one day.", "cat sat on", False),
        ("The cat sat on it.", "cat sat on", True),
        ("The concat sat on, the cat sat on.", "cat sat on", True),
        ("The (cat sat on) it.", "(cat sat on)", True),
        ("A well-known fact is this.", "known fact is", True),
        ("A well\u2011known fact is this.", "a well-known fact", True),
        ("It was un-\nforeseen by us all.", "foreseen by us", False),
        ("It was un-\nforeseen by us all.", "was unforeseen by", True),
        ("It was un\u00adforeseen by us all.", "foreseen by us", False),
        ("Not on termination3 of it.", "not on termination", True),
        ("We pay up to EUR 5,000 a year.", "up to EUR 5", False),
        ("We pay up to EUR 5,000 a year.", "up to EUR 5,000", True),
        ("We pay up to EUR 5, or less.", "up to EUR 5", True),
        ("The cats … sat on it.", "the cat … sat on", False),
    ],
)
def test_a_quote_begins_and_ends_where_a_word_does(source: str, quote: str, met: bool) -> None:
    found = graded("cites", None, f"“{quote}”", attached=(("a.txt", source),))
    assert found.met is met
    asked = graded("cites", (quote,), f"“{source.strip('.')}”", attached=(("a.txt", source),))
    assert asked.met is met or "\n" in source


def test_a_case_s_own_files_are_sources() -> None:
    answer = "“the tenant gives notice”"
    assert not graded("cites", None, answer).met
    assert graded("cites", None, answer, attached=(("a.txt", "The tenant gives notice."),)).met


def test_quotes_are_found_where_they_stand() -> None:
    assert quotes_in("He says “a b” and “one two three”.") == ["one two three"]
    found = where_quoted("“sudden and unforeseen” and “made up by me”", DOCUMENTS)
    assert found == [("sudden and unforeseen", "wording/policy.md")]


def test_a_pattern_that_would_run_for_ever_is_given_up() -> None:
    found = graded("matches", r"(a|aa)+\1+$", "a" * 60 + "b")
    assert found.met is None
    assert "took longer" in found.why
    assert pattern_problem("(") != ""
    assert pattern_problem("a+") == ""


def test_a_long_answer_is_graded() -> None:
    answer = "word " * 200_000 + "POL-123456"  # 1 MB
    assert graded("matches", "POL-[0-9]{6}", answer).met
    assert graded("contains_any", ("POL-123456",), answer).met
    assert graded("set", ("a",), answer).met is False
    assert graded("cites", None, answer).met is False


def test_items_are_read_however_they_are_listed() -> None:
    assert items_of("1. one\n2. two") == ["one", "two"]
    assert items_of("one\ntwo") == ["one", "two"]
    assert items_of("They are: one, two") == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("contains_any", ("a", " ")),
        ("never_contains", ()),
        ("never_contains", ("a", "")),
        ("matches", None),
        ("matches", {"patern": "x"}),
        ("set", {"item": "x"}),
        ("set", "."),
        ("cites", {"form": "x"}),
        ("similar", None),
        ("similar", {"too": "x"}),
    ],
)
def test_a_check_that_makes_no_sense_is_unscored(name: str, spec: Any) -> None:
    found = graded(name, spec, "x")
    assert found.met is None or (name, spec) == ("set", ".")
    assert found.why
