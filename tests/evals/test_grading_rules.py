"""A case whose check leans on the domain is another case once that changes; the others are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.domain import read_domain
from harness.evals.grading_rules import grading_rules
from harness.evals.record import case_key, generation_key, question_key

RUBRICS = """\
reply:
  pass_at: 50 %
  criteria:
    - {id: kind, text: It is kind., points: 2}
    - {id: wrong, text: It is wrong., points: -1}
"""
SETTINGS = "answer: {within: 5 %, unit: mL, abstain: unknown}\n"
OWN = {"value": "5", "within": "1", "unit": "g"}


def keys(root: Path, case: Any, *checks: tuple[str, Any]) -> dict[str, str]:
    rules = grading_rules(read_domain(root))
    return {name: case_key(case(None, (name, spec)), rules) for name, spec in checks}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "checks.py").write_text("def fine(answer, case): ...\n", "utf-8")
    (tmp_path / "SKILL.md").write_text("---\nname: d\ndescription: d\n---\nBe right.\n", "utf-8")
    (tmp_path / "rubrics.yaml").write_text(RUBRICS, "utf-8")
    (tmp_path / "domain.yaml").write_text(SETTINGS, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "changes", "changed"),
    [
        ("rubrics.yaml", ("50 %", "10 %"), "rubric"),
        ("rubrics.yaml", ("It is kind.", "It is there."), "rubric"),
        ("rubrics.yaml", ("points: 2", "points: 3"), "rubric"),
        ("rubrics.yaml", ("points: 2", "points: 2, critical: yes"), "rubric"),
        ("rubrics.yaml", ("points: 2", "points: 2.0"), None),
        ("domain.yaml", ("5 %", "50 %"), "number"),
        ("domain.yaml", ("mL", "L"), "number"),
        ("domain.yaml", ("answer: {", "answer: {labels: [a, b], "), "label"),
        ("domain.yaml", ("answer: {", "answer: {schema: {type: object}, "), "json"),
        ("tools/checks.py", ("...", "return True"), "python"),
    ],
)
def test_only_cases_that_lean_on_what_changed_are_others(
    root: Path, case: Any, file: str, changes: tuple[str, str], changed: str | None
) -> None:
    checks = [
        *(("rubric", "reply"), ("number", None), ("label", None), ("json", None)),
        *(("python", "checks.py:fine"), ("contains_all", "a"), ("exact", None)),
    ]
    before = keys(root, case, *checks)
    path = root / file
    said = path.read_text("utf-8")
    assert changes[0] in said
    path.write_text(said.replace(*changes, 1), "utf-8")
    after = keys(root, case, *checks)
    assert [name for name in before if before[name] != after[name]] == (
        [changed] if changed else []
    )


def test_what_a_check_says_itself_is_not_the_domains(root: Path, case: Any) -> None:
    checks = [("number", OWN), ("rubric", ("Is it kind?",)), ("json", {"schema": {"type": "null"}})]
    before = keys(root, case, *checks)
    (root / "domain.yaml").write_text("answer: {within: 9 %, unit: L, abstain: unknown}\n", "utf-8")
    (root / "rubrics.yaml").unlink()
    assert keys(root, case, *checks) == before


def test_where_the_domain_decides_nothing_the_key_is_the_cases_own(root: Path, case: Any) -> None:
    (root / "domain.yaml").write_text("language: en\n", "utf-8")
    for name in ("number", "label", "json", "exact", "matches", "similar"):
        made = case("5", (name, None))
        assert case_key(made, grading_rules(read_domain(root))) == case_key(made)


def test_an_answer_is_used_again_whatever_the_checks(case: Any) -> None:
    one, other = case("5", ("number", None)), case("6", ("rubric", "reply"))
    assert question_key(one) == question_key(other)
    assert generation_key(question_key(one), "c", 0) == generation_key(question_key(other), "c", 0)
