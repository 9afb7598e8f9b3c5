"""Chroma as a store of vectors: written once, read back by another process, read by many."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import psutil
import pytest

from harness.adapters.chroma_index import CONTENT, DATABASE, _verify
from harness.adapters.store_chroma import ChromaStore, _expectation
from harness.errors import BankError
from harness.seams import VectorGroup


@pytest.fixture(scope="module")
def store() -> Iterator[ChromaStore]:
    shared = ChromaStore()
    with shared.prepare():
        yield shared


def random_group(count: int, dimensions: int = 384, seed: int = 0) -> VectorGroup:
    """Directions drawn evenly: the most crowded there are for HNSW."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [f"example/{n}" for n in range(count)]
    return VectorGroup(keys=keys, vectors=vectors, add=range(count))


def test_recall_of_crowded_vectors_is_raised(store, tmp_path):
    group = random_group(2000)
    store.update(tmp_path / "chroma", {"demonstrations": group})
    questions = random_group(40, seed=1).vectors
    hit = 0
    with closing(store.open(tmp_path / "chroma")) as index:
        for question in questions:
            keys, near = index.query("demonstrations", question, 50)
            similarity = group.vectors @ question
            best = np.sort(similarity)[::-1][:50]
            assert near == sorted(near, reverse=True)
            assert np.allclose(near, [similarity[int(key[8:])] for key in keys], atol=1e-5)
            hit += sum(one >= best[-1] - 1e-6 for one in near)
    assert hit / (40 * 50) >= 0.99


def test_without_raising_recall_would_be_low(tmp_path):
    """Else the test above could not fail."""
    import chromadb

    group = random_group(2000)
    with closing(chromadb.PersistentClient(tmp_path)) as client:
        plain = client.create_collection("plain", embedding_function=None)
        plain.add(ids=list(group.keys), embeddings=group.vectors)
        questions = random_group(40, seed=1).vectors
        found = plain.query(query_embeddings=questions, n_results=50, include=[])["ids"]
    best = np.argsort(-(questions @ group.vectors.T), axis=1)[:, :50]
    same = [
        len({int(key[8:]) for key in keys} & set(rows.tolist()))
        for keys, rows in zip(found, best, strict=True)
    ]
    assert np.mean(same) / 50 < 0.95


def test_adding_and_removing(store, tmp_path):
    folder, group = tmp_path / "chroma", random_group(30, 16)
    passages = VectorGroup(keys=["passage/1"], vectors=group.vectors[:1], add=[0])
    store.update(folder, {"demonstrations": group, "passages": passages})
    keys = [*group.keys[5:], "example/new"]
    vectors = np.concatenate([group.vectors[5:], -group.vectors[:1]])
    grown = VectorGroup(keys=keys, vectors=vectors, add=[25], remove=group.keys[:5])
    gone = VectorGroup(keys=[], vectors=vectors[:0], add=[], remove=["passage/1"])
    store.update(folder, {"demonstrations": grown, "passages": gone})
    with closing(store.open(folder)) as index:
        assert (index.count("demonstrations"), index.count("passages")) == (26, 0)
        assert sorted(index.query("demonstrations", vectors[0], 100)[0]) == sorted(keys)
        assert index.query("demonstrations", -group.vectors[0], 1)[0] == ["example/new"]
        assert index.query("passages", vectors[0], 5) == ([], [])
        assert index.query("rules", vectors[0], 5) == ([], [])
        assert index.count("rules") == 0
        index.close()  # twice does nothing


def test_a_key_can_change_its_vector(store, tmp_path):
    group = random_group(10, 16)
    store.update(tmp_path, {"demonstrations": group})
    vectors = group.vectors.copy()
    vectors[3] = -vectors[3]
    changed = VectorGroup(keys=group.keys, vectors=vectors, add=[3], remove=["example/3"])
    store.update(tmp_path, {"demonstrations": changed})
    with closing(store.open(tmp_path)) as index:
        keys, near = index.query("demonstrations", vectors[3], 1)
        assert keys == ["example/3"]
        assert near == pytest.approx([1.0], abs=1e-5)
        assert index.count("demonstrations") == 10


def test_odd_keys_are_kept(store, tmp_path):
    keys = ["example/ä ö", "example/卡", "example/🙂", "example/a'b\"c; --", "example/" + "x" * 200]
    group = VectorGroup(keys=keys, vectors=random_group(5, 8).vectors, add=range(5))
    store.update(tmp_path, {"demonstrations": group})
    with closing(store.open(tmp_path)) as index:
        for key, vector in zip(keys, group.vectors, strict=True):
            assert index.query("demonstrations", vector, 1)[0] == [key]


