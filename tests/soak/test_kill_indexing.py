"""kill -9 at random moments of indexing: the next command works every time, with right counts.

Ten kills in `make test`, two hundred in `make soak` (HARNESS_SOAK=1), which keeps what came of
them in `.cache/soak/kill_indexing.json`.
"""

from __future__ import annotations

import csv
import datetime
import json
import os
import platform
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.embedder_minilm import MiniLMEmbedder
from harness.adapters.store_chroma import ChromaStore
from harness.bank import Bank
from harness.errors import HarnessError

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "domains" / "support-triage"
SOAK = os.environ.get("HARNESS_SOAK") == "1"
TRIALS = 200 if SOAK else 10
SEED = 20_240_917
ROWS, CHANGED, CASES = (1500, 200, 40) if SOAK else (200, 40, 10)

EMBEDDER = MiniLMEmbedder()

Row = dict[str, str]


class Folder:
    """A copy of a real domain, changed by seeded edits."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self.path, self.dice, self.edits = path, dice, 0
        (path / "examples").mkdir(parents=True)
        (path / "evals").mkdir()
        for name in ("SKILL.md", "domain.yaml", "LICENSE"):
            shutil.copy(SHIPPED / name, path / name)
        _write(path / "evals" / "dev.csv", _read(SHIPPED / "evals" / "dev.csv")[:CASES])
        self.pool = [
            {**row, "input": f"{row['input']} (0)"}  # the shipped texts need no embedding
            for row in _read(SHIPPED / "examples" / "train.csv")
        ]
        dice.shuffle(self.pool)
        self.rows = [self.pool.pop() for _ in range(ROWS)]
        self.save()

    def edit(self) -> None:
        """Reword some examples, take some away, add some new ones."""
        self.edits += 1
        for at in self.dice.sample(range(len(self.rows)), CHANGED):
            old = self.rows[at]
            self.rows[at] = {**old, "input": f"{old['input']} ({self.edits})"}
        for _ in range(self.dice.randrange(30)):
            gone = self.rows.pop(self.dice.randrange(len(self.rows)))
            self.pool.insert(0, gone)
        for _ in range(self.dice.randrange(30)):
            self.rows.append(self.pool.pop())
        self.save()

    def save(self) -> None:
        _write(self.path / "examples" / "train.csv", self.rows)


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def index(folder: Folder, home: Path) -> subprocess.Popen[str]:
    """Start `harness index --json` as the leader of a process group."""
    program = "from harness.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, "index", folder.path, "--home", home, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def killed(folder: Folder, home: Path, delay: float) -> bool:
    """Start indexing and kill it; say whether it was still at work."""
    process = index(folder, home)
    with process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(delay)
        at_work = process.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return at_work


def finished(folder: Folder, home: Path) -> dict[str, Any]:
    """Index without a kill; return what it printed."""
    with index(folder, home) as process:
        said, failed = process.communicate(timeout=300)
    assert process.returncode == 0, failed
    assert "Traceback" not in failed
    return json.loads(said)


def kept(home: Path) -> set[Path]:
    """Return all versions and staging folders of the index."""
    return {path for path in home.glob("index/support-triage/*") if path.is_dir()}


def _written(path: Path) -> float:
    return path.stat().st_mtime


def check(folder: Folder, home: Path, dice: random.Random) -> None:
    """The next command works, and everything is there and is found."""
    before = kept(home)
    said = finished(folder, home)
    assert said["items"] == {"examples": len(folder.rows), "evals": CASES, "passages": 0}
    assert said["embedded"] + said["reused"] == len(folder.rows) + CASES
    path = max(home.glob("index/support-triage/*/manifest.json"), key=_written).parent
    if path in before:  # killed when all was done but clearing away
        assert len(before) <= 2
    else:
        assert kept(home) == {path}
    with closing(Bank(path, embedder=EMBEDDER, store=ChromaStore())) as bank:
        texts = {item.id: item.text for item in bank.items if item.kind == "example"}
        assert texts == {row["id"]: row["input"].strip() for row in folder.rows}
        for row in dice.sample(folder.rows, 5):
            hits = bank.search(row["input"], bank.embed(row["input"]), "demonstrations")
            assert hits.similarity.max() > 0.999
            assert f"example/{row['id']}" in {bank.items[at].key for at in hits.rows[:5]}


def report(done: dict[str, Any]) -> None:
    """Keep what came of it."""
    path = ROOT / ".cache" / "soak" / "kill_indexing.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    versions = {
        "python": platform.python_version(),
        "harness": version("domain-harness"),
        "chromadb": version("chromadb"),
        "sqlite": sqlite3.sqlite_version,
    }
    path.write_text(json.dumps({**done, "date": now, "versions": versions}, indent=1), "utf-8")


@pytest.mark.soak
def test_indexing_survives_kill_9(tmp_path):
    if not hasattr(os, "killpg"):
        pytest.skip("this system has no process groups to kill")
    started = time.monotonic()
    dice = random.Random(SEED)
    folder, home = Folder(tmp_path / "support-triage", dice), tmp_path / "state"
    in_time, failures = int(killed(folder, home, dice.uniform(1, 3))), []
    check(folder, home, dice)
    folder.edit()
    before = time.monotonic()
    finished(folder, home)
    typical = time.monotonic() - before  # seconds that indexing after an edit takes here
    for trial in range(1, TRIALS):
        folder.edit()
        if trial % 8 == 0:  # from the cache alone
            shutil.rmtree(home / "index")
        in_time += killed(folder, home, dice.uniform(0.3, 1.05) * typical)
        try:
            check(folder, home, dice)
        except (AssertionError, HarnessError, OSError, ValueError) as error:
            failures.append({"trial": trial, "said": str(error)[:2000]})
    if SOAK:
        seconds = round(time.monotonic() - started, 1)
        counts = {"trials": TRIALS, "killed_in_time": in_time, "failures": failures}
        report({**counts, "seconds": seconds, "seed": SEED})
    assert not failures
    assert in_time >= TRIALS // 4
