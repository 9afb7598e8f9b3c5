"""Every way to write a check is read; what a grader does not take is said."""

from __future__ import annotations

from typing import Any

import pytest

from harness.domain.formats import GRADERS


@pytest.fixture
def checks(domain):
    """Reads one case's checks, written as YAML after `checks:`."""

    def read(written: str, settings: str = "", expected: str = "") -> list[tuple[str, Any]]:
        files = {
            "domain.yaml": settings,
            "evals/dev.yaml": f"- id: c\n  input: q\n{expected}  checks: {written}\n",
        }
        found = domain(files)
        assert found.errors == ()
        return [(one.grader, one.spec) for one in found.cases[0].checks]

    return read


EXPECTED = "  expected: '5'\n"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("exact", [("exact", None)]),
        ("[exact, label]", [("exact", None), ("label", None)]),
        ("[{exact: no}]", [("exact", "no")]),
        ("{exact: no, number: 5}", [("exact", "no"), ("number", "5")]),
        ("[{exact: }]", [("exact", None)]),
        ("contains_all", [("contains_all", ("5",))]),
        ("[{contains_all: a}]", [("contains_all", "a")]),
        ("[{contains_all: [a, 1.10]}]", [("contains_all", ("a", "1.10"))]),
        ("[{number: 1.10}]", [("number", "1.10")]),
        ("[{number: 1..2}]", [("number", {"low": "1", "high": "2"})]),
        ("[{number: ..2}]", [("number", {"high": "2"})]),
        ("[{number: 1 ± 2}]", [("number", {"value": "1", "within": "2"})]),
        ("[{number: 1 +/- 2 %}]", [("number", {"value": "1", "within": "2 %"})]),
        ("[{number: {low: 1, unit: }}]", [("number", {"low": "1"})]),
        ("[{number: {within: 5 %}}]", [("number", {"value": "5", "within": "5 %"})]),
        (
            "[{json: {type: object, minProperties: 2}}]",
            [("json", {"type": "object", "minProperties": 2})],
        ),
        ("[{json: {fields: {a: 1.5, b: no}}}]", [("json", {"fields": {"a": 1.5, "b": "no"}})]),
    ],
)
def test_ways_to_write_checks(checks, written: str, read: list[tuple[str, Any]]) -> None:
    assert checks(written, expected=EXPECTED) == read


@pytest.mark.parametrize("kind", ["text", "label", "number", "json"])
def test_expected_alone_is_graded_by_the_kind_of_answer(domain, kind: str) -> None:
    (case,) = domain(
        {
            "domain.yaml": f"answer: {{kind: {kind}}}",
            "evals/dev.csv": "id,input,expected\nc,q,5\n",
        }
    ).cases
    (check,) = case.checks
    assert check.grader == {"text": "exact"}.get(kind, kind)
    assert check.spec is None
    assert case.expected == (5 if kind == "json" else "5")


def test_json_may_be_expected_as_yaml_as_json_text_and_in_a_table(domain) -> None:
    read = domain(
        {
            "domain.yaml": "answer: {kind: json, schema: {type: object}}",
            "evals/dev.yaml": "- {id: a, input: q, expected: {x: 1.5, y: no, z: true}}\n"
            '- id: b\n  input: q\n  expected: |\n    {"x": 1}\n'
            "- {id: c, input: q, expected: plain}\n- {id: d, input: q, checks: json}\n",
            "evals/holdout.jsonl": '{"id": "e", "input": "q", "expected": {"x": [1, "1", null]}}\n',
            "evals/dev.csv": 'id,input,expected\nf,q,"[1, ""1""]"\n',
            "examples/a.yaml": "- {id: g, input: q, output: {x: 1.5, y: ja \u00fc}}\n",
        }
    )
    assert read.errors == ()
    assert {one.id: one.expected for one in read.cases} == {
        "a": {"x": 1.5, "y": "no", "z": True},
        "b": {"x": 1},
        "c": "plain",
        "d": None,
        "e": {"x": [1, "1", None]},
        "f": [1, "1"],
    }
    assert read.examples[0].output == '{"x": 1.5, "y": "ja \u00fc"}'


