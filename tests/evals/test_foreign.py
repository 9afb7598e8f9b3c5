"""Cases of other tools carry over where the meaning does, and what does not is said."""

from __future__ import annotations

import json
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from harness.domain import read_domain
from harness.errors import UsageError
from harness.evals.foreign import from_inspect, from_promptfoo
from harness.evals.inspect_log import inspect_log
from harness.sdk.exchange import import_cases
from tests.evals.test_report import made, result

PROMPTFOO = """\
prompts: ["Answer the customer: {{message}}"]
providers: [openai:gpt-5]
defaultTest:
  assert: [{type: not-contains, value: guarantee}]
tests:
  - description: lost card
    vars: {message: My card is gone, tone: kind}
    assert:
      - {type: icontains, value: block}
      - {type: contains-all, value: [card, new]}
      - {type: regex, value: "[0-9]+ days"}
      - {type: llm-rubric, value: Is kind., weight: 2}
      - {type: latency, threshold: 3000}
      - {type: cost, threshold: 0.01}
      - {type: similar, value: We block it., threshold: 0.7}
      - {type: javascript, value: "output.length < 100"}
  - vars: {message: no}
    assert: [{type: equals, value: 1.10}]
"""
INSPECT = [
    {"input": "2 + 2?", "target": "4", "id": 7, "metadata": {"level": "easy", "more": {"a": 1}}},
    {"input": "Which?", "target": "B", "choices": ["red", "blue"], "sandbox": "docker"},
    {"input": [{"role": "user", "content": "Hi"}], "target": ["hello", "hi"]},
    {"input": "No target"},
]


def written(tmp_path: Path, name: str, text: str, **how: Any) -> tuple[Any, Any]:
    folder = tmp_path / "small"
    (folder / "evals").mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: small\ndescription: x\n---\nx\n", "utf-8")
    source = tmp_path / name
    source.write_text(text, "utf-8")
    found = import_cases(source, folder / "evals" / "dev.yaml", **how)
    return found, read_domain(folder)


def test_promptfoo_s_tests_are_cases_that_can_be_read(tmp_path: Path) -> None:
    found, domain = written(tmp_path, "promptfooconfig.yaml", PROMPTFOO)
    assert domain.errors == ()
    first, second = domain.cases
    assert first.input == "Answer the customer: My card is gone"
    assert [(one.grader, one.spec) for one in first.checks][:4] == [
        ("never_contains", "guarantee"),
        ("contains_all", ("block",)),
        ("contains_all", ("card", "new")),
        ("matches", "[0-9]+ days"),
    ]
    assert ("seconds", "3.0") in [(one.grader, one.spec) for one in first.checks]
    assert first.tags == ("lost card",)
    assert second.input == "Answer the customer: False" or "no" in second.input
    assert "assertions of the type `javascript`" in found.lost
    assert "`weight` of an assertion" in found.lost


