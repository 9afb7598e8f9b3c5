"""Bringing the index of a domain up to date: staged, read back, swapped in atomically.

One builder at a time writes a staging folder; only a finished, verified folder gets its name, so
a build killed at any moment leaves at worst a staging folder, which the next builder clears away.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness.bank.bm25 import write_terms
from harness.bank.cache import EmbeddingCache
from harness.bank.index import (
    new_store,
    read_items,
    read_manifest,
    remove_unread,
    seal,
    write_items,
)
from harness.bank.items import Entry, bank_items, entries, version_of
from harness.bank.search import Bank
from harness.errors import BankBusy, BankError, BankUnwritable
from harness.seams import VectorGroup
from harness.values import BankItem
from harness.words import WordTable

if TYPE_CHECKING:
    import numpy as np

    from harness.domain import Domain
    from harness.seams import Counter, Embedder, Progress, Store
    from harness.values import EvalCase, Example, Passage

__all__ = ["Synced", "sync"]

logger = logging.getLogger(__name__)

DATABASE = "harness.db"
"""The state folder's database; embeddings are one of the things that it keeps."""

UNSOUND = (BankError, OSError, ValueError, KeyError, sqlite3.Error)
"""What opening a damaged index may raise."""
PATIENCE = 600.0
"""Seconds to wait for another process that builds the same domain's index."""


@dataclass(frozen=True, kw_only=True)
class Synced:
    """An index up to date.

    Attributes:
        bank: Opened for reading.
        embedded: Texts embedded now; the rest came from the cache or the earlier index.
        built: Whether a new index was written.
    """

    bank: Bank
    embedded: int
    built: bool


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """All that a build needs to know."""

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


def sync(
    domain: Domain,
    *,
    home: Path,
    embedder: Embedder,
    counter: Counter,
    store: Store,
    render: Callable[[Example | EvalCase | Passage], str],
    rendering: str,
    progress: Progress | None = None,
) -> Synced:
    """Return the domain's bank, building its index where it is missing, old or damaged.

    Args:
        domain: A domain without errors.
        home: The state folder.
        embedder: Makes the vectors.
        counter: Counts the tokens of rendered items.
        store: Keeps the vectors.
        render: Gives an item as it stands in the context.
        rendering: Names that way; another name makes another index.
        progress: Called with (texts embedded, of how many).

    Raises:
        BankBusy: Another process holds the lock for ten minutes.
        BankUnwritable: The disk is full, or the state folder may not be written.
        ModelError: A provider behind the embedder failed.
    """
    wanted = entries(domain, rendering)
    models = f"{embedder.name}\n{counter.name}"
    language = domain.settings.language or "en"
    plan = _Plan(
        home=home / "index" / domain.name,
        version=version_of(wanted, f"{models}\n{language}"),
        models=models,
        wanted=wanted,
        by_label=domain.settings.answer.kind == "label",
        language=language,
        render=render,
        embedder=embedder,
        counter=counter,
        store=store,
    )
    with _told_when_unwritable(plan.home):
        if bank := _opened(plan):
            return Synced(bank=bank, embedded=0, built=False)
        plan.home.mkdir(parents=True, exist_ok=True)
        with _alone(plan.home):
            if bank := _opened(plan):
                return Synced(bank=bank, embedded=0, built=False)
            with store.prepare():
                embedded = _build(plan, EmbeddingCache(home / DATABASE), progress)
            bank = Bank(plan.home / plan.version, embedder=embedder, store=store)
            _clear_away(plan)
    return Synced(bank=bank, embedded=embedded, built=True)


def _opened(plan: _Plan) -> Bank | None:
    """Open the wanted index; a damaged one is taken as not there."""
    folder = plan.home / plan.version
    if not folder.is_dir():
        return None
    try:
        return Bank(folder, embedder=plan.embedder, store=plan.store)
    except UNSOUND as error:
        logger.warning("%s It is built anew.", error)
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the builders' lock of a domain."""
    lock = FileLock(folder / "build.lock")
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        logger.warning("Another process builds this index; waiting for it.")
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout as error:
            raise BankBusy(
                f"Another process has been building the index in {folder} for ten minutes.",
                "Wait for it, or end that process and try again.",
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _told_when_unwritable(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BankUnwritable(
            f"{folder.parents[1] / DATABASE} can't be written ({error}).",
            "Make room or give permission, or name another state folder with --home.",
        ) from error
    except OSError as error:
        raise BankUnwritable(
            f"The index in {folder} can't be written ({error.strerror or error}).",
            "Make room or give permission, or name another state folder with --home. "
            "Nothing is lost: what was embedded so far is kept.",
        ) from error


def _build(plan: _Plan, cache: EmbeddingCache, progress: Progress | None) -> int:
    """Write the wanted index; return how many texts were embedded."""
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
    plan: _Plan,
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
    plan: _Plan,
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
    plan.store.update(store, _groups(items, digests, vectors, held, known))
    np.save(staging / "vectors.npy", vectors)
    WordTable.of([item.text for item in items]).save(staging)
    write_terms([item.text for item in items], staging / "bm25", plan.language)
    write_items(staging, items, digests)
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


def _earlier(plan: _Plan) -> tuple[Path | None, dict[str, BankItem]]:
    """Return the store of an earlier index of the same models, if it is worth copying.

    Also that index's items by digest.
    """
    wanted = {digest for digest, _, _ in plan.wanted}
    for folder in sorted(_versions(plan.home), key=lambda one: -one.stat().st_mtime):
        if folder.name == plan.version:
            continue  # damaged, or we would not be here
        try:
            manifest = read_manifest(folder)
            if manifest.models != plan.models:
                continue
            known = dict(read_items(folder))
        except (BankError, OSError, ValueError, TypeError):
            continue
        if len(wanted & set(known)) * 2 > len(wanted):
            return folder / manifest.store, known
        return None, known
    return None, {}


def _versions(home: Path) -> Iterator[Path]:
    for folder in home.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            yield folder


def _clear_away(plan: _Plan) -> None:
    """Remove the versions that nobody reads any more."""
    for folder in _versions(plan.home):
        if folder.name != plan.version:
            remove_unread(folder)
