"""What shows only when things are held against each other."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import harness.domain
from harness.domain import lint, read_domain
from harness.domain.lint import CODES
from harness.domain.problems import did_you_mean, listed
from harness.domain.references.codes import Code
from harness.errors import DomainInvalid, DomainNotFound
from harness.sdk.opened import linted, sound


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


def test_checks_that_no_answer_meets(problems) -> None:
    found = problems(
        {
            "domain.yaml": "answer: {kind: number, unit: EUR, within: '5'}",
            "evals/dev.yaml": (
                "- {id: a, input: q, checks: {number: {low: 5, high: 2}}}\n"
                "- {id: b, input: q, checks: {number: {value: 8, within: -1}}}\n"
                "- {id: c, input: q, expected: 3 USD}\n"
                "- {id: d, input: q, checks: {number: {value: 9, within: 10 %, low: 9.91}}}\n"
                "- {id: e, input: q, checks: {number: {value: 9, high: 3.9}}}\n"
                "- {id: f, input: q, expected: '12,5'}\n"
                "- {id: i, input: q, checks: {number: {value: 9, within: '0,5', high: 4}}}\n"
                # and these can be met
                "- {id: g, input: q, checks: {number: {value: 9, within: 10 %, low: 9.9}}}\n"
                "- {id: h, input: q, checks: {number: {value: 3 USD, unit: USD}}}\n"
                "- {id: j, input: q, checks: {number: {low: -2, high: -2}}}\n"
                "- {id: k, input: q, expected: 3 EUR}\n"
            ),
        }
    )
    assert said(found) == [
        ("evals/dev.yaml:1:30", "bad-checks", "error"),
        ("evals/dev.yaml:2:30", "bad-checks", "error"),
        ("evals/dev.yaml:3:21", "bad-checks", "error"),
        ("evals/dev.yaml:4:30", "bad-checks", "error"),
        ("evals/dev.yaml:5:30", "bad-checks", "error"),
        ("evals/dev.yaml:6:21", "not-a-number", "error"),
        ("evals/dev.yaml:7:30", "bad-checks", "error"),
    ]
    words = [one.message for one in found]
    assert "at least 5 and at most 2" in words[0]
    assert "below 0" in words[1]
    assert "USD" in words[2]
    assert "EUR" in words[2]
    assert "at least 9.91 and at most 9.9" in words[3]
    assert "at least 4 and at most 3.9" in words[4]
    assert "Write it in digits" not in words[5]
    assert "12.5" in words[5]


def test_a_budget_that_no_question_fits_into(problems) -> None:
    (small,) = problems({"domain.yaml": "context:\n  budget: 10\n"})
    assert said([small]) == [("domain.yaml:2:11", "bad-value", "error")]
    rules = "- {id: a, text: " + "word " * 4000 + "}\n"
    (rule,) = problems({"domain.yaml": "context: {budget: 2000}", "rules.yaml": rules})
    assert "2,65" in rule.message
    assert problems({"domain.yaml": "context: {budget: 6000}"}) == ()


def test_everything_wrong_with_an_item_is_said_at_once(domain) -> None:
    read = domain(
        {
            "domain.yaml": "answer: {kind: label, labels: [storm]}\ncontext: {pinned: [one]}",
            "examples/a.yaml": "- {id: one, input: q, output: strom, stutas: draft}\n",
            "evals/dev.yaml": (
                "- input: q\n"
                "  expected: hail\n"
                "  checks:\n"
                "    - matches: '('\n"
                "    - rubric: nowhere\n"
                "    - number: abc\n"
                "    - json: {type: 5}\n"
                "    - contains_all: []\n"
                "    - number: {lwo: 1, higg: 2}\n"
                "    - matches: {whole: perhaps}\n"
                "    - label\n"
            ),
        }
    )
    assert read.examples == read.cases == ()
    assert [(f"{one.place.file}:{one.place.line}", one.code) for one in linted(read)] == [
        ("evals/dev.yaml:1", "missing-field"),
        ("evals/dev.yaml:4", "bad-checks"),
        ("evals/dev.yaml:5", "unknown-rubric"),
        ("evals/dev.yaml:6", "not-a-number"),
        ("evals/dev.yaml:7", "bad-schema"),
        ("evals/dev.yaml:8", "bad-checks"),
        ("evals/dev.yaml:9", "bad-checks"),
        ("evals/dev.yaml:9", "bad-checks"),
        ("evals/dev.yaml:10", "missing-field"),
        ("evals/dev.yaml:10", "bad-value"),
        ("evals/dev.yaml:11", "unknown-label"),
        ("examples/a.yaml:1", "unknown-label"),
        ("examples/a.yaml:1", "unknown-key"),
    ]


def test_one_mistake_is_said_once(domain) -> None:
    found = linted(
        domain(
            {
                "domain.yaml": "answer: {kind: json}",
                "examples/a.csv": "id,input,output\n1,a,{}\n",
                "evals/dev.csv": (
                    "id,input,expected,check:json,check:number\n2,b,{,,\n3,c,{},{,\n"
                    '4,d,,,"12,5"\n5,e,7,"{""type"": 5}",\n'
                ),
            }
        )
    )
    assert [(str(one.place), one.code) for one in found] == [
        ("evals/dev.csv:2:3", "bad-json"),
        ("evals/dev.csv:3:4", "bad-json"),
        ("evals/dev.csv:4:5", "not-a-number"),
        ("evals/dev.csv:5:4", "bad-schema"),
    ]


def test_opening_counts_the_errors_that_lint_counts(domain) -> None:
    read = domain(
        {
            "domain.yaml": "answer: {kind: label, labels: [storm]}",
            "examples/a.csv": "id,input,output\n1,a,strom\n",
            "evals/dev.yaml": "- {id: b, input: q, checks: [matches: '(', label: hail]}\n",
            "tools/own.py": "def f(\n",
        }
    )
    assert len(linted(read)) == 4
    with pytest.raises(DomainInvalid, match="has 4 errors"):
        sound(read)


def test_problems_stand_in_the_order_of_reading(domain) -> None:
    found = linted(
        domain(
            {
                "examples/a.csv": "id,input,output\n1,a,b\n",
                "evals/dev.yaml": (
                    "- {id: b, input: q, checks: [label: x, matches: '(', matches: '[', lable]}\n"
                ),
            }
        )
    )
    columns = [one.place.column for one in found]
    assert len(columns) == 3
    assert columns == sorted(columns)


def test_a_folder_that_teaches_nothing_is_warned_of(folder) -> None:
    root = folder({"examples/a.csv": "id,input,output,status\n1,a,b,draft\n"})
    found = lint(read_domain(root))
    assert said(found) == [
        ("SKILL.md:1:1", "no-skill", "warning"),
        ("examples:1:1", "no-examples", "warning"),
    ]
    assert "Write one" in found[0].message
    assert "draft" in found[1].message
    (root / "examples/a.csv").write_text("id,input,output\n1,a\n")  # an error says it already
    assert "no-examples" not in [one.code for one in lint(read_domain(root))]


def test_a_skill_in_small_letters_is_no_silent_loss(folder) -> None:
    root = folder({"skill.md": "Read twice.", "examples/a.csv": "id,input,output\n1,a,b\n"})
    if (root / "SKILL.md").exists():
        pytest.skip("this file system knows no case")
    (problem,) = lint(read_domain(root))
    assert said([problem]) == [("SKILL.md:1:1", "no-skill", "error")]
    assert "Did you mean `skill.md`?" in problem.message
    (root / "examples/a.csv").unlink()
    (root / "examples").rmdir()
    with pytest.raises(DomainNotFound, match=r"Did you mean `skill\.md`"):
        read_domain(root)


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
