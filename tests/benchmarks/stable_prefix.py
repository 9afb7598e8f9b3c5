"""The stable prefix: the same bytes for every question, and read from the provider's cache."""

from __future__ import annotations

import os
from unittest.mock import patch

from harness import Harness
from harness.testing import ProviderServer, Turn
from tests.benchmarks.material import DOMAINS, Material
from tests.benchmarks.record import Record

__all__ = ["run"]

QUESTIONS = 200
SITTING = 100
MODELS = {"OpenAI": "openai:gpt-5-mini", "Anthropic": "anthropic:claude-sonnet-4-5"}


def run(material: Material, record: Record) -> None:
    """Pack 200 questions, and ask 100 of them of a server that caches by the providers' rules."""
    domain = DOMAINS / "support-triage"
    if material.quick:
        domain = material.rows("support-triage")
    texts = [one.text for one in material.questions("support-triage", QUESTIONS)]
    home = material.home
    with Harness(domain, home=home) as harness:
        packed = [harness.preview(text) for text in texts]
    record.add(
        "different prefixes", len({one.prefix_sha256 for one in packed}), "prefixes", at_most=1
    )
    core = packed[0].core_tokens
    record.add("stable prefix", core, "tokens")
    share = sum(one.core_tokens for one in packed) / sum(one.tokens for one in packed)
    record.add("stable share of the input", 100 * share, "%")
    for provider, model in MODELS.items():
        cached = _sitting(domain, home, model, texts[: 5 if material.quick else SITTING])
        read = sum(min(tokens, core) for tokens in cached)
        record.add(
            f"{provider}: prefix read from cache, first question included",
            100 * read / (core * len(cached)),
            "%",
            at_least=None if material.quick else 95,
        )
        later = sum(min(tokens, core) for tokens in cached[1:]) / (core * (len(cached) - 1))
        record.add(f"{provider}: the same, from the second question on", 100 * later, "%")
    record.note(
        f"{len(texts)} questions, sittings of {len(cached)}. The server speaks the providers' wire "
        "formats and caches by their published rules: OpenAI's longest common prefix in steps of "
        "128 tokens, Anthropic's marked breakpoints."
    )


def _sitting(
    domain: os.PathLike[str], home: os.PathLike[str], model: str, texts: list[str]
) -> list[int]:
    """Ask the questions one after the other; return the tokens that each read from the cache."""
    with (
        ProviderServer(lambda _: Turn(text="card_arrival")) as server,
        patch.dict(os.environ, server.env()),
        Harness(domain, home=home, model=model) as harness,
    ):
        return [harness.ask(text).usage.cached_input_tokens for text in texts]
