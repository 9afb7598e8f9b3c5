"""The checks of the work behind an answer: tools, steps, time, money, the domain's own code."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.domain.formats import AnswerSettings
from harness.evals.graders import Grade, ToolUse, Work, grade, graders
from harness.evals.graders.python_ import python_grader
from harness.values import Check, EvalCase, Place, Usage

PLACE = Place(file="evals/dev.yaml", line=3)
WORK = Work(
    text="The letter is written.",
    tools=(
        ToolUse(name="read_file", arguments={"path": "claim.pdf"}, step=1),
        ToolUse(name="search", arguments={"query": "burst pipe", "most": 3}, step=2),
        ToolUse(name="write_file", arguments={"path": "letter.md"}, step=3),
    ),
    steps=4,
    usage=Usage(cost_usd=Decimal("0.03")),
    seconds=2.5,
)


def graded(name: str, spec: Any, work: Work = WORK, **how: Any) -> Grade:
    check = Check(grader=name, spec=spec, place=PLACE)
    case = EvalCase(id="c", input="?", checks=(check,), split="dev", place=PLACE)

    async def main() -> Grade:
        return await grade(check, work, case, AnswerSettings(), graders(), **how)

    return anyio.run(main)


@pytest.mark.parametrize(
    ("spec", "score", "why"),
    [
        ({"used": ["search", "read_file"]}, 1, ""),
        ({"used": ["search", "delegate"]}, 0.5, "`delegate` was not used"),
        ({"not_used": ["write_file"]}, 0, "`write_file` was used"),
        ({"order": ["read_file", "write_file"]}, 1, ""),
        ({"order": ["write_file", "read_file"]}, 0, "`read_file` was not used in the order"),
        ({"arguments": {"write_file": {"path": "LETTER.md"}}}, 1, ""),
        ({"arguments": {"search": {"most": "3"}}}, 1, ""),
        ({"arguments": {"search": {"most": "4"}}}, 0, "no call of `search` has most: 4"),
        ({"most": "2"}, 0, "3 calls of tools; 2 are the most"),
    ],
)
def test_trajectory(spec: Any, score: float, why: str) -> None:
    found = graded("trajectory", spec)
    assert (found.met, found.score) == (score == 1, score)
    assert why in found.why


def test_a_trajectory_without_a_record_is_unscored() -> None:
    assert graded("trajectory", {"used": ["a"]}, Work(text="x")).met is None
    assert graded("trajectory", {"usde": ["a"]}).met is None


@pytest.mark.parametrize(
    ("name", "most", "met"),
    [
        ("cost", "0.03", True),
        ("cost", "0.02", False),
        ("steps", "4", True),
        ("steps", "3", False),
        ("seconds", "2.5", True),
        ("seconds", "2", False),
        ("seconds", "NaN", None),
    ],
)
def test_limits(name: str, most: str, met: bool | None) -> None:
    assert graded(name, most).met is met


def test_an_unknown_price_is_unscored() -> None:
    assert graded("cost", "1", Work(text="x")).met is None


def test_text_checks_see_the_text_of_the_work() -> None:
    assert graded("contains_all", ("letter",)).met


CODE = """
def good(answer): return "letter" in answer
def share(answer, case): return (0.5, f"half of {case.id}")
async def used(answer, case, work): return len(work.tools) == 3
def broken(answer): raise KeyError("no")
def odd(answer): return "yes"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "checks.py").write_text(CODE, "utf-8")
    (tmp_path / "outside.py").write_text("def good(answer): return True", "utf-8")
    return tmp_path / "tools"


@pytest.mark.parametrize(
    ("spec", "met", "why"),
    [
        ("checks.py:good", True, ""),
        ("tools/checks.py:share", False, "half of c"),
        ("checks.py:used", True, ""),
        ("checks.py:broken", None, "KeyError"),
        ("checks.py:odd", None, "True, False"),
        ("checks.py:missing", None, "no function"),
        ("other.py:good", None, "no other.py"),
        ("../outside.py:good", None, "names no function"),
        ("checks.py", None, "names no function"),
    ],
)
def test_a_domain_s_own_function(own: Path, spec: str, met: bool | None, why: str) -> None:
    known = {"python": python_grader(own, trusted=lambda _: True)}
    found = graded("python", spec, of_work=known)
    assert found.met is met
    assert why in found.why


def test_code_that_is_not_trusted_does_not_run(own: Path, tmp_path: Path) -> None:
    (own / "mark.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\ndef f(answer): return True\n", "utf-8"
    )
    known = {"python": python_grader(own, trusted=lambda _: False)}
    found = graded("python", "mark.py:f", of_work=known)
    assert found.met is None
    assert "not trusted" in found.why
    assert not (tmp_path / "ran").exists()
