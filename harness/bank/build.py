"""Building an index: staged, read back, swapped in atomically.

One builder at a time writes a staging folder; only a finished, verified folder gets its name, so
a build killed at any moment leaves at worst a staging folder, which the next builder clears away.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bank.bm25 import write_terms
from harness.bank.index import new_store, read_items, read_manifest, seal, write_items
from harness.bank.items import Entry, bank_items
from harness.bank.plane import write_plane
from harness.errors import BankError
from harness.seams import VectorGroup
from harness.values import BankItem
from harness.words import WordTable

if TYPE_CHECKING:
    import numpy as np

    from harness.bank.cache import EmbeddingCache
    from harness.seams import Counter, Embedder, Progress, Store
    from harness.values import EvalCase, Example, Passage

__all__ = ["Plan", "build", "versions"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a build needs to know.

    Attributes:
        home: Folder of all the domain's versions.
        version: Name of the index to be.
        models: Embedder and counter, and what else makes an index that shares nothing.
        wanted: What it shall hold.
        by_label: The domain answers by label.
        language: Of the words that are stemmed.
    """

    home: Path
    version: str
    models: str
    wanted: Sequence[Entry]
    by_label: bool
    language: str
    render: Callable[[Example | EvalCase | Passage], str]
    embedder: Embedder
    counter: Counter
    store: Store


def build(plan: Plan, cache: EmbeddingCache, progress: Progress | None) -> int:
    """Write the wanted index; return how many texts were embedded.

    Raises:
        BankError: What was written could not be read back.
        OSError: The folder can't be written.
        sqlite3.Error: The cache can't be written.
        ModelError: A provider behind the embedder failed.
    """
    for dead in plan.home.glob(".staging-*"):  # we hold the lock: nobody works there
        shutil.rmtree(dead, ignore_errors=True)
    before, known = _earlier(plan)
    items = bank_items(
        list(plan.wanted),
        by_label=plan.by_label,
        render=plan.render,
        count=plan.counter.count,
        known=known,
    )
    texts = [item.text for item in items]
    vectors, embedded = cache.embed(plan.embedder, texts, progress)
    try:
        _swap_in(plan, items, vectors, before=before, known=known)
    except (BankError, OSError) as error:
        if before is None:
            raise
        logger.warning("%s It is built from the ground.", error)
        _swap_in(plan, items, vectors, before=None, known={})
    return embedded


def _swap_in(
    plan: Plan,
    items: Sequence[BankItem],
    vectors: np.ndarray,
    *,
    before: Path | None,
    known: Mapping[str, BankItem],
) -> None:
    """Write a staging folder and give it the index's name."""
    staging = plan.home / f".staging-{uuid.uuid4().hex[:12]}"
    target = plan.home / plan.version
    damaged = plan.home / f".staging-{uuid.uuid4().hex[:12]}"
    try:
        _write(plan, staging, items=items, vectors=vectors, before=before, known=known)
        if target.exists():  # damaged, or we would not be here
            target.rename(damaged)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(damaged, ignore_errors=True)


def _write(
    plan: Plan,
    staging: Path,
    *,
    items: Sequence[BankItem],
    vectors: np.ndarray,
    before: Path | None,
    known: Mapping[str, BankItem],
) -> None:
    import numpy as np

    digests = [digest for digest, _, _ in plan.wanted]
    staging.mkdir()
    store = new_store(staging)
    if before:
        shutil.copytree(before, store)
    held = set(known) if before else set()
    groups = _groups(items, digests, vectors, held, known)
    with ThreadPoolExecutor(1) as beside:  # Chroma's core, and the process that reads it back
        stored = beside.submit(plan.store.update, store, groups)
        np.save(staging / "vectors.npy", vectors)
        WordTable.of([item.text for item in items]).save(staging)
        write_terms([item.text for item in items], staging / "bm25", plan.language)
        write_items(staging, items, digests)
        write_plane(staging, items, vectors)
        stored.result()
    seal(
        staging,
        version=plan.version,
        models=plan.models,
        items=items,
        store=store,
        steady=plan.store.steady(store),
    )


def _groups(
    items: Sequence[BankItem],
    digests: Sequence[str],
    vectors: np.ndarray,
    held: set[str],
    known: Mapping[str, BankItem],
) -> dict[str, VectorGroup]:
    """Split the rows by group, and say what the copied store lacks and what it has too much."""
    wanted = set(digests)
    gone = [known[digest] for digest in held - wanted]
    groups = {}
    for name in ("demonstrations", "passages"):
        rows = [
            n for n, item in enumerate(items) if (item.kind == "passage") == (name == "passages")
        ]
        remove = sorted(one.key for one in gone if (one.kind == "passage") == (name == "passages"))
        if rows or remove:
            groups[name] = VectorGroup(
                keys=[items[row].key for row in rows],
                vectors=vectors[rows],
                add=[at for at, row in enumerate(rows) if digests[row] not in held],
                remove=remove,
            )
    return groups


def _earlier(plan: Plan) -> tuple[Path | None, dict[str, BankItem]]:
    """Return the store of an earlier index of the same models, if it is worth copying.

    Also that index's items by digest.
    """
    wanted = {digest for digest, _, _ in plan.wanted}
    for folder in sorted(versions(plan.home), key=lambda one: -one.stat().st_mtime):
        if folder.name == plan.version:
            continue  # damaged, or we would not be here
        try:
            manifest = read_manifest(folder)
            if manifest.models != plan.models:
                continue
            known = dict(read_items(folder))
        except BankError:
            continue
        if len(wanted & set(known)) * 2 > len(wanted):
            return folder / manifest.store, known
        return None, known
    return None, {}


def versions(home: Path) -> Iterator[Path]:
    """Yield the index folders of a domain."""
    for folder in home.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            yield folder
