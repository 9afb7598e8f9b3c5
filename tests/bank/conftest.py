"""A domain folder and a state folder, indexed with the real store; texts embedded by hashing."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.adapters.store_chroma import ChromaStore
from harness.bank import Bank, Synced, sync
from harness.context import RENDERING, render_item
from harness.domain import Domain, read_domain
from harness.testing import HashEmbedder, WordCounter

TOPICS = ["card", "transfer", "fee", "loan", "refund", "limit", "cash", "rate", "top-up", "PIN"]


class NotingEmbedder(HashEmbedder):
    """Notes what it was asked to embed."""

    def __init__(self, dimensions: int = 64) -> None:
        super().__init__(dimensions)
        self.asked: list[str] = []

    def embed(self, texts: Any, progress: Any = None) -> np.ndarray:
        self.asked.extend(texts)
        return super().embed(texts, progress)


@dataclass
class Shelf:
    """One domain folder with its state folder."""

    root: Path
    embedder: Any = field(default_factory=NotingEmbedder)
    store: Any = field(default_factory=ChromaStore)

    @property
    def folder(self) -> Path:
        return self.root / "small"

    @property
    def home(self) -> Path:
        return self.root / "state"

    @property
    def versions(self) -> list[Path]:
        """The index folders that are there."""
        return sorted(p for p in self.indexes.iterdir() if p.is_dir() and p.name[0] != ".")

    @property
    def indexes(self) -> Path:
        return self.home / "index" / "small"

    @property
    def left_over(self) -> list[str]:
        """Staging folders that nobody works in any more."""
        return [path.name for path in self.indexes.glob(".staging-*")]

    def write(
        self,
        examples: Mapping[str, Any] | None = None,
        *,
        cases: Mapping[str, Any] | None = None,
        references: Mapping[str, str] | None = None,
        settings: str = "",
    ) -> None:
        """Write the folder anew; an item is its input, or its fields."""
        for name, content in {
            "SKILL.md": "---\nname: small\ndescription: A small domain.\n---\nBe exact.\n",
            "domain.yaml": settings,
            "examples/all.jsonl": _lines(examples or {}, {"output": "yes"}),
            "evals/dev.jsonl": _lines(cases or {}, {"expected": "yes"}),
            **{f"references/{name}": text for name, text in (references or {}).items()},
        }.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        for path in (self.folder / "references").glob("*"):
            if path.name not in (references or {}):
                path.unlink()

    def domain(self) -> Domain:
        domain = read_domain(self.folder)
        assert not domain.errors, domain.errors
        return domain

    def sync(self, **other: Any) -> Synced:
        parts = {
            "home": self.home,
            "embedder": self.embedder,
            "counter": WordCounter(),
            "store": self.store,
            "render": render_item,
            "rendering": RENDERING,
        }
        return sync(self.domain(), **{**parts, **other})

    def synced(self) -> tuple[int, bool]:
        """Sync, and let go of the bank; return how many texts were embedded, and `built`."""
        done = self.sync()
        with closing(done.bank):
            return done.embedded, done.built


def _lines(items: Mapping[str, Any], rest: Mapping[str, str]) -> str:
    rows = (
        {"id": name, **rest, **({"input": one} if isinstance(one, str) else one)}
        for name, one in items.items()
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def many(count: int, first: int = 0) -> dict[str, str]:
    """Distinct questions that share words: ids to texts."""
    questions = {}
    for number in range(first, first + count):
        dice = random.Random(number)
        said = [*dice.sample(TOPICS, 2), *(f"w{dice.randrange(300)}" for _ in range(6))]
        questions[f"q{number:05}"] = f"{' '.join(said)} number {number}"
    return questions


def _found(bank: Bank, question: str) -> list[tuple[str, float, float]]:
    vector = bank.embed(question)
    rows = []
    for group in ("demonstrations", "passages"):
        hits = bank.search(question, vector, group, depth=2000)  # all: a cut depends on ties
        rows += zip(hits.rows, hits.relevance, hits.similarity, strict=True)
    return [(bank.items[row].key, round(float(r), 9), round(float(s), 5)) for row, r, s in rows]


@pytest.fixture(scope="session")
def store() -> Iterator[ChromaStore]:
    """One store for all, so that its process that reads back is started once."""
    shared = ChromaStore()
    with shared.prepare():
        yield shared


@pytest.fixture
def shelf(tmp_path: Path, store: ChromaStore) -> Shelf:
    return Shelf(tmp_path, store=store)


@pytest.fixture
def questions() -> Callable[..., dict[str, str]]:
    return many


@pytest.fixture(scope="session")
def found() -> Callable[[Bank, str], list[tuple[str, float, float]]]:
    """Keys, relevance and similarity of what a bank finds for a question."""
    return _found


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory, store: ChromaStore) -> Shelf:
    """An index so large that Chroma has written its HNSW files; to be copied, not changed."""
    shelf = Shelf(tmp_path_factory.mktemp("large"), store=store)
    shelf.write(many(1100), references={"fees.md": "# Fees\n\nA transfer abroad costs 2 %.\n"})
    shelf.synced()
    return shelf


@pytest.fixture
def large_copy(large: Shelf, tmp_path: Path) -> Shelf:
    """The same, one's own."""
    shutil.copytree(large.root, tmp_path / "copy")
    return Shelf(tmp_path / "copy", store=large.store)
