"""The embedding cache: durable, shared, and never in the way of work."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from harness.bank.cache import EmbeddingCache
from harness.errors import BankUnwritable
from harness.testing import HashEmbedder


def filled(shelf, questions, count: int = 300):
    shelf.write(questions(count))
    shelf.synced()
    return shelf.home / "cache" / "embeddings.db"


def test_every_connection_is_durable(shelf, questions, monkeypatch):
    seen = []

    class Noted(sqlite3.Connection):
        def close(self) -> None:
            self.text_factory = str
            modes = [self.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS]
            seen.append((self.execute("PRAGMA database_list").fetchone()[2], *modes))
            super().close()

    PRAGMAS = ("journal_mode", "synchronous")  # noqa: N806
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Noted, **k))
    filled(shelf, questions, 3)
    shelf.write(questions(4))
    shelf.synced()
    ours = [modes for path, *modes in seen if path.endswith("embeddings.db")]
    assert len(ours) == 2
    full = 2
    assert all(modes == ["wal", full] for modes in ours)


def test_no_lock_stays_after_indexing(shelf, questions):
    path = filled(shelf, questions, 3)
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        assert connection.execute("SELECT count(*) FROM embeddings").fetchone() == (3,)


def test_the_cache_serves_all_domains_of_a_home(shelf, questions, tmp_path):
    from dataclasses import replace

    filled(shelf, questions, 5)
    text = (shelf.folder / "SKILL.md").read_text("utf-8").replace("name: small", "name: other")
    (shelf.folder / "SKILL.md").write_text(text, "utf-8")
    assert shelf.synced() == (0, True)
    assert sorted(path.name for path in (shelf.home / "index").iterdir()) == ["other", "small"]
    assert replace(shelf, embedder=HashEmbedder(32)).synced() == (5, True)


@pytest.mark.parametrize("leave", [0, 10, 200, 5000])
def test_a_database_cut_short_does_not_stop_work(shelf, questions, caplog, leave):
    path = filled(shelf, questions)
    path.write_bytes(path.read_bytes()[:leave])
    shelf.write(questions(301))
    embedded, built = shelf.synced()
    assert built
    assert embedded in (1, 301)
    assert ("damaged" in caplog.text) == (leave in (200, 5000))
    shelf.write(questions(302))
    assert shelf.synced()[0] in (1, 302)


def test_what_is_no_database_any_more_is_set_aside(shelf, questions, caplog):
    path = filled(shelf, questions, 4)
    path.write_bytes(b"my holiday pictures" * 1000)
    path.with_name("embeddings.db-wal").write_bytes(b"rest of the old one")
    shelf.write(questions(5))
    assert shelf.synced() == (5, True)
    (aside,) = shelf.home.glob("cache/embeddings.db.broken-*")
    assert aside.read_bytes().startswith(b"my holiday pictures")
    assert aside.name in caplog.text
    shelf.write(questions(6))
    assert shelf.synced() == (1, True)
    assert len(list(shelf.home.glob("cache/embeddings.db.broken-*"))) == 1


def test_a_damaged_database_stays_where_it_is(shelf, questions, caplog):
    """It may hold more than embeddings, and most of it may be sound."""
    path = filled(shelf, questions)
    content = bytearray(path.read_bytes())
    content[4096 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4096)
    path.write_bytes(content)
    shelf.write(questions(301))
    assert shelf.synced() == (301, True)
    assert "Put a copy of it back, or take it away" in caplog.text
    assert path.read_bytes()[:16] == b"SQLite format 3\x00"
    assert not list(shelf.home.glob("*.broken-*"))


def test_a_deleted_database_is_made_anew(shelf, questions):
    path = filled(shelf, questions, 4)
    path.unlink()
    assert shelf.synced() == (0, False)
    shelf.write(questions(5))
    assert shelf.synced() == (5, True)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE embeddings SET vector = zeroblob(256) WHERE digest = ?",
        "UPDATE embeddings SET vector = x'ff' WHERE digest = ?",
        "UPDATE embeddings SET vector = 'text' WHERE digest = ?",
        "UPDATE embeddings SET vector = x'' WHERE digest = ?",
        "UPDATE embeddings SET vector = (SELECT x'7f80ffff' || substr(vector, 5)) WHERE digest = ?",
        "DELETE FROM embeddings WHERE digest = ?",
    ],
)
def test_a_vector_that_is_off_is_made_anew(tmp_path, damage):
    cache, embedder = EmbeddingCache(tmp_path / "embeddings.db"), HashEmbedder(64)
    texts = ["my card", "a fee", "my card", "a loan"]
    right, embedded = cache.embed(embedder, texts)
    assert embedded == 3
    with closing(sqlite3.connect(tmp_path / "embeddings.db")) as connection, connection:
        (digest,) = connection.execute("SELECT min(digest) FROM embeddings").fetchone()
        connection.execute(damage, (digest,))
    again, embedded = cache.embed(embedder, texts)
    assert embedded == 1
    assert np.array_equal(again, right)
    assert cache.embed(embedder, texts)[1] == 0


def test_all_vectors_off_are_made_anew(tmp_path):
    cache, embedder = EmbeddingCache(tmp_path / "embeddings.db"), HashEmbedder(64)
    right, _ = cache.embed(embedder, ["my card", "a fee"])
    with closing(sqlite3.connect(tmp_path / "embeddings.db")) as connection, connection:
        connection.execute("UPDATE embeddings SET vector = x'00'")
    again, embedded = cache.embed(embedder, ["my card", "a fee"])
    assert embedded == 2
    assert np.array_equal(again, right)


def test_nothing_to_embed(tmp_path):
    vectors, embedded = EmbeddingCache(tmp_path / "embeddings.db").embed(HashEmbedder(), [])
    assert (len(vectors), embedded) == (0, 0)


def test_what_was_embedded_before_a_failure_is_kept(tmp_path):
    class Tired(HashEmbedder):
        left = 2

        def embed(self, texts, progress=None):
            if not self.left:
                raise ConnectionError("gone")
            self.left -= 1
            return super().embed(texts, progress)

    cache, texts = EmbeddingCache(tmp_path / "embeddings.db"), [f"text {n}" for n in range(1300)]
    with pytest.raises(ConnectionError):
        cache.embed(Tired(64), texts)
    assert cache.embed(HashEmbedder(64), texts)[1] == 1300 - 2 * 512


def test_a_database_that_another_process_locks_is_said_to_be_locked(shelf, questions, monkeypatch):
    shelf.write(questions(3))
    (shelf.home / "cache").mkdir(parents=True)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **k: connect(path, **{**k, "timeout": 0}))
    with closing(sqlite3.connect(shelf.home / "cache" / "embeddings.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BankUnwritable, match=r"embeddings\.db can't be written \(.*locked\)"):
            shelf.sync()
    assert shelf.synced() == (3, True)
