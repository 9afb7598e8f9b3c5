"""The vector store: Chroma, as a disposable cache that one process writes and many read.

Chroma notes in its SQLite file that it was opened. A trigger keeps it from doing so: reading then
writes nothing, so that it works on a full disk and readers never wait for each other.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.adapters import chroma_index
from harness.adapters.chroma_index import (
    CONTENT,
    DATABASE,
    ChromaIndex,
    check,
    content,
    open_client,
    tables,
)
from harness.errors import BankError

if TYPE_CHECKING:
    from harness.seams import VectorGroup

__all__ = ["ChromaStore"]

RECALL_AT = 50
RECALL = 0.995
"""Of the vectors themselves, which are easier to find than questions are: those get 0.99."""
SAMPLE = 50
FLUSHED_AT, NEVER = 1000, 2**31 - 1
"""Vectors after which Chroma writes its HNSW files: a reader with many threads would, too."""
FIRST_EF, LAST_EF = 200, 3200
LOCKED_TRIES, LOCKED_WAIT = 100, 0.02
"""Tries, and the seconds between two."""
QUIET = """
CREATE TRIGGER IF NOT EXISTS harness_reading_writes_nothing BEFORE INSERT ON acquire_write
BEGIN SELECT RAISE(IGNORE); END
"""
LOUD = "DROP TRIGGER IF EXISTS harness_reading_writes_nothing"
"""Its writers need that row: it makes their transactions wait for each other."""


class ChromaStore:
    """Cosine HNSW collections, one a group, in one Chroma folder."""

    def __init__(self) -> None:
        self._reader: subprocess.Popen[str] | None = None

    @contextmanager
    def prepare(self) -> Iterator[None]:
        """Have the process wait that reads back what `update` writes: it has to import Chroma.

        It serves every update within, those of an outer `prepare` too.
        """
        if self._reader is not None:
            yield
            return
        self._reader = _start_reader()
        try:
            yield
        finally:
            reader, self._reader = self._reader, None
            _end(reader)

    def update(self, folder: Path, groups: Mapping[str, VectorGroup]) -> None:
        """Bring the collections to the wanted state, check recall, close, have it read back.

        Recall at 50 is held against an exact scan for a sample of the vectors themselves, and
        `ef_search` raised until it is high: HNSW's default serves real text well and random or
        crowded vectors badly.

        Raises:
            OSError: The folder can't be written.
            BankError: What was there is damaged, or what was written can't be read back.
        """
        with self.prepare():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                _write(folder, groups)
            except (OSError, BankError, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # Chroma's Rust core panics with a BaseException
                raise OSError(f"Chroma could not write {folder}: {error}") from error
            self._read_back(folder, groups)

    def _read_back(self, folder: Path, groups: Mapping[str, VectorGroup]) -> None:
        """Have the waiting process read what was written, and raise unless it finds it sound."""
        if self._reader is None or self._reader.poll() is not None:
            _end(self._reader)
            self._reader = _start_reader()
        expected = {name: _expectation(group) for name, group in groups.items()}
        said = _asked(self._reader, json.dumps([str(folder), expected]))
        if said != "sound":
            raise BankError(f"The index in {folder} could not be read back: {said}.")

    def steady(self, folder: Path) -> Iterator[Path]:
        """Yield the HNSW files of every collection that is large enough to have been written.

        A small collection lives in the database alone, which `open` checks by itself; its HNSW
        files are made anew at each opening.
        """
        yield folder / CONTENT
        for metadata in sorted(folder.glob("*/index_metadata.pickle")):
            yield from sorted(metadata.parent.iterdir())

    def open(self, folder: Path) -> ChromaIndex:
        """Open the folder for reading.

        Raises:
            BankError: There is no sound Chroma store there.
        """
        return ChromaIndex(folder)


def _start_reader() -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 -- our own module
        [sys.executable, "-m", chroma_index.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        process_group=0,  # Ctrl-C is for its parent, without which it ends by itself
    )


def _asked(reader: subprocess.Popen[str], request: str) -> str:
    """Have a reader check a folder; return `sound`, or what is wrong."""
    if reader.stdin is None or reader.stdout is None:  # both are pipes: this is for the types
        return "it has no pipes"
    try:
        reader.stdin.write(request + "\n")
        reader.stdin.flush()
        said = reader.stdout.readline().strip()
    except BrokenPipeError:
        said = ""
    return said or f"the process that reads it ended with {reader.wait()}"


def _end(reader: subprocess.Popen[str] | None) -> None:
    """End a reader that waits; one that has ended stays so."""
    if reader is not None:
        reader.kill()
        with suppress(BrokenPipeError), reader:  # closes its pipes and waits for it
            pass


def _write(folder: Path, groups: Mapping[str, VectorGroup]) -> None:
    if (folder / DATABASE).exists():  # copied from an index that may be damaged
        check(folder)
        _run(folder, LOUD)
    client = open_client(folder)
    try:
        for name, group in groups.items():
            _update(client, name, group)
    finally:
        client.close()
    _run(folder, QUIET)
    (folder / CONTENT).write_text(content(folder), "ascii")


def _run(folder: Path, statement: str) -> None:
    """Run a statement on the database that Chroma has closed, or not yet opened."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        if "acquire_write" in tables(connection):
            connection.execute(statement)


