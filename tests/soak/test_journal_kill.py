"""Kill -9 at any moment: what was acknowledged is there, whole, and the next writer goes on."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import harness
from harness.adapters.journal_sql import SqlJournal
from harness.journal.events import FileChanged, PlanUpdated

ROOT = Path(harness.__file__).parents[1]
SOAK = bool(os.environ.get("HARNESS_SOAK"))
TRIALS = 300 if SOAK else 4

CHILD = """
import os, random, sys
from pathlib import Path
from harness.adapters.journal_sql import SqlJournal
from harness.errors import RunNotFound
from harness.journal.events import FileChanged, MessageCompleted, PlanUpdated, RunStarted
from harness.journal.parts import PlanStep
home, keys, seed = sys.argv[1:]
draw = random.Random(int(seed))
journal = SqlJournal(Path(home), Path(keys))
try:
    writer = journal.open_writer("r1")
except RunNotFound:
    writer = journal.start("r1")
if not writer.seq:
    writer.append(RunStarted(goal="g", domain="d", domain_version="v", model="m"))
print("up", flush=True)
for batch in range(1_000_000):
    size = draw.randint(1, 4)
    name = f"{seed}/{batch}"
    events = [
        PlanUpdated(steps=(PlanStep(text=f"{name}/{part}/{size}" + "x" * draw.randint(0, 3000)),))
        for part in range(size)
    ]
    if draw.random() < 0.1:
        blob = writer.put_blob(draw.randbytes(draw.randint(1, 200_000)))
        events.append(FileChanged(path=name, after=blob, turn=1))
    reasoning = None
    if draw.random() < 0.3:
        events.append(MessageCompleted(step=batch, text="y" * draw.choice([10, 100_000])))
        reasoning = {"hm": name}
    writer.append(*events, reasoning=reasoning)
    os.write(1, f"{writer.seq}\\n".encode())
"""


def killed_once(home: Path, keys: Path, seed: int) -> int:
    """Let a child append and kill it; return the last number that it was told is durable."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), str(keys), str(seed)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    draw = random.Random(seed)
    if draw.random() < 0.9:
        assert process.stdout.readline() == "up\n"
        threading.Timer(draw.uniform(0.0, 0.15), process.kill).start()
    else:  # while it opens or recovers
        time.sleep(draw.uniform(0.2, 0.8))
        process.kill()
    lines = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    told = [int(line) for line in lines if line.isdigit()]
    return told[-1] if told else 0


def check(home: Path, keys: Path, acknowledged: int) -> int:
    """Check the record as another process finds it; return how many events it has."""
    journal = SqlJournal(home, keys)
    try:
        verdict = journal.verify("r1")
        assert verdict.findings == ()
        assert verdict.events >= acknowledged
        batches: dict[str, list[str]] = {}
        for recorded in journal.read("r1"):
            if isinstance(recorded.event, PlanUpdated):
                seed, batch, part, size = recorded.event.steps[0].text.rstrip("x").split("/")
                batches.setdefault(f"{seed}/{batch}/{size}", []).append(part)
            if isinstance(recorded.event, FileChanged):
                assert recorded.event.after is not None
                assert journal.blob("r1", recorded.event.after)
        for name, parts in batches.items():
            assert parts == [str(part) for part in range(int(name.rsplit("/", 1)[1]))]
        assert all(sealed["hm"] for _, sealed in journal.reasoning_for("r1"))
        return verdict.events
    finally:
        journal.close()


@pytest.mark.soak
def test_journal_kill(tmp_path: Path) -> None:
    began, acknowledged, events, unacknowledged = time.monotonic(), 0, 0, 0
    home, keys = tmp_path / "state", tmp_path / "keys"
    for trial in range(TRIALS):
        if trial % 25 == 0:  # a new journal, so that its making is killed too
            home, keys = tmp_path / f"state{trial}", tmp_path / f"keys{trial}"
            last = 0
        last = max(last, killed_once(home, keys, trial))
        if not (home / "harness.db").exists():
            continue
        if last:
            there = check(home, keys, last)
            unacknowledged += there - last
            acknowledged, events = acknowledged + 1, max(events, there)
            last = there
    assert acknowledged >= TRIALS // 2
    if SOAK:
        folder = ROOT / ".cache" / "soak"
        folder.mkdir(parents=True, exist_ok=True)
        result = {
            "trials": TRIALS,
            "checked": acknowledged,
            "longest_run_events": events,
            "acknowledged_events_lost": 0,
            "durable_but_not_yet_acknowledged": unacknowledged,
            "seconds": round(time.monotonic() - began, 1),
        }
        (folder / "journal_kill.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
