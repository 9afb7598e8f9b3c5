"""The bank in memory: the same items as a real one, searched exactly."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.bank import sync
from harness.context import RENDERING, render_item
from harness.domain import read_domain
from harness.testing import HashEmbedder, MemoryBank
from harness.wiring import make_store

FILES = {
    "domain.yaml": "answer: {kind: label}\n",
    "examples/a.csv": "id,input,output\ne1,my card is lost,lost\ne2,a fee was taken,fee\n",
    "evals/dev.csv": "id,input,expected\nd1,card gone,lost\n",
    "references/law.md": "# Fees\n\nA fee is 2 %.\n",
}


def test_its_items_are_a_real_bank_s(write_domain, tmp_path: Path) -> None:
    domain = read_domain(write_domain(**FILES))
    synced = sync(
        domain,
        home=tmp_path / "state",
        embedder=HashEmbedder(),
        counter=TiktokenCounter(),
        store=make_store(),
        render=render_item,
        rendering=RENDERING,
    )
    memory = MemoryBank(domain)
    with closing(synced.bank) as real:
        assert list(memory.items) == list(real.items)
        assert memory.words.vocabulary == real.words.vocabulary
        rows = np.arange(len(real.items))
        assert np.allclose(memory.vectors(rows), real.vectors(rows))
        assert all(memory.row_of(item.key) == real.row_of(item.key) for item in real.items)
        assert memory.row_of("example/none") is None
        vector = memory.embed("where is my card")
        for group in ("demonstrations", "passages"):
            ours = memory.search("where is my card", vector, group, 10)
            its = real.search("where is my card", real.embed("where is my card"), group, 10)
            assert set(ours.rows.tolist()) == set(its.rows.tolist())


def test_it_gives_the_nearest_first_and_no_more_than_asked(write_domain) -> None:
    bank = MemoryBank(read_domain(write_domain(**FILES)))
    hits = bank.search("card lost", bank.embed("my lost card"), "demonstrations", 2)
    assert [bank.items[row].id for row in hits.rows] == ["e1", "d1"]
    assert hits.relevance[0] == 1
    assert hits.similarity[0] > hits.similarity[1]
    empty = MemoryBank(read_domain(write_domain("bare", **{"domain.yaml": ""})))
    assert len(empty.search("x", empty.embed("x"), "passages", 5)) == 0