def _update(client: Any, name: str, group: VectorGroup) -> None:
    collection = client.get_or_create_collection(
        name,
        embedding_function=None,
        configuration={"hnsw": {"space": "cosine", "ef_search": FIRST_EF}},
    )
    _tune(collection, sync_threshold=FLUSHED_AT)
    batch = client.get_max_batch_size()
    for start in range(0, len(group.remove), batch):
        collection.delete(ids=list(group.remove[start : start + batch]))
    for start in range(0, len(group.add), batch):
        rows = group.add[start : start + batch]
        collection.add(ids=[group.keys[row] for row in rows], embeddings=group.vectors[list(rows)])
    if len(group.add) * 10 > len(group.keys):
        _raise_recall(collection, group)
    _tune(collection, sync_threshold=NEVER)


def _tune(collection: Any, **hnsw: int) -> None:
    """Change settings; wait while Chroma's own threads are at its database.

    Chroma reads and then writes in one transaction here, which SQLite refuses at once when
    another of its connections writes, however long it was told to wait.
    """
    for left in reversed(range(LOCKED_TRIES)):
        with warnings.catch_warnings():  # Chroma's own, about collections that embed nothing
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                collection.modify(configuration={"hnsw": hnsw})
            except Exception as error:
                if not left or "database is locked" not in str(error):
                    raise
            else:
                return
        time.sleep(LOCKED_WAIT)


def _raise_recall(collection: Any, group: VectorGroup) -> None:
    import numpy as np

    count = len(group.keys)
    k = min(RECALL_AT, count)
    sample = group.vectors[:: max(1, count // SAMPLE)][:SAMPLE]
    similarity = sample @ group.vectors.T
    kth = np.partition(similarity, count - k, axis=1)[:, count - k]
    ef = FIRST_EF
    while True:
        found = collection.query(query_embeddings=sample, n_results=k, include=["distances"])
        # By similarity, not by key: equal texts are equally good neighbours.
        near = 1.0 - np.array(found["distances"]) >= kth[:, None] - 1e-5
        if near.mean() >= RECALL or ef >= min(LAST_EF, count):
            return
        ef *= 2
        _tune(collection, ef_search=ef)


def _expectation(group: VectorGroup) -> dict[str, Any]:
    """What a reader has to find: the count, and that sampled vectors find themselves."""
    rows = range(0, len(group.keys), max(1, len(group.keys) // 5))
    return {
        "count": len(group.keys),
        "samples": [group.vectors[row].tolist() for row in rows],
    }
