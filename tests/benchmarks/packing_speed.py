"""Packing from 10,003 examples, the question's embedding included, beside what others do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from langchain_core.example_selectors import (
    MaxMarginalRelevanceExampleSelector,
    SemanticSimilarityExampleSelector,
)

from harness.domain import SectionSize
from harness.sdk.opened import Current
from harness.wiring import make_counter, make_embedder
from tests.benchmarks import peers
from tests.benchmarks.material import Material
from tests.benchmarks.record import Record
from tests.benchmarks.timing import interleaved

__all__ = ["demonstrations", "run"]

QUESTIONS = 300
SHOTS = 32
BARE = "bare Chroma query, 32"
WANTED = {"harness, 800 tokens": 2.0, "harness, 4,000 tokens": 4.0}

Way = Callable[[str], object]


def run(material: Material, record: Record) -> None:
    """Time each way on the same questions, in turn."""
    current = material.bank("support-triage")
    ways = {**_theirs(material, current), **_ours(current)}
    questions = [one.text for one in material.questions("support-triage", QUESTIONS)]
    for way in ways.values():
        for text in questions[:10]:
            way(text)
    timings = interleaved(ways, questions)
    for name, timing in timings.items():
        record.add(f"{name}: p50", timing.p50 * 1000, "ms")
        record.add(f"{name}: p95", timing.p95 * 1000, "ms")
    for name in timings:
        if name != BARE:
            ratio = timings[name].p50 / timings[BARE].p50
            record.add(f"{name} / {BARE}", ratio, "times", at_most=WANTED.get(name))
    record.note(
        f"{len(current.bank.items):,} examples, {len(questions)} questions. Ours searches in two "
        "ways, guards, balances, and counts and renders exactly; `select` alone counts and renders "
        "nothing, `+ trim` also makes messages and trims them to 800 tokens."
    )


def demonstrations(tokens: int) -> dict[str, SectionSize]:
    """Return sections with no core and so many tokens of demonstrations."""
    return {"core": SectionSize.read(0), "demonstrations": SectionSize.read(tokens)}


def _ours(current: Current) -> dict[str, Way]:
    pack = current.packer.pack
    small, large = demonstrations(800), demonstrations(4000)
    return {
        "harness, 800 tokens": lambda text: pack(text, sections=small),
        "harness, 4,000 tokens": lambda text: pack(text, sections=large),
        "harness, default (32,000 tokens)": pack,
    }


def _theirs(material: Material, current: Current) -> dict[str, Way]:
    items, embedder, counter = current.bank.items, make_embedder("minilm"), make_counter()
    vectors = current.bank.vectors(np.arange(len(items)))
    bare = peers.bare_collection(material.folder / "bare", items, vectors)
    store = peers.selector_store(material.folder / "selector", items, vectors, embedder)

    def similar(shots: int) -> SemanticSimilarityExampleSelector:
        return SemanticSimilarityExampleSelector(vectorstore=store, k=shots, input_keys=["input"])

    def diverse(fetch: int) -> MaxMarginalRelevanceExampleSelector:
        return MaxMarginalRelevanceExampleSelector(
            vectorstore=store, k=SHOTS, fetch_k=fetch, input_keys=["input"]
        )

    def select(
        selector: SemanticSimilarityExampleSelector | MaxMarginalRelevanceExampleSelector,
    ) -> Way:
        return lambda text: selector.select_examples({"input": text})

    def scan(text: str) -> np.ndarray:
        similarity = vectors @ embedder.embed([text])[0]
        best = np.argpartition(-similarity, SHOTS)[:SHOTS]
        return best[np.argsort(-similarity[best])]

    near = similar(SHOTS)
    return {
        "numpy exact scan, 32 (floor)": scan,
        BARE: lambda text: bare.query(query_embeddings=embedder.embed([text]), n_results=SHOTS),
        "LangChain similarity, 32: select": select(near),
        "LangChain similarity, 32: + trim": lambda text: peers.trimmed(
            near.select_examples({"input": text}), counter, 800
        ),
        "LangChain similarity, 128: select": select(similar(128)),
        "LangChain MMR, 32 of 32: select": select(diverse(SHOTS)),
        "LangChain MMR, 32 of 200: select": select(diverse(200)),
    }
