"""A domain opened: read, indexed, ready to pack; and brought up to date when its folder changes."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bank import Bank, sync
from harness.context import RENDERING, Packer, renderer
from harness.domain import Domain, DomainSettings, folder_stamp, lint, read_domain
from harness.domain.lint import reading_order
from harness.errors import DomainInvalid
from harness.settings import Settings, find_home
from harness.wiring import made_beforehand, make_counter, make_embedder, make_store

if TYPE_CHECKING:
    from harness.seams import Embedder, Progress
    from harness.values import Problem

__all__ = ["Current", "Opened", "linted"]


@dataclass(frozen=True, kw_only=True)
class Current:
    """One version of a domain, ready to use.

    Attributes:
        stamp: Names, sizes and times of its files when it was read.
        embedded: Texts that had to be embedded for it.
        reused: Items that had not.
    """

    stamp: str
    domain: Domain
    bank: Bank
    packer: Packer
    embedded: int
    reused: int


class Opened:
    """Keeps a domain folder open; every use sees the folder as it is now.

    Args:
        folder: The domain folder.
        settings: The process's settings.
        progress: Told how far embedding has come.
        embedder: Instead of the one that the domain names.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        progress: Progress | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.home = find_home(settings, folder)
        self._progress = progress
        self._own_embedder = embedder
        self._embedders: dict[object, Embedder] = {}
        self._store = make_store()
        self._refreshing = threading.Lock()
        self._current: Current | None = None
        self._expecting = ExitStack()
        self._prepared = False

    def read(self) -> Domain:
        """Read the folder, errors and all.

        Raises:
            DomainNotFound: There is no domain there.
        """
        return read_domain(self.folder, cache=self.home / "cache" / "references")

    def current(self) -> Current:
        """Return the folder as it is now, indexed.

        Raises:
            DomainInvalid: It has errors; says all of them.
            BankError: It can't be indexed.
        """
        with self._refreshing:
            stamp = folder_stamp(self.folder) if self.folder.is_dir() else ""
            if self._current is None:
                self._current = self._open(stamp)
            elif self._current.stamp != stamp:
                self._expect_changes()
                self._current = self._open(stamp)
            return self._current

    @property
    def latest(self) -> Current | None:
        """What was opened last, which the folder may have left behind; None before the first."""
        return self._current

    def _expect_changes(self) -> None:
        """Keep the store prepared: who changes a folder while it is open will change it again."""
        if not self._prepared:
            self._prepared = True
            self._expecting.enter_context(self._store.prepare())

    def close(self) -> None:
        """Let go of the index."""
        with self._refreshing:
            self._expecting.close()
            self._prepared = False
            if self._current:
                self._current.bank.close()
                self._current = None

    def _open(self, stamp: str) -> Current:
        domain = sound(self.read())
        counter, embedder = make_counter(), self.embedder(domain.settings)
        synced = sync(
            domain,
            home=self.home,
            embedder=embedder,
            counter=counter,
            store=self._store,
            render=renderer(domain.rubrics),
            rendering=RENDERING,
            shipped=made_beforehand(embedder),
            progress=self._progress,
        )
        return Current(
            stamp=stamp,
            domain=domain,
            bank=synced.bank,
            packer=Packer(domain, synced.bank, counter),
            embedded=synced.embedded,
            reused=len(synced.bank.items) - synced.embedded,
        )

    def embedder(self, settings: DomainSettings) -> Embedder:
        """Return what embeds the domain's texts."""
        return self._own_embedder or self._named(settings)

    def _named(self, settings: DomainSettings) -> Embedder:
        """Return the embedder that the domain names; one is made for each name."""
        key = (settings.embedding, settings.providers_allowed)
        if key not in self._embedders:
            self._embedders[key] = make_embedder(key[0], allowed=key[1])
        return self._embedders[key]


def linted(domain: Domain) -> tuple[Problem, ...]:
    """Return everything that is wrong in a domain and its checks, in the order of reading."""
    from harness.evals.check_lint import check_problems

    found = dict.fromkeys((*lint(domain), *check_problems(domain)))
    return tuple(sorted(found, key=reading_order))


def sound(domain: Domain) -> Domain:
    """Return the domain if it can be used.

    A tool that is off is not offered, and a check that can't be used stops only its evals: all
    else of the domain works without.

    Raises:
        DomainInvalid: It can't; says all its errors, as `linted` has them.
    """
    wrong = [one for one in lint(domain) if one.severity == "error"]
    if any(not one.place.file.startswith("tools/") for one in wrong):
        errors = [one for one in linted(domain) if one.severity == "error"]
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise DomainInvalid(f"The domain {domain.name} has {count}:", errors)
    return domain
