from __future__ import annotations

import numpy as np
import pytest

from harness.adapters.embedder_langchain import LangChainEmbedder
from harness.adapters.provider_retries import Retries
from harness.errors import (
    BadResponse,
    ConnectionFailed,
    MissingKey,
    NotAuthorized,
    ProviderUnavailable,
    RateLimited,
    UnknownModel,
)
from harness.testing import Fault, HashEmbedder, ProviderServer, refuse_connections

NAME = "openai:text-embedding-3-small"


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def embedder(environment, waits):
    """Make an embedder that talks to a server, with OpenAI's own environment variables."""

    def make(server: ProviderServer, **options) -> LangChainEmbedder:
        environment(server.env())
        policy = Retries(draw=lambda: 1.0, pause=waits.append)
        return LangChainEmbedder(NAME, options=options, max_retries=2, retries=policy)

    return make


def test_vectors_are_the_providers_normalised(embedder):
    texts = ["late fee", "a lien on the house", ""]
    with ProviderServer() as server:
        vectors = embedder(server).embed(texts)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    assert np.allclose(vectors, HashEmbedder().embed(texts), atol=1e-6)


def test_batches_of_256_with_progress(embedder):
    texts = [f"claim {number}" for number in range(600)]
    seen = []
    with ProviderServer() as server:
        vectors = embedder(server).embed(texts, lambda done, of: seen.append((done, of)))
        assert [len(request.body["input"]) for request in server.requests] == [256, 256, 88]
    assert seen == [(256, 600), (512, 600), (600, 600)]
    assert np.allclose(vectors, HashEmbedder().embed(texts), atol=1e-6)


def test_texts_go_as_text(embedder):
    """Token ids would need an encoding that tiktoken downloads."""
    with ProviderServer() as server:
        embedder(server).embed(["late fee"])
        assert server.requests[0].body["input"] == ["late fee"]


def test_no_text_no_request(embedder):
    with ProviderServer() as server:
        assert embedder(server).embed([]).shape[0] == 0
        assert server.requests == []


def test_options_reach_the_client_and_name_the_index(embedder):
    with ProviderServer() as server:
        made = embedder(server, dimensions=64)
        made.embed(["a"])
        assert server.requests[0].body["dimensions"] == 64
        assert made.name == f"{NAME}?dimensions=64"
        assert embedder(server).name == NAME


@pytest.mark.parametrize(
    ("kind", "error", "tries"),
    [
        ("rate_limited", RateLimited, 3),
        ("server_error", ProviderUnavailable, 3),
        ("wrong_content_type", BadResponse, 3),
        ("empty_body", BadResponse, 3),
        ("unauthorized", NotAuthorized, 1),
        ("not_found", UnknownModel, 1),
        ("quota_exhausted", RateLimited, 1),
    ],
)
def test_faults(embedder, waits, kind, error, tries):
    with ProviderServer(embedding_faults=[Fault(kind=kind)] * 3) as server:
        with pytest.raises(error):
            embedder(server).embed(["a"])
        assert len(server.requests) == tries
    assert waits == [1.0, 2.0][: tries - 1]


def test_a_passing_fault_is_tried_again(embedder, waits):
    faults = [None, Fault(kind="overloaded"), Fault(kind="rate_limited", retry_after=5)]
    with ProviderServer(embedding_faults=faults) as server:
        vectors = embedder(server).embed([f"text {number}" for number in range(300)])
    assert len(vectors) == 300
    assert waits == [1.0, 6.0]


class Odd(HashEmbedder):
    """Makes vectors that are none."""

    def __init__(self, spoil) -> None:
        super().__init__()
        self.spoil = spoil

    def embed(self, texts, progress=None):
        return self.spoil(super().embed(texts))


@pytest.mark.parametrize(
    "spoil",
    [lambda v: v * 0.0, lambda v: v * np.nan, lambda v: v[:-1]],
    ids=["zeros", "not a number", "too few"],
)
def test_what_are_no_embeddings(embedder, spoil):
    with ProviderServer(embedder=Odd(spoil)) as server, pytest.raises(BadResponse):
        embedder(server).embed(["a", "b"])


def test_vectors_of_several_lengths(embedder):
    sizes = iter([None, 100])
    odd = Odd(lambda vectors: vectors[:, : next(sizes)] + 1.0)
    with ProviderServer(embedder=odd) as server, pytest.raises(BadResponse, match="lengths"):
        embedder(server).embed([f"text {number}" for number in range(300)])


def test_no_key_and_no_provider(environment):
    environment({})
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        LangChainEmbedder(NAME).embed(["a"])
    with pytest.raises(UnknownModel, match="Did you mean openai"):
        LangChainEmbedder("opnai:text").embed(["a"])
    with pytest.raises(UnknownModel, match="provider:model"):
        LangChainEmbedder("minilm2")


def test_a_refused_connection(environment):
    with refuse_connections() as url:
        environment({"OPENAI_API_KEY": "k" * 20, "OPENAI_BASE_URL": f"{url}/v1"})
        with pytest.raises(ConnectionFailed, match="refused"):
            LangChainEmbedder(NAME, max_retries=0).embed(["a"])
