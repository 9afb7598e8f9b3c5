"""A worked example on a Markdown page of its own."""

from __future__ import annotations

import pytest


def test_headings_are_fields(domain) -> None:
    page = (
        "# input\n\n  kept  \n\n## Part\n```python\n# code\n~~~\n```\n\n# Output #\nout\n\n"
        "# Why\n\n# Steps\n1. first\n   more\n\n2) second\n* third\n"
    )
    (example,) = domain({"examples/roof case.md": page}).examples
    assert example.id == "roof case"
    assert example.input == "  kept  \n\n## Part\n```python\n# code\n~~~\n```"
    assert example.output == "out"
    assert example.why == ""
    assert example.steps == ("first\nmore", "second", "third")


def test_front_matter_gives_the_other_fields(domain) -> None:
    page = "---\r\nid: 007\r\nstatus: retired\r\n---\r\n# Input\r\na\r\nb\r\n# Output\r\nb\r\n"
    (example,) = domain({"examples/a.md": page}).examples
    assert (example.id, example.status, example.input) == ("007", "retired", "a\nb")
    assert str(example.place) == "examples/a.md:2:1"


@pytest.mark.parametrize(
    ("page", "where", "code"),
    [
        ("text\nmore\n# Input\na\n# Output\nb", "1:1", "bad-heading"),
        ("# Input\na\n# Outptu\nb\n# Output\nc", "3:1", "bad-heading"),
        ("# Input\na\n# Input\nb\n# Output\nc", "3:1", "duplicate-key"),
        ("---\ninput: a\n---\n# Input\nb\n# Output\nc", "4:1", "duplicate-key"),
        ("# Input\na\n# Output\nb\n# Steps\n- a\nb\nc", "7:1", "bad-heading"),
        ("# Input\na\n# Output\n\n", "3:1", "empty-field"),
        ("# Input\na\n", "1:1", "missing-field"),
        ("---\ninput: a\n", "1:1", "yaml-syntax"),
        ("---\n- a\n---\n# Input\na\n# Output\nb", "2:1", "wrong-type"),
        ("---\ntitel: x\n---\n# Input\na\n# Output\nb", "2:1", "unknown-key"),
        ("---\ntags: &a x\n---\n# Input\na\n# Output\nb", "2:7", "alias"),
    ],
)
def test_pages_that_are_none(problems, page: str, where: str, code: str) -> None:
    (problem,) = problems({"examples/a.md": page})
    assert (str(problem.place), problem.code) == (f"examples/a.md:{where}", code)


@pytest.mark.parametrize(
    ("skill", "code", "severity"),
    [
        ("Just the text.", "no-front-matter", "warning"),
        ("---\nname: claims\n---\nText.", "no-front-matter", "warning"),
        ("---\nname: claims\ndescription: d\ndescriptoin: x\n---\nText.", "unknown-key", "warning"),
        ("---\nname: other\ndescription: d\n---\nText.", "name-mismatch", "warning"),
        ("---\nname: The Claims!\ndescription: d\n---\nText.", "bad-name", "error"),
        ("---\nname: [a]\ndescription: d\n---\nText.", "wrong-type", "error"),
        ("---\nname: claims\n", "yaml-syntax", "error"),
    ],
)
def test_the_front_matter_of_a_skill(problems, skill: str, code: str, severity: str) -> None:
    (problem,) = problems({"SKILL.md": skill, "examples/a.csv": "id,input,output\na,b,c\n"})
    assert (problem.place.file, problem.code, problem.severity) == ("SKILL.md", code, severity)


def test_a_bad_name_falls_back_to_the_folder_s_and_another_is_offered(domain) -> None:
    read = domain({"SKILL.md": "---\nname: The Claims!\ndescription: d\n---\nText."})
    assert read.name == "claims"
    assert "`the-claims`" in read.errors[0].message
