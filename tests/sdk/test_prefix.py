"""The stable prefix: byte-identical over questions, processes and machines."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A machine of its own: another embedder, no index of ours, another seed for Python's hashes.
ELSEWHERE = """
import sys
from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.context import Packer
from harness.domain import read_domain
from harness.testing import HashEmbedder, MemoryBank

domain = read_domain(sys.argv[1])
counter = TiktokenCounter()
bank = MemoryBank(domain, embedder=HashEmbedder(16), counter=counter)
print(Packer(domain, bank, counter).pack("Is my card on its way?").prefix_sha256)
"""


def test_200_questions_have_one_prefix(shipped) -> None:
    harness = shipped("support-triage")
    cases = random.Random(0).sample(harness.domain.cases, 200)
    short = {"demonstrations": 300}  # most with a short tail, which is quicker
    packed = [
        harness.preview(case.input, guard_case=case, sections=None if n < 8 else short)
        for n, case in enumerate(cases)
    ]
    assert len({one.prefix_sha256 for one in packed}) == 1
    assert len({one.messages[0].text.encode() for one in packed}) == 1
    assert len({one.messages[1].text for one in packed}) == 200
    assert packed[0].messages[0].parts[-1].cache
    assert packed[0].core_tokens > 4000


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_other_processes_and_machines_have_the_same(shipped, seed: str) -> None:
    ours = shipped("support-triage").preview("Where is my card?").prefix_sha256
    run = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(ROOT / "domains" / "support-triage")],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == ours


def test_the_core_shows_every_intent(shipped) -> None:
    harness = shipped("support-triage")
    outputs = {one.id: one.output for one in harness.domain.examples}
    packed = harness.preview("Where is my card?")
    core = [item.id for item in packed.items if item.section == "core" and item.kept]
    assert {outputs[one] for one in core} == set(harness.domain.labels)
