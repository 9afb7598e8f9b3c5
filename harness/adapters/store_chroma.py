"""The vector store: Chroma, as a disposable cache that one process writes and many read."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BankError

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import VectorGroup

__all__ = ["ChromaStore"]

RECALL_AT = 50
RECALL = 0.99
SAMPLE = 50
FIRST_EF, LAST_EF = 200, 3200


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))


class ChromaStore:
    """Cosine HNSW collections, one a group, in one Chroma folder."""

    def __init__(self) -> None:
        self._reader: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        """Start the process that will read back what `update` writes: it imports Chroma now."""
        self._reader = self._prepared()

    def _prepared(self) -> subprocess.Popen[str]:
        reader, self._reader = self._reader, None
        if reader is None or reader.poll() is not None:
            reader = subprocess.Popen(  # noqa: S603 -- our own module
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return reader

    def update(self, folder: Path, groups: Mapping[str, VectorGroup]) -> None:
        """Bring the collections to the wanted state, check recall, close, have it read back.

        Recall at 50 is held against an exact scan for a sample of the vectors themselves, and
        `ef_search` raised until it is 0.99: HNSW's default serves real text well and random or
        crowded vectors badly.

        Raises:
            OSError: The folder can't be written.
            BankError: Another process could not read back what was written.
        """
        reader = self._prepared()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            client = _client(folder)
            try:
                for name, group in groups.items():
                    _update(client, name, group)
            finally:
                client.close()
        except (OSError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # Chroma's Rust core panics with a BaseException
            raise OSError(f"Chroma could not write {folder}: {error}") from error
        _read_back(reader, folder, groups)

    def steady(self, folder: Path) -> Iterator[Path]:
        """Yield the HNSW files of every collection that is large enough to have been written.

        Chroma notes each opening in its SQLite file, which `open` checks by itself; a small
        collection lives in there alone, and its HNSW files are made anew at each opening.
        """
        for metadata in sorted(folder.glob("*/index_metadata.pickle")):
            yield from sorted(metadata.parent.iterdir())

    def open(self, folder: Path) -> ChromaIndex:
        """Open the folder for reading.

        Raises:
            BankError: There is no sound Chroma store there.
        """
        try:
            _check_sqlite(folder / "chroma.sqlite3")
            return ChromaIndex(_client(folder))
        except (OSError, BankError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # see `update`
            raise BankError(f"Chroma could not open {folder}: {error}") from error


def _check_sqlite(path: Path) -> None:
    """Chroma itself may crash, or fill the disk, on a damaged file."""
    if not path.is_file():
        raise BankError(f"{path} is missing.")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        raise BankError(f"{path} is damaged: {verdict}")


def _update(client: Any, name: str, group: VectorGroup) -> None:
    collection = client.get_or_create_collection(
        name,
        embedding_function=None,
        configuration={"hnsw": {"space": "cosine", "ef_search": FIRST_EF}},
    )
    batch = client.get_max_batch_size()
    for start in range(0, len(group.remove), batch):
        collection.delete(ids=list(group.remove[start : start + batch]))
    for start in range(0, len(group.add), batch):
        rows = group.add[start : start + batch]
        collection.add(ids=[group.keys[row] for row in rows], embeddings=group.vectors[list(rows)])
    if len(group.add) * 10 > len(group.keys):
        _raise_recall(collection, group)


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
        collection.modify(configuration={"hnsw": {"ef_search": ef}})


def _read_back(
    reader: subprocess.Popen[str], folder: Path, groups: Mapping[str, VectorGroup]
) -> None:
    """Have the waiting process read what was written, and raise unless it finds it sound."""
    expected = {name: _expectation(group) for name, group in groups.items()}
    out, _ = reader.communicate(json.dumps({"folder": str(folder), "groups": expected}))
    if reader.returncode != 0 or out.strip() != "sound":
        raise BankError(f"The index in {folder} could not be read back: {out.strip()[-500:]}")


def _expectation(group: VectorGroup) -> dict[str, Any]:
    """What a reader has to find: the count, and that sampled vectors find themselves."""
    rows = range(0, len(group.keys), max(1, len(group.keys) // 5))
    return {
        "count": len(group.keys),
        "samples": [group.vectors[row].tolist() for row in rows],
    }


def _verify(request: str) -> str:
    """Read a store as any reader would; return `sound`, or what is wrong with it."""
    import numpy as np

    asked = json.loads(request)
    try:
        index = ChromaStore().open(Path(asked["folder"]))
        for name, expected in asked["groups"].items():
            if (count := index.count(name)) != expected["count"]:
                return f"{name} has {count} vectors, not {expected['count']}"
            for sample in expected["samples"]:
                _, found = index.query(name, np.array(sample, dtype=np.float32), 1)
                if not found or found[0] < 1 - 1e-4:
                    return f"a vector of {name} does not find itself"
        index.close()
    except BankError as error:
        return str(error)
    return "sound"


class ChromaIndex:
    """A Chroma folder opened for reading."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._groups = {
            one.name: client.get_collection(one.name) for one in client.list_collections()
        }

    def query(self, group: str, vector: np.ndarray, k: int) -> tuple[list[str], list[float]]:
        """Return the keys of the k nearest and their cosine similarities, best first.

        Raises:
            BankError: The collection is damaged.
        """
        if group not in self._groups:
            return [], []
        try:
            found = self._groups[group].query(
                query_embeddings=vector[None, :], n_results=k, include=["distances"]
            )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # see `ChromaStore.update`
            raise BankError(f"The Chroma collection {group} could not be read: {error}") from error
        return found["ids"][0], [1.0 - distance for distance in found["distances"][0]]

    def count(self, group: str) -> int:
        """Return how many vectors the group has."""
        return int(self._groups[group].count()) if group in self._groups else 0

    def close(self) -> None:
        """Close the client; a second call does nothing."""
        self._client.close()


if __name__ == "__main__":
    import chromadb  # noqa: F401  -- imported before the request comes: see `prepare`

    print(_verify(sys.stdin.read()))  # noqa: T201  -- the parent reads it
