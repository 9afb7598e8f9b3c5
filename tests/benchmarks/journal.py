"""What the journal costs: a step's appends at event 10 and at 10,000 steps, reading it all again.

Printed beside the disk's own fsync, which no durable journal can beat: `append_without_sync` is
the same work with SQLite's syncs switched off. Run: `python tests/benchmarks/journal.py [steps]`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.adapters.journal_sql import SqlJournal
from harness.adapters.journal_writer import SqlWriter
from harness.journal.events import (
    MessageCompleted,
    ModelRequested,
    RunFinished,
    RunStarted,
    ToolFinished,
    ToolRequested,
)
from harness.journal.masking import Masker
from harness.journal.parts import ToolCall
from harness.values import Usage

WINDOW = 200
"""Steps that a median is taken of."""
MASKER = Masker({f"SECRET_{number}_KEY": f"value-of-secret-{number}" for number in range(5)})


def step(writer: SqlWriter, number: int) -> None:
    """Append what a typical step leaves: four events in two commits."""
    call, arguments = f"call_{number:06d}", {"path": f"notes/{number}.md", "limit": 100}
    usage = Usage(input_tokens=8000, output_tokens=200, cost_usd=Decimal("0.0123"))
    writer.append(
        MessageCompleted(
            step=number,
            text="I look at the clause on termination next. " * 6,
            calls=(ToolCall(id=call, tool="read_file", arguments=arguments),),
            usage=usage,
            model="m",
            message={"role": "assistant", "content": "I look at the clause next. " * 6},
        ),
        ToolRequested(step=number, call=call, tool="read_file", arguments=arguments),
    )
    writer.append(
        ToolFinished(step=number, call=call, tool="read_file", text="Line of text.\n" * 40),
        ModelRequested(step=number + 1, model="m", request_sha256="0" * 64),
    )


def milliseconds(seconds: Sequence[float]) -> float:
    """Return the median."""
    return round(statistics.median(seconds) * 1000, 3)


def fsync_cost(folder: Path) -> float:
    """Return the median of an fdatasync after 8 KiB, in milliseconds."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"x" * 8192)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return milliseconds(took)


def size(folder: Path) -> int:
    """Return the bytes of the database, its log written back."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.suffix != ".db-shm")


def filled(folder: Path, steps: int, *, synced: bool) -> tuple[SqlJournal, dict[str, Any]]:
    """Write a run of that many steps; return the journal, and what the steps cost."""
    journal = SqlJournal(folder / "state", folder / "keys", masker=MASKER)
    took: list[float] = []
    used: list[float] = []
    grown: list[int] = []
    with journal.start("r1") as writer:
        writer.append(RunStarted(goal="g", domain="d", domain_version="v", model="m"))
        if not synced:
            raw: Any = writer._commits._connection.connection.driver_connection
            raw.execute("PRAGMA synchronous = OFF")
        for number in range(1, steps + 1):
            began, spent = time.perf_counter(), time.process_time()
            step(writer, number)
            took.append(time.perf_counter() - began)
            used.append(time.process_time() - spent)
            if number % 1000 == 0:
                grown.append(size(folder))
        writer.append(RunFinished(stop="completed"))
    window = min(WINDOW, steps // 2)
    told = {
        "steps": steps,
        "first_ms": milliseconds(took[10 : 10 + window]),
        "last_ms": milliseconds(took[-window:]),
        "first_processor_ms": milliseconds(used[10 : 10 + window]),
        "last_processor_ms": milliseconds(used[-window:]),
        "p99_ms": round(sorted(took)[int(len(took) * 0.99)] * 1000, 3),
    }
    if len(grown) > 2:
        told["bytes_a_step_first_half"] = (grown[len(grown) // 2] - grown[0]) // (
            1000 * (len(grown) // 2)
        )
        told["bytes_a_step_second_half"] = (grown[-1] - grown[len(grown) // 2]) // (
            1000 * (len(grown) - 1 - len(grown) // 2)
        )
    return journal, told


def lag(journal: SqlJournal) -> float:
    """Return the median time from an append to what a tail in another thread sees, in ms."""
    import threading

    seen: dict[int, float] = {}
    written: dict[int, float] = {}
    with journal.start("r2") as writer:
        writer.append(RunStarted(goal="g", domain="d", domain_version="v", model="m"))

        def follow() -> None:
            for recorded in journal.tail("r2"):
                seen[recorded.seq] = time.perf_counter()

        thread = threading.Thread(target=follow)
        thread.start()
        for number in range(30):
            time.sleep(0.03)
            step(writer, number)
            written[writer.seq] = time.perf_counter()
        writer.append(RunFinished(stop="completed"))
        thread.join()
    return milliseconds([seen[seq] - at for seq, at in written.items()])


def timed(work: Any) -> dict[str, float]:
    """Return the best of three: seconds by the clock, and of the processor."""
    took, used = [], []
    for _ in range(3):
        began, spent = time.perf_counter(), time.process_time()
        work()
        took.append(time.perf_counter() - began)
        used.append(time.process_time() - spent)
    return {"seconds": round(min(took), 3), "processor_seconds": round(min(used), 3)}


def benchmark(steps: int = 10_000) -> dict[str, Any]:
    """Return all figures."""
    with tempfile.TemporaryDirectory(prefix="journal") as name:
        folder = Path(name)
        sync = fsync_cost(folder)
        durable, with_sync = filled(folder / "durable", 300, synced=True)
        durable.close()
        journal, without_sync = filled(folder / "long", steps, synced=False)
        told = {
            "fdatasync_ms": sync,
            "append_durable": with_sync,
            "append_durable_beyond_two_syncs_ms": round(with_sync["last_ms"] - 2 * sync, 3),
            "append_without_sync": without_sync,
            "read_all": timed(lambda: sum(1 for _ in journal.read("r1"))),
            "verify": timed(lambda: journal.verify("r1")),
            "open_writer": timed(lambda: journal.open_writer("r1").close()),
            "tail_lag_ms": lag(journal),
        }
        journal.close()
        return told


if __name__ == "__main__":
    print(json.dumps(benchmark(*map(int, sys.argv[1:])), indent=1))
