"""Bringing the index of a domain up to date: one process builds, the others wait or read on."""

from __future__ import annotations

import dataclasses
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness.bank.build import Plan, build, versions
from harness.bank.cache import EmbeddingCache
from harness.bank.index import remove_unread
from harness.bank.items import entries, version_of
from harness.bank.others import SetApart, as_raised, set_apart
from harness.bank.search import Bank
from harness.errors import BankBusy, BankError, BankUnwritable

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.seams import Counter, Embedder, Progress, Store
    from harness.values import EvalCase, Example, Passage

__all__ = ["Synced", "sync"]

logger = logging.getLogger(__name__)

EMBEDDINGS = Path("cache", "embeddings.db")
"""Apart from `harness.db`: what is derived may be thrown away, and records may not."""
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


def sync(
    domain: Domain,
    *,
    home: Path,
    embedder: Embedder,
    counter: Counter,
    store: Store,
    render: Callable[[Example | EvalCase | Passage], str],
    rendering: str,
    shipped: Path | None = None,
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
        shipped: Folder of vectors that this embedder made beforehand.
        progress: Called with (texts embedded, of how many).

    Raises:
        BankBusy: Another process holds the lock for ten minutes.
        BankUnwritable: The disk is full, or the state folder may not be written.
        ModelError: A provider behind the embedder failed.
    """
    wanted = entries(domain, rendering)
    models = f"{embedder.name}\n{counter.name}"
    language = domain.settings.language or "en"
    plan = Plan(
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
    if bank := _opened(plan):
        return Synced(bank=bank, embedded=0, built=False)
    with as_raised(), _told_when_unwritable(plan.home):
        cache = EmbeddingCache(home / EMBEDDINGS, shipped)
        return _built(plan, cache, progress and set_apart(progress))


def _built(plan: Plan, cache: EmbeddingCache, progress: Progress | None) -> Synced:
    """Build the wanted index, unless another process has just done so."""
    plan.home.mkdir(parents=True, exist_ok=True)
    with _alone(plan.home):
        if bank := _opened(plan, alone=True):
            return Synced(bank=bank, embedded=0, built=False)
        with plan.store.prepare():
            careful = dataclasses.replace(plan, embedder=SetApart(plan.embedder))
            embedded = build(careful, cache, progress)
        bank = Bank(plan.home / plan.version, embedder=plan.embedder, store=plan.store)
        _clear_away(plan)
    return Synced(bank=bank, embedded=embedded, built=True)


def _opened(plan: Plan, *, alone: bool = False) -> Bank | None:
    """Open the wanted index; a damaged one is taken as not there.

    Args:
        plan: Names the index.
        alone: The builders' lock is held: what is damaged now will be built anew.
    """
    folder = plan.home / plan.version
    if not folder.is_dir():
        return None
    try:
        return Bank(folder, embedder=plan.embedder, store=plan.store)
    except BankError as error:
        if alone:  # before, another process may be about to mend it
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
            f"{folder.parents[1] / EMBEDDINGS} can't be written ({error}).",
            "Make room, give permission, or end the process that holds it; or name another state "
            "folder with --home.",
        ) from error
    except OSError as error:
        # Path.exists raises where it may not look.
        cached = os.path.exists(folder.parents[1] / EMBEDDINGS)  # noqa: PTH110
        kept = " Nothing is lost: what was embedded so far is kept." if cached else ""
        raise BankUnwritable(
            f"The index in {folder} can't be written ({error.strerror or error}).",
            f"Make room or give permission, or name another state folder with --home.{kept}",
        ) from error


def _clear_away(plan: Plan) -> None:
    """Remove the versions that nobody reads any more."""
    for folder in versions(plan.home):
        if folder.name != plan.version:
            remove_unread(folder)
