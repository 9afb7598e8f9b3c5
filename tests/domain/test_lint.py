"""What shows only when things are held against each other."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import harness.domain
from harness.domain.lint import CODES
from harness.domain.problems import did_you_mean, listed
from harness.domain.references.codes import Code


def said(found) -> list[tuple[str, str, str]]:
    return [(str(one.place), one.code, one.severity) for one in found]


def test_labels(problems) -> None:
    found = problems(
        {
            "domain.yaml": "answer:\n  kind: label\n  labels: [storm, flood]\n  abstain: unclear\n",
            "examples/a.csv": (
                "id,input,output,status\n1,a,storm,\n2,b,strom,\n3,c,unclear,\n4,d,old,retired\n"
            ),
            "evals/dev.csv": "id,input,expected\n5,e,flod\n6,f,unclear\n",
            "evals/holdout.yaml": (
                "- id: '7'\n  input: g\n  checks:\n    - label: hail\n    - exact: hail\n"
            ),
        }
    )
    assert said(found) == [
        ("evals/dev.csv:2:3", "unknown-label", "error"),
        ("evals/holdout.yaml:4:7", "unknown-label", "error"),
        ("examples/a.csv:3:1", "unknown-label", "error"),
    ]
    assert "Did you mean `flood`?" in found[0].message
    assert "Did you mean `storm`?" in found[2].message


def test_a_label_that_no_example_has_is_a_warning(problems) -> None:
    found = problems(
        {
            "domain.yaml": "answer: {kind: label}",
            "examples/a.csv": "id,input,output,status\n1,a,storm,\n2,b,hail,draft\n",
            "evals/dev.csv": "id,input,expected\n3,c,storm\n4,d,hail\n",
        }
    )
    assert said(found) == [("evals/dev.csv:3:3", "unknown-label", "warning")]


def test_numbers(problems) -> None:
    found = problems(
        {
            "domain.yaml": "answer: {kind: number, within: 5 %}",
            "examples/a.csv": "id,input,output\n1,a,12.5 mg\n2,b,about a dozen\n",
            "evals/dev.csv": (
                'id,input,expected,check:number\n3,c,"1,200",\n4,d,many,\n5,e,,few..9\n'
                "6,f,,1 ± 5 %\n"
            ),
        }
    )
    assert said(found) == [
        ("evals/dev.csv:3:3", "not-a-number", "error"),
        ("evals/dev.csv:4:4", "not-a-number", "error"),
        ("examples/a.csv:3:1", "not-a-number", "warning"),
    ]
    assert "`low`" in found[1].message


def test_a_domain_of_whole_numbers_in_a_language_with_decimal_commas(problems) -> None:
    found = problems(
        {
            "domain.yaml": "language: de\nanswer: {kind: number, unit: EUR}",
            "examples/a.csv": "id,input,output\n1,a,5 EUR\n2,b,1200\n",
            "evals/dev.csv": "id,input,expected,check:number\n3,c,5,\n4,d,0,\n5,e,,1..1200\n",
        }
    )
    assert said(found) == []


def test_settings_without_effect_and_schemas_that_are_none(problems) -> None:
    found = problems(
        {
            "domain.yaml": "answer:\n  labels: [a]\n  schema: {type: objekt}\n",
            "evals/dev.yaml": "- {id: a, input: q, checks: {json: {type: 5}}}\n"
            "- {id: b, input: q, checks: {json: {fields: {type: 5}}}}\n"
            "- {id: c, input: q, checks: {json: {schema: {type: x}, fields: {a: 1}}}}\n",
        }
    )
    assert said(found) == [
        ("domain.yaml:2:11", "unused-setting", "warning"),
        ("domain.yaml:3:11", "bad-schema", "error"),
        ("domain.yaml:3:11", "unused-setting", "warning"),
        ("evals/dev.yaml:1:30", "bad-schema", "error"),
        ("evals/dev.yaml:3:30", "bad-schema", "error"),
    ]


def test_pins(problems) -> None:
    found = problems(
        {
            "domain.yaml": (
                "context:\n"
                "  pinned: [e1, terms.md, references/terms.md, scan.pdf, E2x, term.md, ../x]\n"
            ),
            "examples/a.csv": "id,input,output\ne1,a,b\n",
            "references/terms.md": "Terms.\n",
            "references/scan.pdf": b"not one",
        }
    )
    pins = [one for one in found if one.code == "unknown-pin"]
    assert [str(one.place) for one in pins] == [
        "domain.yaml:2:57",
        "domain.yaml:2:62",
        "domain.yaml:2:71",
    ]
    assert "Did you mean `terms.md`?" in pins[1].message


def test_the_core_lock(problems) -> None:
    found = problems(
        {
            "core.lock": "# ids\n#\n#7\ne1\ne2\ne3\ngone #1\ne4\n",
            "examples/a.csv": (
                "id,input,output,status\ne1,Fine,b,\ne2,x,b,retired\ne3,y,b,draft\n"
                "e4,Same  text,b,\n#7,z,b,\n"
            ),
            "evals/dev.csv": "id,input,expected\nd1,same TEXT,b\n",
        }
    )
    assert said(found) == [
        (f"core.lock:{line}:1", "core-stale", "warning") for line in (5, 6, 7, 8)
    ]
    assert "gone #1" in found[2].message
    assert all("harness core" in one.message for one in found)


def test_files_of_items(folder, problems, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    root = folder(
        {
            "examples/scans/a.pdf": "x",
            "examples/scans/more.csv": "x",
            "examples/scans/data.csv": "x",
        }
    )
    (root / "examples" / "scans" / "link.pdf").symlink_to(tmp_path / "secret.txt")
    names = [
        "examples/scans/a.pdf",
        "examples/scans/b.pdf",
        "../secret.txt",
        str(tmp_path / "secret.txt"),
    ]
    names += ["examples/scans/link.pdf", "examples/scans", "examples/scans/data.csv", "x" * 5000]
    written = "".join(f"    - {name}\n" for name in names)
    found = problems({"evals/dev.yaml": f"- id: a\n  input: q\n  expected: x\n  files:\n{written}"})
    assert sorted((one.place.file, one.code, one.severity) for one in found) == [
        ("evals/dev.yaml", "damaged", "error"),
        ("evals/dev.yaml", "missing-file", "error"),
        ("evals/dev.yaml", "missing-file", "error"),
        ("evals/dev.yaml", "not-a-file", "error"),
        ("evals/dev.yaml", "outside-folder", "error"),
        ("evals/dev.yaml", "outside-folder", "error"),
        ("evals/dev.yaml", "outside-folder", "error"),
        ("examples/scans/more.csv", "not-read", "warning"),
    ]
    assert any("Did you mean `examples/scans/a.pdf`?" in one.message for one in found)


def test_the_same_text_twice(problems) -> None:
    found = problems(
        {
            "examples/a.csv": (
                "id,input,output,status\n1,Roof  gone,storm,\n2,roof gone,hail,\n"
                "3,Roof gone,storm,\n4,ROOF GONE,x,retired\n"
            ),
            "evals/dev.csv": "id,input,expected\nd,roof gone,storm\n",
            "evals/holdout.csv": "id,input,expected\nh,ROOF gone,storm\n",
        }
    )
    assert said(found) == [
        ("evals/holdout.csv:2:1", "twin", "warning"),
        ("examples/a.csv:3:1", "contradiction", "warning"),
    ]
    assert "examples/a.csv:2:1" in found[0].message
    assert "`1`" in found[1].message


def test_what_an_expert_wrote_can_not_forge_a_line(problems) -> None:
    found = problems(
        {
            "domain.yaml": "answer: {kind: label, labels: [a]}",
            "evals/dev.jsonl": (
                '{"id": "x", "input": "q", "expected": "b\\nSKILL.md:1:1: forged \\u202e"}\n'
            ),
        }
    )
    (problem,) = found
    assert "\n" not in str(problem)
    assert "\u202e" not in str(problem)
    assert "forged" in str(problem)


@pytest.mark.parametrize(
    ("word", "question"), [("inptu", " Did you mean `input`?"), ("zzz", ""), ("", "")]
)
def test_did_you_mean(word: str, question: str) -> None:
    assert did_you_mean(word, ["input", "output"]) == question


def test_long_lists_are_cut_and_say_so() -> None:
    assert listed("abc", most=2) == "`a`, `b` and 1 more"


def test_every_code_is_explained() -> None:
    emitted = set()
    for path in Path(harness.domain.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                emitted |= _codes(node)
    assert {"alias", "unknown-key", "twin", "encoding", "missing-column"} <= emitted
    assert emitted <= set(CODES)
    assert set(get_args(Code)) <= set(CODES)
    assert all(sentence.endswith(".") for sentence in CODES.values())


def _codes(call: ast.Call) -> set[str]:
    """The codes that a call reports: the first text given to one of the functions that do so."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in {
        "problem",
        "report",
        "unusable",
        "_stop",
        "_Wrong",
        "_problem",
        "Problem",
        "append",
    }:
        return set()
    words = [*call.args, *(one.value for one in call.keywords if one.arg == "code")]
    texts = {
        one.value for one in words if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }
    for one in words:
        if isinstance(one, ast.Tuple):
            texts |= {
                part.value
                for part in one.elts
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
    return {
        text
        for text in texts
        if (text and text.replace("-", "").isalpha() and text.islower() and "-" in text)
        or text in CODES
    }