def test_expected_is_typed_for_a_json_check_in_a_text_domain(domain) -> None:
    (case,) = domain(
        {"evals/dev.yaml": "- {id: a, input: q, expected: {x: 1}, checks: [json]}"}
    ).cases
    assert case.expected == {"x": 1}


@pytest.mark.parametrize(
    ("case", "where", "code", "words"),
    [
        ("checks: []", "1:3", "nothing-to-check", "neither"),
        ("checks:", "1:3", "nothing-to-check", "neither"),
        ("checks: [exact]", "3:12", "nothing-to-check", "`expected`"),
        ("checks: [contains_all]", "3:12", "nothing-to-check", "`expected`"),
        ("checks: [json]", "3:12", "nothing-to-check", "`expected`"),
        ("checks: {number: {within: 1}}", "3:12", "nothing-to-check", "`low`"),
        ("checks: [contain_all: x]", "3:12", "unknown-grader", "`contains_all`"),
        ("checks: [rubrik: x]", "3:12", "unknown-grader", "Known"),
        ("checks: [[exact]]", "3:12", "bad-checks", "name alone"),
        ("checks: [{exact: a, label: b}]", "3:12", "bad-checks", "one in each line"),
        ("checks: [{exact: [a]}]", "3:20", "bad-checks", "one text"),
        ("checks: [{exact: ' '}]", "3:20", "bad-checks", "not empty"),
        ("checks: [{contains_all: [a, '']}]", "3:27", "bad-checks", "list of texts"),
        ("checks: [{contains_all: {a: b}}]", "3:27", "bad-checks", "list of texts"),
        ("checks: [{number: [1]}]", "3:21", "bad-checks", "`within`"),
        ("checks: [{number: {vlaue: 1}}]", "3:22", "bad-checks", "Did you mean `value`?"),
        ("checks: [{number: {low: [1]}}]", "3:27", "bad-checks", "one text"),
        ("checks: [{json: text}]", "3:19", "bad-checks", "JSON Schema"),
        ("expected: [a]", "3:13", "wrong-type", "quotes"),
        ("expected: '  '", "3:13", "empty-field", "empty"),
        ("expected: a\n  repeat: 0", "4:11", "bad-value", "less than 1"),
        ("expected: a\n  repeat: 1.5", "4:11", "bad-value", "whole number"),
        ("expected: a\n  file: x", "4:3", "unknown-key", "Did you mean `files`?"),
    ],
)
def test_what_is_wrong_with_a_case_is_said_once(
    problems, case: str, where: str, code: str, words: str
) -> None:
    (problem,) = problems({"evals/dev.yaml": f"- id: c\n  input: q\n  {case}\n"})
    assert (f"{problem.place.line}:{problem.place.column}", problem.code) == (where, code)
    assert words in problem.message


def test_json_that_is_none(problems) -> None:
    deep = "[" * 100 + "]" * 100
    found = problems(
        {
            "domain.yaml": "answer: {kind: json}",
            "evals/dev.csv": (
                f"id,input,expected\n1,q,{{\n2,q,NaN\n3,q,{deep}\n4,q,{'[' * 100_000}\n"
            ),
        }
    )
    assert [(one.place.line, one.place.column, one.code) for one in found] == [
        (line, 3, "bad-json") for line in (2, 3, 4, 5)
    ]


def test_the_place_of_a_check(domain) -> None:
    (case,) = domain(
        {
            "evals/dev.yaml": (
                "- id: c\n  input: q\n  expected: x\n  checks:\n    - exact\n    - label: y\n"
            )
        }
    ).cases
    assert [str(one.place) for one in case.checks] == ["evals/dev.yaml:5:7", "evals/dev.yaml:6:7"]


def test_the_known_graders() -> None:
    assert set(GRADERS) >= {"exact", "label", "number", "json", "contains_all"}
