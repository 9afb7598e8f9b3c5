"""Embed every text of the shipped domains: `make vectors`, after one of them has changed."""

from __future__ import annotations

import hashlib

from harness.adapters.embedder_minilm import MiniLMEmbedder
from harness.bank.items import entries
from harness.bank.shipped import write_shipped
from harness.context import RENDERING
from harness.domain import read_domain
from harness.sdk import bundled_domains

__all__ = ["texts"]


def texts() -> dict[bytes, str]:
    """Return what is embedded of the shipped domains, by sha256."""
    return {
        hashlib.sha256(written.text.encode()).digest(): written.text
        for folder in bundled_domains().values()
        for _, _, written in entries(read_domain(folder), RENDERING)
    }


def main() -> None:
    """Write the vectors beside the model."""
    embedder, wanted = MiniLMEmbedder(), texts()
    vectors = dict(zip(wanted, embedder.embed(list(wanted.values())), strict=True))
    write_shipped(embedder.shipped, vectors)
    print(f"{len(vectors):,} vectors in {embedder.shipped}")


if __name__ == "__main__":
    main()
