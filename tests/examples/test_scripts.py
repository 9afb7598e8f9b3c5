"""The scripts in examples/ run as they are, from anywhere, and say what they promise."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(FOLDER.glob("*.py"))


@pytest.fixture
def script(shipped_home: Path, tmp_path: Path):
    def run(name: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, FOLDER / name, *words],
            cwd=tmp_path,
            env={**os.environ, "HARNESS_HOME": str(shipped_home)},
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []
        return done.stdout

    return run


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_and_says_what_it_shows(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert f"python examples/{path.name}" in ast.get_docstring(tree)
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {one for one in imported if one.startswith("harness")} <= {"harness", "harness.testing"}
    assert "harness" in imported


def test_ask_shows_what_taught_the_answer(script):
    out = script("01_ask.py", "My card still hasn't arrived")
    assert re.search(r"^Answer +card_arrival$", out, re.MULTILINE)
    nearest = re.findall(r"^  (\d\.\d+)  \S+  .* -> (\w+)$", out, re.MULTILINE)
    assert len(nearest) == 5
    assert [near for near, _ in nearest] == sorted((near for near, _ in nearest), reverse=True)
    assert "card_arrival" in {label for _, label in nearest}


def test_context_compares_ways_to_pack(script):
    rows = {}
    for line in script("02_context.py").splitlines()[1:]:
        name, tokens, stable, cases = re.match(
            r"(.{24}) *([\d,]+) +([\d,]+) +([\d,]+)", line
        ).groups()
        rows[name.strip()] = [int(one.replace(",", "")) for one in (tokens, stable, cases)]
    whole, small, none = (
        rows[name] for name in ("as the domain says", "500 tokens, nearest", "no cases at all")
    )
    assert whole[0] <= 32_000 < rows["twice the budget"][0] <= 64_000
    assert small[1] == none[1] < whole[1]
    assert 0 < small[0] - none[0] <= 500
    assert none[2] == 0 < small[2] < whole[2] < rows["twice the budget"][2]


def test_measure_shows_the_leak_that_the_guard_stops(script):
    out = script("03_measure.py", "60")
    means = [float(one) for one in re.findall(r"^.{34}(\d\.\d+)  \(95 % interval", out, re.M)]
    honest, _, leaking = means
    assert honest + 0.1 < leaking <= 1
    assert out.count("60 cases)") == 3


def test_long_work_asks_before_it_writes_and_leaves_nothing_behind(script):
    out = script("04_long_work.py")
    asked, allowed = out.index("may it write_file letter.txt? Yes."), out.index("[file.changed]")
    assert out.index("[approval.requested]") < asked < allowed < out.index("[run.finished]")
    assert "completed: 1.00 EUR too much; I wrote. (0.03 US dollars)" in out
    assert out.splitlines()[-1] == "Dear customer, 1.00 EUR was too much."
