"""Opens a large bank in a fresh process and packs from it: figures as JSON on stdout.

Reads one JSON object from stdin: the domain folder, the state folder and the questions.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from harness.adapters.chroma_index import ChromaIndex
from harness.bank import Bank
from harness.context import tail
from harness.sdk.opened import Opened
from harness.settings import Settings
from tests.benchmarks.packing_speed import demonstrations
from tests.benchmarks.timing import interleaved, seconds

PARTS: dict[str, tuple[Any, str]] = {
    "embedding the question": (Bank, "embed"),
    "Chroma": (ChromaIndex, "query"),
    "BM25": (Bank, "_by_words"),
    "fusing": (Bank, "search"),  # less the two above
    "choosing": (tail, "choose_tail"),
}
BUDGETS = {"800 tokens": 800, "4,000 tokens": 4000}

Row = tuple[str, float, str]


def main() -> None:
    """Measure and print."""
    asked = json.load(sys.stdin)
    rows = list(measure(asked["domain"], asked["home"], asked["questions"]))
    json.dump(rows, sys.stdout)


def measure(domain: str, home: str, questions: list[str]) -> Iterator[Row]:
    """Yield name, value and unit of each figure."""
    megabytes = 1 / 2**20
    me = psutil.Process()
    opened = Opened(Path(domain), Settings({"home": home}))
    before = me.memory_info().rss
    yield "open, from the folder to ready, first time in a process", seconds(opened.current), "s"
    packer = opened.current().packer
    for text in questions[:5]:
        packer.pack(text, sections=demonstrations(4000))
    after = me.memory_info().rss
    yield "resident memory, open", after * megabytes, "MB"
    yield "of which domain, index and libraries", (after - before) * megabytes, "MB"

    def way(tokens: int) -> Callable[[str], object]:
        sections = demonstrations(tokens)
        return lambda text: packer.pack(text, sections=sections)

    ways = {name: way(tokens) for name, tokens in BUDGETS.items()}
    for name, timing in interleaved(ways, questions).items():
        yield f"pack, {name}: p50", timing.p50 * 1000, "ms"
        yield f"pack, {name}: p95", timing.p95 * 1000, "ms"
    for name, pack in ways.items():
        yield from _split(name, pack, questions)


def _split(name: str, pack: Callable[[str], object], questions: list[str]) -> Iterator[Row]:
    """Yield how the time of packing divides, as means; the parts are timed from within."""
    spent: Counter[str] = Counter()
    with ExitStack() as stack:
        for part, (owner, attribute) in PARTS.items():
            stack.enter_context(_watched(owner, attribute, part, spent))
        whole = sum(seconds(lambda text=text: pack(text)) for text in questions)
    spent["fusing"] -= spent["Chroma"] + spent["BM25"]
    spent["guard, counting, rendering, the rest"] = whole - sum(spent.values())
    for part, taken in spent.items():
        yield f"of {name}: {part}", taken / len(questions) * 1000, "ms"


@contextmanager
def _watched(owner: Any, attribute: str, part: str, spent: Counter[str]) -> Iterator[None]:
    """Count the time spent in a function while the block runs."""
    plain = getattr(owner, attribute)

    @functools.wraps(plain)
    def timed(*args: Any, **how: Any) -> Any:
        started = time.perf_counter()
        try:
            return plain(*args, **how)
        finally:
            spent[part] += time.perf_counter() - started

    with patch.object(owner, attribute, timed):
        yield


if __name__ == "__main__":
    main()
