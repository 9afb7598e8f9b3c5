"""Vectors made beforehand: those of the shipped domains' texts are there, right, and come first."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from harness.adapters.embedder_minilm import MiniLMEmbedder
from harness.bank.cache import EmbeddingCache
from harness.bank.shipped import shipped_vectors, write_shipped
from harness.testing import HashEmbedder


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def folder(tmp_path):
    texts = ["a letter", "a parcel", "an invoice"]
    vectors = HashEmbedder(64).embed(texts)
    write_shipped(tmp_path / "shipped", dict(zip(map(digest, texts), vectors, strict=True)))
    return tmp_path / "shipped"


def test_they_come_back_of_length_one_and_nearly_the_same(folder):
    found = shipped_vectors(folder, [digest("an invoice"), digest("unknown"), digest("a letter")])
    assert set(found) == {digest("an invoice"), digest("a letter")}
    for text in ("an invoice", "a letter"):
        vector = np.frombuffer(found[digest(text)], dtype=np.float32)
        assert abs(float(vector @ vector) - 1) < 1e-6
        assert float(vector @ HashEmbedder(64).embed([text])[0]) > 0.999999


def test_what_is_shipped_is_not_embedded_and_all_else_is(folder, tmp_path):
    cache = EmbeddingCache(tmp_path / "embeddings.db", folder)
    told = []
    vectors, embedded = cache.embed(
        HashEmbedder(64), ["a parcel", "a postcard", "a letter"], lambda *said: told.append(said)
    )
    assert embedded == 1
    assert told == [(1, 1)]
    assert (
        vectors @ HashEmbedder(64).embed(["a parcel", "a postcard", "a letter"]).T
    ).diagonal() == pytest.approx(1, abs=1e-5)
    assert cache.embed(HashEmbedder(64), ["a postcard", "a letter"])[1] == 0


def test_one_machine_has_the_vectors_of_the_other(folder, tmp_path):
    """Who embedded a text before it was shipped gets the shipped vector, as all others do."""
    EmbeddingCache(tmp_path / "old.db").embed(HashEmbedder(64), ["a letter"])
    old = EmbeddingCache(tmp_path / "old.db", folder).embed(HashEmbedder(64), ["a letter"])[0]
    new = EmbeddingCache(tmp_path / "new.db", folder).embed(HashEmbedder(64), ["a letter"])[0]
    assert np.array_equal(old, new)


def test_every_text_of_the_shipped_domains_has_one_and_they_are_right():
    from tests.packaging.vectors import texts

    wanted = texts()
    found = shipped_vectors(MiniLMEmbedder.shipped, list(wanted))
    assert len(found) == len(wanted), "a shipped domain has changed: `make vectors`"
    assert len(np.load(MiniLMEmbedder.shipped / "digests.npy")) == len(wanted)
    sample = sorted(wanted)[::600]
    made = MiniLMEmbedder().embed([wanted[one] for one in sample])
    kept = np.stack([np.frombuffer(found[one], dtype=np.float32) for one in sample])
    assert (made * kept).sum(axis=1) == pytest.approx(1, abs=1e-5)
