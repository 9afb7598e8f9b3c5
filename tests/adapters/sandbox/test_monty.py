"""Calculations: results, limits, files, and a worker that comes back after the worst."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.adapters.sandbox_monty import MontyCalculator
from harness.errors import SandboxAbsent, WorkspaceError
from harness.seams_hands import SandboxLimits

LIMITS = SandboxLimits(seconds=0.5, memory=32 << 20, output=2_000)


@pytest.fixture(params=["", None], ids=["bare", "in-bubblewrap-where-present"])
def calculator(request: pytest.FixtureRequest) -> Iterator[MontyCalculator]:
    made = MontyCalculator(LIMITS, bubblewrap=request.param)
    yield made
    made.close()


def test_the_last_expression_is_the_result(calculator: MontyCalculator):
    result = calculator.run("from decimal import Decimal\nx = Decimal('1.10')\nprint('so')\nx * 3")
    assert (result.end, result.value, result.printed) == ("done", "Decimal('3.30')", "so\n")
    assert calculator.run("x = 1").value is None
    assert calculator.run("'plain text'").value == "plain text"


def test_nothing_stays_from_one_calculation_to_the_next(calculator: MontyCalculator):
    calculator.run("kept = 1")
    assert "NameError" in calculator.run("kept").errors


def test_an_error_names_the_line(calculator: MontyCalculator):
    result = calculator.run("x = 1\ny = x / 0")
    assert result.end == "failed"
    assert 'File "calculation", line 2' in result.errors
    assert "ZeroDivisionError" in result.errors
    assert "SyntaxError" in calculator.run("x = (").errors


@pytest.mark.parametrize(
    ("code", "end", "says"),
    [
        ("while True: pass", "timeout", "0.5 seconds"),
        ("kept = []\nwhile True: kept.append('x' * 1000)", "memory", "32 MB"),
        ("[0] * 10**9", "memory", "32 MB"),
        ("def f(n): return f(n + 1)\nf(0)", "failed", "RecursionError"),
        ("while True: print('x' * 1000)", "failed", "printed more"),
        ("2 ** 10**9", "memory", "32 MB"),
    ],
)
def test_every_limit_is_set(calculator: MontyCalculator, code: str, end: str, says: str):
    result = calculator.run(code)
    assert (result.end, says in result.errors) == (end, True), result
    assert len(result.printed) + len(result.errors) < 3 * LIMITS.output
    assert calculator.run("1 + 1").value == "2"


def test_files_can_be_read_and_nothing_can_be_written(calculator: MontyCalculator):
    def missing() -> bytes:
        raise WorkspaceError("It is gone.")

    files = {"data/a.csv": lambda: b"x,y\n1,2\n", "gone.txt": missing}

    def said(code: str) -> str:
        result = calculator.run(code, files=files)
        return result.value or result.errors

    assert said("import csv\nlist(csv.DictReader(open('data/a.csv')))") == "[{'x': '1', 'y': '2'}]"
    assert said("from pathlib import Path\nPath('data/a.csv').read_text()") == "x,y\n1,2\n"
    assert "It is gone" in said("open('gone.txt').read()")
    assert "FileNotFoundError" in said("open('/etc/passwd')")
    for write in (
        "open('new.txt', 'w').write('x')",
        "open('data/a.csv', 'a').write('x')",
        "from pathlib import Path\nPath('data/new').write_text('x')",
    ):
        assert "only read" in said(write), write
    assert said("open('data/a.csv').read()") == "x,y\n1,2\n"


def test_functions_are_called_and_their_errors_can_be_caught(calculator: MontyCalculator):
    def lookup(name: str) -> int:
        if name != "a":
            raise WorkspaceError(f"There is no {name}.")
        return 7

    functions = {"lookup": lookup}
    assert calculator.run("lookup('a') * 6", functions=functions).value == "42"
    assert "There is no b" in calculator.run("lookup('b')", functions=functions).errors
    code = "try:\n    lookup('b')\nexcept ValueError as e:\n    x = str(e)\nx"
    assert calculator.run(code, functions=functions).value == "There is no b."


def test_a_worker_that_is_killed_is_replaced(calculator: MontyCalculator):
    calculator.run("1")
    before = time.monotonic()
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                line = (place / "cmdline").read_bytes()
            except OSError:
                continue
            ours = line.startswith(b"/monty\0") or b"/bin/monty\0subprocess" in line
            if ours and _descends(place):
                os.kill(int(place.name), 9)
    results = [calculator.run("2 + 2") for _ in range(3)]
    assert results[-1].value == "4", results
    assert time.monotonic() > before


def _descends(place: Path) -> bool:
    """Whether a process was started by this one."""
    while place.name not in ("0", "1"):
        if place.name == str(os.getpid()):
            return True
        fields = (place / "stat").read_text().rpartition(")")[2].split()
        place = place.parent / fields[1]
    return False


def test_a_bubblewrap_that_is_refused_leaves_monty_alone(tmp_path: Path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    made = MontyCalculator(LIMITS, bubblewrap=str(program))
    assert made.run("1 + 1").value == "2"
    assert made.name == "monty"
    made.close()


def test_no_interpreter_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MONTY_BIN", str(tmp_path / "nowhere"))
    made = MontyCalculator(LIMITS, bubblewrap="")
    with pytest.raises(SandboxAbsent, match="does not start"):
        made.run("1")
    made.close()
