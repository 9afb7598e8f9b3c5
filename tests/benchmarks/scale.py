"""A bank of 100,000 examples: time to index, to open and to pack, and resident memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.material import DOMAINS, Material, read_rows, write_rows
from tests.benchmarks.record import Record
from tests.benchmarks.timing import seconds

__all__ = ["run"]

ROWS = 100_000
QUICK_ROWS = 300
QUESTIONS = 200


def run(material: Material, record: Record) -> None:
    """Index here; open and pack in a process of its own, whose memory is nobody else's."""
    count = QUICK_ROWS if material.quick else ROWS
    domain, home = _domain(material, count), material.folder / "scale-home"
    opened = material.open(domain, home)
    record.add("index, cold", seconds(opened.current), "s")
    opened.close()
    asked = {
        "domain": str(domain),
        "home": str(home),
        "questions": [one.text for one in material.questions("support-triage", QUESTIONS)],
    }
    reader = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.scale_reader"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    for name, value, unit in json.loads(reader.stdout):
        record.add(name, value, unit)
    record.note(
        f"{count:,} examples: the first half of one Banking77 message and the second half of "
        "another of the same intent, so that words, lengths and embeddings are real."
    )


def _domain(material: Material, count: int) -> Path:
    """Write a domain of so many distinct examples."""
    target = material.copy("support-triage", "scale")
    path = target / "examples" / "train.csv"
    by_label: dict[str, list[list[str]]] = {}
    for row in read_rows(DOMAINS / "support-triage" / "examples" / "train.csv"):
        by_label.setdefault(row["output"], []).append(row["input"].split())
    chance, labels = random.Random(3), sorted(by_label)
    made: dict[str, str] = {}
    while len(made) < count:
        label = chance.choice(labels)
        head, tail = chance.sample(by_label[label], 2)
        made.setdefault(" ".join(head[: len(head) // 2] + tail[len(tail) // 2 :]), label)
    rows = [
        {"id": f"s{number:06}", "input": text, "output": label}
        for number, (text, label) in enumerate(made.items())
    ]
    write_rows(path, rows)
    return target
