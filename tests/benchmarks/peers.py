"""What others would use, on the same rows with the same embedder: bare Chroma and LangChain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.config import Settings
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages

from harness.seams import Counter, Embedder
from harness.values import BankItem

__all__ = ["OurEmbeddings", "bare_collection", "client", "selector_store", "trimmed"]

COSINE: Any = {"hnsw": {"space": "cosine"}}


class OurEmbeddings(Embeddings):
    """Our embedder behind LangChain's interface.

    Args:
        embedder: Makes the vectors.
        known: Vectors that need not be made again, by text.
    """

    def __init__(self, embedder: Embedder, known: Mapping[str, np.ndarray] | None = None) -> None:
        self._embedder = embedder
        self._known = known or {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of many texts."""
        if texts and all(text in self._known for text in texts):
            return [self._known[text].tolist() for text in texts]
        return self._embedder.embed(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        return self._embedder.embed([text])[0].tolist()


def client(folder: Path) -> Any:
    """Return a Chroma client on a folder, with nothing sent anywhere."""
    return chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))


def bare_collection(folder: Path, items: Sequence[BankItem], vectors: np.ndarray) -> Any:
    """Return a Chroma collection with documents and labels, as its own guide fills one."""
    made = client(folder)
    collection = made.create_collection("bare", embedding_function=None, configuration=COSINE)
    step = made.get_max_batch_size()
    for start in range(0, len(items), step):
        chunk = items[start : start + step]
        collection.add(
            ids=[item.key for item in chunk],
            embeddings=vectors[start : start + step],
            documents=[item.text for item in chunk],
            metadatas=[{"output": item.label} for item in chunk],
        )
    return collection


def selector_store(
    folder: Path, items: Sequence[BankItem], vectors: np.ndarray, embedder: Embedder
) -> Chroma:
    """Return the vector store that LangChain's example selectors ask."""
    known = {item.text: vector for item, vector in zip(items, vectors, strict=True)}
    return Chroma.from_texts(
        [item.text for item in items],
        OurEmbeddings(embedder, known),
        metadatas=[
            {"input": item.text, "output": item.label, "row": row} for row, item in enumerate(items)
        ],
        client=client(folder),
        collection_name="selector",
        collection_configuration=COSINE,
    )


def trimmed(examples: Sequence[Mapping[str, str]], counter: Counter, budget: int) -> Any:
    """Return the examples as chat messages, trimmed to a budget as LangChain's guide does it."""
    messages: list[BaseMessage] = []
    for example in examples:
        messages += [HumanMessage(example["input"]), AIMessage(example["output"])]
    return trim_messages(
        messages,
        max_tokens=budget,
        strategy="last",
        token_counter=lambda some: sum(counter.count(str(one.content)) for one in some),
    )