def test_inspect_s_samples_are_cases_that_can_be_read(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(one) for one in INSPECT)
    found, domain = written(tmp_path, "data.jsonl", lines)
    assert domain.errors == ()
    first, second, third = domain.cases
    assert (first.id, first.expected, first.tags) == ("7", "4", ("level=easy",))
    assert second.input.endswith("A) red\nB) blue")
    assert third.checks[0].spec == ("hello", "hi")
    assert "samples without a target: left out" in found.lost
    assert "`sandbox` of a sample" in found.lost
    assert "nested `metadata`" in found.lost


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "prompts: [x]\n", "no `tests`"),
        ("a.yaml", "a: [", "can't be read"),
        ("a.json", '[{"input": "x"}]', "carried over"),
        ("a.yaml", "tests: [{vars: {a: b}}]", "carried over"),
    ],
)
def test_files_that_have_no_cases_are_refused(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        written(tmp_path, name, text)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("- id: mine\n", "utf-8")
    with pytest.raises(UsageError, match="there already"):
        import_cases(tmp_path / "x.yaml", tmp_path / "dev.yaml")


TABLE = """\
id;input;expected;tags;check:contains_all;check:number
a;How long?;;x; three months; notice period;
b;How much?;0042;x;;12.5 +- 5 %
"""


def test_a_table_is_taken_over_by_its_columns(tmp_path: Path) -> None:
    table = TABLE.replace("x; three months; notice period", 'x;"three months; notice period"')
    found, domain = written(tmp_path, "cases.csv", table)
    assert (domain.errors, found.lost) == ((), {})
    first, second = domain.cases
    assert (first.id, first.expected, first.tags) == ("a", None, ("x",))
    assert [(one.grader, one.spec) for one in first.checks] == [
        ("contains_all", ("three months", "notice period"))
    ]
    assert second.expected == "0042"  # a text, as it stands in the table
    assert second.checks[0].spec == {"value": "12.5", "within": "5 %"}
    book = openpyxl.Workbook()
    book.active.append(["id", "input", "expected"])
    book.active.append(["e", "When?", "2025"])
    book.save(tmp_path / "cases.xlsx")
    import_cases(tmp_path / "cases.xlsx", tmp_path / "small" / "evals" / "holdout.yaml")
    last = read_domain(tmp_path / "small").cases[-1]
    assert (last.id, last.expected, last.split) == ("e", "2025", "holdout")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"question,answer\nx,y\n", "no field"),
        ("a.csv", b"id,input\n\xff,x\n", "UTF-8"),
        ("a.csv", b"", "carried over"),
        ("a.xlsx", b"no excel", "Excel"),
        ("none.csv", None, "can't be read"),
    ],
)
def test_tables_without_cases_are_refused(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        import_cases(tmp_path / name, tmp_path / "dev.yaml")
    assert not (tmp_path / "dev.yaml").exists()


def test_what_else_promptfoo_has_is_counted_as_lost() -> None:
    found = from_promptfoo(
        {
            "prompts": ["a {{x}}", "b"],
            "tests": [
                "file://more.yaml",
                {"vars": {"x": ["1", "2"]}, "assert": [{"type": "is-json"}], "options": {"a": 1}},
                {"vars": {"x": "file://x.txt"}, "assert": [{"type": "equals", "value": "y"}]},
                {"vars": {"x": "1"}, "assert": [{"type": "equals", "value": "file://y"}, "odd"]},
            ],
        }
    )
    assert [case["input"] for case in found.cases] == ["a 1"]
    assert len(found.lost) == 8
    with pytest.raises(UsageError):
        from_inspect([])


# --- a log for Inspect ------------------------------------------------------------------------


def log() -> bytes:
    cases = [
        result(0, 1.0),
        result(1, 0.0, answers=("no", "half \ud800"), expected={"a": 1}),
        result(2, None, error="429.", answers=()),
        result(3, 1.0, id="with/slash"),
    ]
    return inspect_log(made(cases), {"c0": "What?"}, started="2026-10-01T00:00:00+00:00")


def test_the_log_has_the_parts_that_inspect_reads() -> None:
    with zipfile.ZipFile(BytesIO(log())) as archive:
        names = set(archive.namelist())
        assert {"header.json", "_journal/start.json", "summaries.json"} < names
        assert "samples/with_slash_epoch_1.json" in names
        header = json.loads(archive.read("header.json"))
        sample = json.loads(archive.read("samples/c0_epoch_1.json"))
    assert header["results"]["scores"][0]["metrics"]["mean"]["value"] == pytest.approx(2 / 3)
    assert (sample["input"], sample["scores"]["harness"]["value"]) == ("What?", 1.0)


OPENS = """
import sys
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1])
print(log.status, len(log.samples), log.results.scores[0].metrics["mean"].value,
      log.samples[0].scores["harness"].value, log.samples[0].output.completion)
"""


@pytest.mark.soak
def test_inspect_itself_opens_the_log(inspect_python: Path, tmp_path: Path) -> None:
    """In an environment of its own, as it does not go with chromadb."""
    path = tmp_path / "run.eval"
    path.write_bytes(log())
    done = subprocess.run(
        [inspect_python, "-c", OPENS, path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["success", "5", "0.6666666666666666", "1.0", "yes"]
