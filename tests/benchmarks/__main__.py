"""Runs the benchmarks one after the other: `python -m tests.benchmarks --only packing-speed`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    documents,
    embedding,
    evals,
    hands,
    indexing,
    loop,
    packing_quality,
    packing_speed,
    scale,
    stable_prefix,
    startup,
    ui,
)
from tests.benchmarks.material import Material
from tests.benchmarks.record import Record

BENCHMARKS: dict[str, tuple[str, Callable[[Material, Record], None]]] = {
    "start-up": ("processes from start to end", startup.run),
    "embedding": ("the default embedder", embedding.run),
    "indexing": ("Banking77's 10,003 training rows", indexing.run),
    "packing-speed": ("one context from 10,003 examples", packing_speed.run),
    "packing-quality": ("the right label among the demonstrations", packing_quality.run),
    "evals": ("eval cases on a loopback provider of 200 ms", evals.run),
    "stable-prefix": ("what a provider's prompt cache can serve", stable_prefix.run),
    "loop": ("a step of long work, beside LangChain's create_agent", loop.run),
    "documents": ("a document of 100 pages", documents.run),
    "ui": ("the web app in a browser", ui.run),
    "hands": ("calculations, scripts, MCP tools", hands.run),
    "scale": ("100,000 synthetic examples", scale.run),
}
SLOW_TO_START = ("ui",)
"""Even tiny: a server and a browser. The tests of the web app start both anyway."""
KEPT = Path(__file__).parents[2] / ".cache" / "benchmarks"


def main() -> None:
    """Run what was asked for. A missed figure is said, and is no failure: machines differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: see that it works")
    parser.add_argument("--out", type=Path, help=f"folder for the JSON, {KEPT} by default")
    asked = parser.parse_args()
    out = asked.out or (KEPT / "quick" if asked.quick else KEPT)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        material = Material(Path(folder), quick=asked.quick)
        usual = [one for one in BENCHMARKS if not (asked.quick and one in SLOW_TO_START)]
        for name in asked.only or usual:
            title, run = BENCHMARKS[name]
            record = Record(name, title, quick=asked.quick)
            run(material, record)
            path = record.write(out)
            print(f"{record}\n  kept in {path}\n", flush=True)
            missed += sum(figure.met is False for figure in record.figures)
        material.close()
    if missed and not asked.quick:
        print(f"{missed} wanted figures were missed.", file=sys.stderr)


if __name__ == "__main__":
    main()
