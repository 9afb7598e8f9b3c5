"""Embeddings remembered by model and content, so that nothing is embedded twice."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Embedder, Progress

__all__ = ["EmbeddingCache"]

CHUNK = 512
"""Texts embedded between two commits: a killed build loses at most these."""
LOOK_UP = 500
"""Digests asked for in one statement; SQLite takes 999 parameters everywhere."""


class EmbeddingCache:
    """Vectors in `harness.db`, keyed by the embedder's name and the text's sha256.

    Args:
        path: The SQLite file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def embed(
        self, embedder: Embedder, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[np.ndarray, int]:
        """Return float32 of shape (len(texts), dimensions) and how many texts were embedded now.

        Raises:
            sqlite3.Error: The state folder can't be written.
            ModelError: A provider behind the embedder failed.
        """
        import numpy as np

        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        by_digest = dict(zip(digests, texts, strict=True))
        with self._connection() as connection:
            found = dict(_look_up(connection, embedder.name, list(by_digest)))
            missing = [digest for digest in by_digest if digest not in found]
            for start in range(0, len(missing), CHUNK):
                chunk = missing[start : start + CHUNK]
                vectors = embedder.embed([by_digest[digest] for digest in chunk])
                rows = [
                    (embedder.name, d, v.tobytes()) for d, v in zip(chunk, vectors, strict=True)
                ]
                with connection:
                    connection.executemany(
                        "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows
                    )
                found.update((digest, blob) for _, digest, blob in rows)
                if progress:
                    progress(min(start + CHUNK, len(missing)), len(missing))
        joined = b"".join(found[digest] for digest in digests)
        vectors = np.frombuffer(joined, dtype=np.float32).reshape(len(texts), -1)
        return vectors, len(missing)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS embeddings "
                "(model TEXT, digest BLOB, vector BLOB, PRIMARY KEY (model, digest)) WITHOUT ROWID"
            )
            yield connection


def _look_up(
    connection: sqlite3.Connection, model: str, digests: list[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    for start in range(0, len(digests), LOOK_UP):
        chunk = digests[start : start + LOOK_UP]
        marks = ",".join("?" * len(chunk))
        yield from connection.execute(
            f"SELECT digest, vector FROM embeddings WHERE model = ? AND digest IN ({marks})",  # noqa: S608 -- only question marks
            (model, *chunk),
        )