@pytest.mark.parametrize("what", ["nothing", "no database", "no hash", "no store"])
def test_what_is_no_store_is_said_to_be_none(store, tmp_path, what):
    folder = tmp_path / "chroma"
    if what != "nothing":
        store.update(folder, {"demonstrations": random_group(3, 8)})
        if what == "no database":
            (folder / DATABASE).unlink()
        elif what == "no hash":
            (folder / CONTENT).unlink()
        else:
            (folder / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(BankError, match="is damaged"):
        store.open(folder)


def test_a_store_that_was_tampered_with_is_noticed(store, tmp_path):
    store.update(tmp_path, {"demonstrations": random_group(30, 8)})
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE embeddings SET embedding_id = 'example/x' WHERE id = 3")
    with pytest.raises(BankError, match="is damaged"):
        store.open(tmp_path)
    with pytest.raises(BankError, match="is damaged"):
        store.update(tmp_path, {"demonstrations": random_group(30, 8)})


def test_reading_back_finds_what_is_missing_or_moved(store, tmp_path):
    group = random_group(20, 8)
    store.update(tmp_path, {"demonstrations": group})
    more, other = random_group(21, 8), random_group(20, 8, seed=1)
    for expected, said in [
        (group, "sound"),
        (more, "demonstrations has 20 vectors, not 21"),
        (other, "a vector of demonstrations does not find itself"),
    ]:
        asked = {"demonstrations": _expectation(expected)}
        assert _verify(json.dumps([str(tmp_path), asked])) == said
    assert "is damaged" in _verify(json.dumps([str(tmp_path / "none"), {}]))


def test_what_is_read_back_wrong_is_refused(tmp_path):
    class Forgetful(ChromaStore):
        def _read_back(self, folder, groups):
            super()._read_back(folder, {"demonstrations": random_group(9, 8)})

    with pytest.raises(BankError, match=r"could not be read back: demonstrations has 3 vectors"):
        Forgetful().update(tmp_path, {"demonstrations": random_group(3, 8)})


def test_a_reader_that_dies_is_noticed_and_the_next_one_serves(store, tmp_path, monkeypatch):
    own = ChromaStore()
    with own.prepare():
        assert own._reader is not None
        own._reader.kill()
        own._reader.wait()
        own.update(tmp_path / "a", {"demonstrations": random_group(3, 8)})
        monkeypatch.setattr("sys.executable", "/bin/false")
        own._reader.kill()
        own._reader.wait()
        with pytest.raises(BankError, match="the process that reads it ended with 1"):
            own.update(tmp_path / "b", {"demonstrations": random_group(3, 8)})


def test_no_process_stays():
    before = psutil.Process().children(recursive=True)
    own = ChromaStore()
    with own.prepare(), own.prepare():
        assert len(psutil.Process().children(recursive=True)) == len(before) + 1
    assert psutil.Process().children(recursive=True) == before


def test_a_folder_that_cannot_be_written_is_an_oserror(store, tmp_path):
    (tmp_path / "file").write_text("I am no folder.", "utf-8")
    with pytest.raises(OSError, match="file"):
        store.update(tmp_path / "file" / "chroma", {"demonstrations": random_group(3, 8)})


def test_an_open_that_failed_does_not_spoil_the_next(store, tmp_path):
    """Chroma keeps a client that could not start, by its path."""
    group, folder = random_group(3, 8), tmp_path / "chroma"
    store.update(folder, {"demonstrations": group})
    sound = (folder / DATABASE).read_bytes()
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("UPDATE migrations SET hash = 'other'")  # no row of a collection
    with (
        closing(store.open(folder)) as index,
        pytest.raises(BankError, match="could not open"),
    ):
        index.count("demonstrations")
    (folder / DATABASE).write_bytes(sound)
    for _ in range(2):
        with closing(store.open(folder)) as index:
            assert index.count("demonstrations") == 3


def test_two_openings_in_one_process_are_apart(store, tmp_path):
    group = random_group(3, 8)
    store.update(tmp_path, {"demonstrations": group})
    one, other = store.open(tmp_path), store.open(tmp_path)
    one.close()
    assert other.query("demonstrations", group.vectors[0], 1)[0] == ["example/0"]
    other.close()


def test_nobody_is_told(store, tmp_path, monkeypatch):
    """Chroma's telemetry swallows its errors, so a ban alone would not show it."""
    asked = []
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, lambda *words, **_: asked.append(words))
    store.update(tmp_path, {"demonstrations": random_group(3, 8)})
    with closing(store.open(tmp_path)) as index:
        index.query("demonstrations", random_group(1, 8).vectors[0], 1)
    assert asked == []
