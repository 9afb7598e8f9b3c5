"""What a step of long work costs beside the model and the tool, durable commits included.

A scripted model in this process calls a trivial tool again and again. Each way runs in a process
of its own, so that memory is its own. LangChain's `create_agent` does the same work, without and
with SqliteSaver, for fewer steps: its cost grows with each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.material import Material
from tests.benchmarks.record import Record

__all__ = ["run"]

ROOT = Path(__file__).parents[2]
STEPS, PEER_STEPS = 10_000, 400
QUICK_STEPS, QUICK_PEER_STEPS = 60, 20
PEERS = {"create_agent": "bare", "create_agent with SqliteSaver": "saver"}


def run(material: Material, record: Record) -> None:
    """Measure ours and theirs, one after the other."""
    steps = QUICK_STEPS if material.quick else STEPS
    ours = _measured("ours", steps, material.folder)
    record.add("a step, at step 10", ours["first_ms"], "ms", at_most=2)
    record.add(f"a step, at step {steps:,}", ours["last_ms"], "ms", at_most=2)
    record.add("the last to the first", ours["last_ms"] / ours["first_ms"], "times", at_most=1.5)
    record.add("processor, at step 10", ours["first_processor_ms"], "ms")
    record.add(f"processor, at step {steps:,}", ours["last_processor_ms"], "ms")
    record.add("journal a step, first half", ours["first_bytes"], "bytes")
    record.add("journal a step, second half", ours["last_bytes"], "bytes")
    record.add(f"resume after {steps:,} steps", ours["resume_s"], "s", at_most=2)
    record.add(f"memory of {steps:,} steps", ours["memory_mb"], "MB", at_most=300)
    record.add("fdatasync of this disk", ours["sync_ms"], "ms")
    few = QUICK_PEER_STEPS if material.quick else PEER_STEPS
    for name, way in PEERS.items():
        theirs = _measured(way, few, material.folder)
        record.add(f"{name}, at step 10", theirs["first_ms"], "ms")
        record.add(f"{name}, at step {few:,}", theirs["last_ms"], "ms")
        if theirs["first_bytes"]:
            record.add(f"{name}, first half", theirs["first_bytes"], "bytes")
            record.add(f"{name}, second half", theirs["last_bytes"], "bytes")
    record.note(
        f"Medians; a step is one model call and one tool call, both of nearly no time; context "
        f"upkeep included ({ours['compacted']} times)."
    )
    record.note(f"load over the last minute: {ours['load']:.1f}")


def _measured(way: str, steps: int, folder: Path) -> dict[str, Any]:
    """Return what a process found that works so."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.loop_ways", way, str(steps), str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
