"""Embeddings remembered by model and content, so that nothing is embedded twice.

They are derived: where the database is damaged, work goes on without it.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from harness.bank.shipped import shipped_vectors

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Embedder, Progress

__all__ = ["EmbeddingCache"]

logger = logging.getLogger(__name__)

CHUNK = 512
"""Texts embedded between two commits: a killed build loses at most these."""
LOOK_UP = 500
"""Digests asked for in one statement; SQLite takes 999 parameters everywhere."""


class EmbeddingCache:
    """Vectors in a database, keyed by the embedder's name and the text's sha256.

    Args:
        path: The SQLite file; made where it is not there.
        shipped: Folder of vectors made beforehand with the same embedder, if there are any. They
            come first, so that every machine has the same ones.
    """

    def __init__(self, path: Path, shipped: Path | None = None) -> None:
        self._path = path
        self._shipped = shipped

    def embed(
        self, embedder: Embedder, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[np.ndarray, int]:
        """Return float32 of shape (len(texts), dimensions) and how many texts were embedded now.

        Raises:
            sqlite3.Error: The state folder can't be written.
            ModelError: A provider behind the embedder failed.
        """
        try:
            return self._embed(embedder, texts, progress)
        except sqlite3.DatabaseError as error:
            code = _code(error)
            if code == sqlite3.SQLITE_NOTADB:
                self._set_aside()
                return self._embed(embedder, texts, progress)
            if code == sqlite3.SQLITE_CORRUPT:
                # The most of it may be sound: it stays.
                logger.warning(
                    "%s is damaged (%s); embedding without it. Put a copy of it back, or take "
                    "it away: embeddings are then made anew.",
                    self._path,
                    error,
                )
                return embedder.embed(texts, progress), len(texts)
            raise

    def _embed(
        self, embedder: Embedder, texts: Sequence[str], progress: Progress | None
    ) -> tuple[np.ndarray, int]:
        import numpy as np

        if not texts:
            return np.empty((0, 0), dtype=np.float32), 0
        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        by_digest = dict(zip(digests, texts, strict=True))
        shipped = shipped_vectors(self._shipped, list(by_digest)) if self._shipped else {}
        others = [digest for digest in by_digest if digest not in shipped]
        with self._connection() as connection:
            found = _sound(dict(_look_up(connection, embedder.name, others))) | shipped
            missing = {d: text for d, text in by_digest.items() if d not in found}
            made = _make(connection, embedder, missing, progress)
            if found and made and len(next(iter(found.values()))) != len(next(iter(made.values()))):
                # The model behind the name gives vectors of another length now.
                missing, made = by_digest, _make(connection, embedder, by_digest, progress)
        joined = b"".join(made.get(digest) or found[digest] for digest in digests)
        return np.frombuffer(joined, dtype=np.float32).reshape(len(texts), -1), len(missing)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            connection.text_factory = bytes  # a damaged record may call itself text
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS embeddings "
                "(model TEXT, digest BLOB, vector BLOB, PRIMARY KEY (model, digest)) WITHOUT ROWID"
            )
            yield connection

    def _set_aside(self) -> None:
        """Rename a file that is no database any more, unless another process just did."""
        with FileLock(self._path.with_name(f"{self._path.name}.lock")):
            try:
                with self._connection():
                    return
            except sqlite3.DatabaseError as error:
                if _code(error) != sqlite3.SQLITE_NOTADB:
                    raise
            aside = self._path.with_name(f"{self._path.name}.broken-{time.time_ns()}")
            self._path.rename(aside)
            for rest in ("-wal", "-shm"):  # of the old file: they must not be taken for the new
                self._path.with_name(self._path.name + rest).unlink(missing_ok=True)
        logger.warning(
            "%s is no database any more; it is kept as %s, and embeddings are made anew.",
            self._path,
            aside.name,
        )


def _code(error: sqlite3.DatabaseError) -> int:
    """Return SQLite's primary code of an error: the low byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _make(
    connection: sqlite3.Connection,
    embedder: Embedder,
    texts: Mapping[bytes, str],
    progress: Progress | None,
) -> dict[bytes, bytes]:
    """Embed texts given by digest, and keep the vectors as they come."""
    made: dict[bytes, bytes] = {}
    digests = list(texts)
    for start in range(0, len(digests), CHUNK):
        chunk = digests[start : start + CHUNK]
        vectors = embedder.embed([texts[digest] for digest in chunk])
        fresh = {d: vector.tobytes() for d, vector in zip(chunk, vectors, strict=True)}
        with connection:
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [(embedder.name, digest, blob) for digest, blob in fresh.items()],
            )
        made.update(fresh)
        if progress:
            progress(len(made), len(digests))
    return made


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


def _sound(found: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the vectors that are of one length and of norm 1; others were damaged on disk."""
    import numpy as np

    lengths = Counter(len(blob) for blob in found.values() if isinstance(blob, bytes))
    size = lengths.most_common(1)[0][0] if lengths else 0
    if size == 0 or size % 4:
        return {}
    alike = {d: blob for d, blob in found.items() if isinstance(blob, bytes) and len(blob) == size}
    vectors = np.frombuffer(b"".join(alike.values()), dtype=np.float32).reshape(len(alike), -1)
    with np.errstate(all="ignore"):
        unit = np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3
    return {d: blob for (d, blob), good in zip(alike.items(), unit.tolist(), strict=True) if good}
