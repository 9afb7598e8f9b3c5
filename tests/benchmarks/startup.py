"""How long a command and an import take, beside Python itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.material import Material
from tests.benchmarks.record import Record
from tests.benchmarks.timing import interleaved

__all__ = ["run"]

ROUNDS = 15


def run(material: Material, record: Record) -> None:
    """Measure processes from start to end, wall clock."""
    script = Path(sys.executable).parent / "harness"
    command = [str(script)] if script.exists() else [sys.executable, "-m", "harness.cli.app"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import harness'": [sys.executable, "-c", "import harness"],
        "harness --help": [*command, "--help"],
    }
    wanted = {"python -c 'import harness'": 0.1, "harness --help": 0.2}

    # As on a machine that has run it before: bytecode is there, in a folder of our own.
    variables = {"PYTHONPYCACHEPREFIX": str(material.folder / "bytecode"), **os.environ}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)

    def start(words: list[str]) -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=variables)

    for words in commands.values():
        start(words)
    ways = {name: lambda _, words=words: start(words) for name, words in commands.items()}
    for name, timing in interleaved(ways, range(1 if material.quick else ROUNDS)).items():
        record.add(name, timing.p50, "s", at_most=wanted.get(name))
    record.note("Medians of processes started in turn, bytecode and files cached.")
