"""A Chroma folder opened for reading; run as a program, it reads back what another one wrote."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import threading
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BankError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CONTENT", "DATABASE", "ChromaIndex", "check", "content", "open_client", "tables"]

DATABASE = "chroma.sqlite3"
CONTENT = "content.blake2b"
"""Holds a hash of what the database says; of its bytes, some change when Chroma opens it."""
TABLES = ("collections", "segments", "max_seq_id", "embeddings", "embeddings_queue")
"""What a collection holds, and where."""

_opening = threading.Lock()
_opened: Counter[Path] = Counter()


def open_client(folder: Path) -> Any:
    """Open a client of its own.

    Chroma shares what one process has open by the spelling of its path, a failed opening and a
    folder that was built anew included; so each opening spells the path with one slash more.
    """
    import chromadb
    from chromadb.config import Settings

    with _opening:
        slashes = "/" * (_opened[folder] % 1000)
        _opened[folder] += 1
        return chromadb.PersistentClient(f"{folder}{slashes}", Settings(anonymized_telemetry=False))


def tables(connection: sqlite3.Connection) -> set[str]:
    """Return the names of all tables."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def content(folder: Path) -> str:
    """Return a hash of what the database says.

    Raises:
        sqlite3.Error: It is missing, a page of it is off, or an index differs from its table.
    """
    hashed = hashlib.blake2b(digest_size=16)
    uri = f"{(folder / DATABASE).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        for table in sorted(tables(connection).intersection(TABLES)):
            hashed.update(table.encode())
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 -- see TABLES
                hashed.update(repr(row).encode())
    return hashed.hexdigest()


def check(folder: Path) -> None:
    """Make sure that the database is as it was written: Chroma may crash on a damaged one.

    Raises:
        BankError: It is not.
    """
    try:
        sound = content(folder) == (folder / CONTENT).read_text("ascii")
    except (OSError, ValueError, sqlite3.Error) as error:
        raise BankError(f"{folder / DATABASE} is damaged ({error}).") from error
    if not sound:
        raise BankError(f"{folder / DATABASE} is damaged.")


class ChromaIndex:
    """A Chroma folder for reading; its files are checked now, and opened when they are asked.

    Chroma takes most of a second to import, and a bank that is compared whole never asks it.

    Attributes:
        close: Lets go of files and memory; a second call does nothing.

    Raises:
        BankError: There is no sound Chroma store there.
    """

    def __init__(self, folder: Path) -> None:
        check(folder)
        self._folder = folder
        self._opening = threading.Lock()
        self._collections: dict[str, Any] | None = None
        held = ExitStack()
        held.callback(self._forget)
        self._held = held
        self.close = held.close

    def query(self, group: str, vector: np.ndarray, k: int) -> tuple[list[str], list[float]]:
        """Return the keys of the k nearest and their cosine similarities, best first.

        Raises:
            BankError: The store can't be opened, or the collection is damaged.
        """
        collection = self._groups().get(group)
        if collection is None:
            return [], []
        try:
            found = collection.query(
                query_embeddings=vector[None, :], n_results=k, include=["distances"]
            )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # Chroma's Rust core panics with it
            raise BankError(f"The Chroma collection {group} could not be read: {error}") from error
        return found["ids"][0], [1.0 - distance for distance in found["distances"][0]]

    def count(self, group: str) -> int:
        """Return how many vectors the group has.

        Raises:
            BankError: The store can't be opened.
        """
        groups = self._groups()
        return int(groups[group].count()) if group in groups else 0

    def _groups(self) -> dict[str, Any]:
        """Return the collections by name; opens the store the first time."""
        with self._opening:
            if self._collections is None:
                self._collections = self._open()
            return self._collections

    def _open(self) -> dict[str, Any]:
        try:
            with ExitStack() as opened:
                client = open_client(self._folder)
                opened.callback(client.close)
                groups = {
                    one.name: client.get_collection(one.name) for one in client.list_collections()
                }
                self._held.push(opened.pop_all())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # see `ChromaStore.update`
            raise BankError(f"Chroma could not open {self._folder}: {error}") from error
        return groups

    def _forget(self) -> None:
        self._collections = {}


def _verify(request: str) -> str:
    """Read a store as any reader would; return `sound`, or what is wrong with it."""
    import numpy as np

    folder, groups = json.loads(request)
    try:
        with closing(ChromaIndex(Path(folder))) as index:
            for name, expected in groups.items():
                if (count := index.count(name)) != expected["count"]:
                    return f"{name} has {count} vectors, not {expected['count']}"
                for sample in expected["samples"]:
                    _, found = index.query(name, np.array(sample, dtype=np.float32), 1)
                    if not found or found[0] < 1 - 1e-4:
                        return f"a vector of {name} does not find itself"
    except BankError as error:
        return " ".join(str(error).split())
    return "sound"


if __name__ == "__main__":
    import chromadb  # noqa: F401  -- imported before the request comes: see `ChromaStore.prepare`

    for pipe in (sys.stdin, sys.stdout):
        pipe.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # TextIO in practice
    for line in sys.stdin:  # until the parent closes it, or ends
        print(_verify(line), flush=True)  # noqa: T201 -- the parent reads it
