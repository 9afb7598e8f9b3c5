"""The default embedder: short texts a second, and whether a vector hangs on its neighbours."""

from __future__ import annotations

import numpy as np

from harness.wiring import make_embedder
from tests.benchmarks.material import Material
from tests.benchmarks.record import Record
from tests.benchmarks.timing import interleaved, seconds

__all__ = ["run"]


def run(material: Material, record: Record) -> None:
    """Embed Banking77's training rows."""
    texts = [item.text for item in material.bank("support-triage").bank.items]
    embedder = make_embedder("minilm")
    embedder.embed(texts[:1])
    rounds = [seconds(lambda: embedder.embed(texts)) for _ in range(1 if material.quick else 3)]
    record.add("short texts a second", len(texts) / min(rounds), "texts/s", at_least=2000)
    single = interleaved({"one": lambda text: embedder.embed([text])}, texts[:200])
    record.add("one question, p50", single["one"].p50 * 1000, "ms")
    sample = texts[:: max(1, len(texts) // 200)]
    among, alone = (
        embedder.embed(texts)[:: max(1, len(texts) // 200)],
        map(embedder.embed, zip(sample)),
    )
    differ = sum(not np.array_equal(one, other[0]) for one, other in zip(among, alone, strict=True))
    record.add("vectors that differ alone and among others", differ, "vectors", at_most=0)
    record.note(f"{len(texts):,} texts, the best of {len(rounds)} rounds.")
    record.note(
        "Left out: sentence-transformers (not installed, a torch of gigabytes) and Chroma's own "
        "ONNXMiniLM_L6_V2 (downloads its model)."
    )
