"""Kill -9 over runs whose tool has side effects: nothing acknowledged is lost, nothing done twice.

A few kills in `make test`; in `make soak` 1,000 over many runs, and one run of 10,000 steps that is
killed 50 times. What came of them stays in `.cache/soak`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.adapters.journal_sql import SqlJournal
from harness.journal.events import RunFinished, RunResumed, ToolFinished, ToolRequested
from harness.loop import replay
from harness.testing import WordCounter

ROOT = Path(__file__).parents[2]
SOAK = os.environ.get("HARNESS_SOAK") == "1"
KILLS, KILLS_A_RUN, STEPS = (1_000, 10, 60) if SOAK else (6, 3, 60)
LONG_STEPS, LONG_KILLS = (10_000, 50) if SOAK else (120, 3)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run that was killed came to."""

    killed: int
    events: int
    acknowledged: int
    lost: int
    effects: int
    repeated: int
    unknown: int
    resumed: int


def driven(folder: Path, steps: int, kills: int, seed: int, longest: float) -> Found:
    """Work on a run that is killed at random, then look at what is there."""
    folder.mkdir()
    words = [str(word) for word in (folder, steps, kills, seed, longest)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.loop_driver", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    told: dict[str, Any] = json.loads(done.stdout)
    journal = SqlJournal(folder / "state", folder / "keys")
    try:
        return looked_at(journal, folder, steps, told)
    finally:
        journal.close()


def looked_at(journal: SqlJournal, folder: Path, steps: int, told: dict[str, Any]) -> Found:
    verdict = journal.verify("r1")
    assert verdict.clean, verdict
    recorded = list(journal.read("r1"))
    events = [one.event for one in recorded]
    hashes = {one.seq: one.hash for one in recorded}
    lost = [seq for seq, digest in told["acknowledged"].items() if hashes.get(int(seq)) != digest]
    assert not lost, "acknowledged, and not there"

    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.stop, finished.answer) == ("completed", f"All {steps} are noted.")
    asked = {one.call: one for one in events if isinstance(one, ToolRequested)}
    numbers = [one.arguments["number"] for one in asked.values()]
    assert numbers == list(range(1, steps + 1)), "each was asked for once, in order"

    effects = Counter(map(int, (folder / "effects").read_text("ascii").split()))
    repeated = [number for number, count in effects.items() if count > 1]
    assert not repeated, "done twice"
    results = [one for one in events if isinstance(one, ToolFinished)]
    assert len(results) == steps
    done = {asked[one.call].arguments["number"] for one in results if one.outcome == "done"}
    assert done <= effects.keys(), "said to be done, and was not"
    unknown = sum(one.outcome == "unknown" for one in results)
    assert len(done) + unknown == steps
    return Found(
        killed=told["killed"],
        events=len(events),
        acknowledged=len(told["acknowledged"]),
        lost=len(lost),
        effects=sum(effects.values()),
        repeated=len(repeated),
        unknown=unknown,
        resumed=sum(isinstance(one, RunResumed) for one in events),
    )


def keep(name: str, found: list[Found], seconds: float) -> None:
    """Write what the full count came to."""
    if not SOAK:
        return
    folder = ROOT / ".cache" / "soak"
    folder.mkdir(parents=True, exist_ok=True)
    result = {
        "runs": len(found),
        **{key: sum(getattr(one, key) for one in found) for key in Found.__dataclass_fields__},
        "chains_clean": len(found),
        "seconds": round(seconds, 1),
    }
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")


@pytest.mark.soak
def test_loop_kill(tmp_path: Path) -> None:
    began = time.monotonic()
    found: list[Found] = []
    while sum(one.killed for one in found) < KILLS:
        seed = len(found)
        longest = (0.1, 0.3, 0.6)[seed % 3]
        found.append(driven(tmp_path / f"run{seed}", STEPS, KILLS_A_RUN, seed, longest))
        assert len(found) <= 2 * KILLS, "hardly any was killed in time"
    assert any(one.resumed for one in found)
    keep("loop_kill", found, time.monotonic() - began)


@pytest.mark.soak
def test_loop_long_kill(tmp_path: Path) -> None:
    began = time.monotonic()
    longest = 2.0 if SOAK else 0.4
    found = driven(tmp_path / "long", LONG_STEPS, LONG_KILLS, 7, longest)
    keep("loop_long_kill", [found], time.monotonic() - began)
    journal = SqlJournal(tmp_path / "long" / "state", tmp_path / "long" / "keys")
    try:
        replayed = anyio.run(replay, journal, "r1", WordCounter())
    finally:
        journal.close()
    assert replayed.difference is None
    assert replayed.complete
