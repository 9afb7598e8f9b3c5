"""Indexing Banking77's training rows cold, and after one item has changed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import median

from langchain_chroma import Chroma

from harness.seams import Embedder
from harness.wiring import make_embedder
from tests.benchmarks import peers
from tests.benchmarks.material import Material, read_rows, write_rows
from tests.benchmarks.record import Record
from tests.benchmarks.timing import interleaved

__all__ = ["run"]

ROUNDS = 3
CHANGES = 5


def run(material: Material, record: Record) -> None:
    """Index in fresh folders by each way in turn, with one embedder that is loaded already."""
    domain = material.copy("support-triage", "indexing")
    rows = _unknown(domain / "examples" / "train.csv")
    embedder = make_embedder("minilm")
    ways = Ways(material, domain, rows, embedder)
    ours, alone = "harness, cold", "embedding alone"
    named = {
        alone: ways.embedding,
        ours: ways.harness,
        "LangChain Chroma.from_texts": ways.langchain,
        "Chroma collection.add, bare": ways.bare,
    }
    if not material.quick:
        interleaved(named, [-1])  # imports, and the machine's file cache
    timings = interleaved(named, range(1 if material.quick else ROUNDS))
    for name, timing in timings.items():
        record.add(name, timing.p50, "s")
    for name in list(named)[1:]:
        ratio = timings[name].p50 / timings[alone].p50
        record.add(f"{name} / {alone}", ratio, "times", at_most=1.5 if name == ours else None)
    record.add(
        "one item changed, from save to answerable", _changed(material, domain), "s", at_most=2
    )
    record.note(
        f"{len(rows):,} rows. All embed with the default embedder; ours also reads and checks the "
        "folder, counts tokens, builds BM25 and the word table, and reads the store back."
    )


class Ways:
    """The ways to index the same rows; each call works in a folder of its own."""

    def __init__(
        self, material: Material, domain: Path, rows: list[dict[str, str]], embedder: Embedder
    ) -> None:
        self._material = material
        self._domain = domain
        self._texts = [row["input"] for row in rows]
        self._outputs = [{"output": row["output"]} for row in rows]
        self._embedder = embedder

    def embedding(self, _: int) -> None:
        """Embed, and keep nothing."""
        self._embedder.embed(self._texts)

    def harness(self, turn: int) -> None:
        """Read, check and index the domain folder."""
        home = self._material.folder / f"cold-{turn}"
        opened = self._material.open(self._domain, home)
        opened.current()
        opened.close()
        shutil.rmtree(home)

    def langchain(self, turn: int) -> None:
        """Fill LangChain's Chroma store."""
        Chroma.from_texts(
            self._texts,
            peers.OurEmbeddings(self._embedder),
            metadatas=self._outputs,
            client=peers.client(self._material.folder / f"langchain-{turn}"),
            collection_configuration=peers.COSINE,
        )

    def bare(self, turn: int) -> None:
        """Fill a Chroma collection."""
        client = peers.client(self._material.folder / f"bare-{turn}")
        made = client.create_collection("bare", embedding_function=None, configuration=peers.COSINE)
        step = client.get_max_batch_size()
        for start in range(0, len(self._texts), step):
            chunk = self._texts[start : start + step]
            made.add(
                ids=[str(start + at) for at in range(len(chunk))],
                embeddings=self._embedder.embed(chunk),
                documents=chunk,
                metadatas=self._outputs[start : start + step],
            )


def _unknown(path: Path) -> list[dict[str, str]]:
    """Change every text of a file a little: the vectors of the shipped ones are shipped, too."""
    rows = [{**row, "input": f"{row['input']} Please."} for row in read_rows(path)]
    write_rows(path, rows)
    return rows


def _changed(material: Material, domain: Path) -> float:
    """Return the median time from saving a changed row to a packed context that can have it."""
    path = domain / "examples" / "train.csv"
    opened = material.open(domain, material.folder / "changed")
    opened.current().packer.pack("Where is my card?")
    taken = []
    for number in range(1 if material.quick else CHANGES):
        rows = read_rows(path)
        rows[number]["input"] += f" This is the {number + 1}. change."
        write_rows(path, rows)
        started = time.perf_counter()
        packed = opened.current().packer.pack(rows[number]["input"])
        taken.append(time.perf_counter() - started)
        if rows[number]["id"] not in {item.id for item in packed.shown("example")}:
            raise AssertionError("the changed item is not found")
    opened.close()
    return median(taken)
