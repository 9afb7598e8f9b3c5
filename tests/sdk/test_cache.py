"""A sitting of a hundred questions: the provider reads the stable prefix from its cache.

The provider is simulated by the providers' published rules (`harness.testing`).
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness import Harness
from harness.testing import Turn


@pytest.mark.parametrize("model", ["openai:gpt-4o-mini", "anthropic:claude-sonnet-4-6"])
def test_a_sitting_reads_the_prefix_from_the_cache(
    provider, shipped_home: Path, model: str
) -> None:
    server = provider(lambda request: Turn(text="card_arrival"))
    with Harness("support-triage", home=shipped_home, model=model) as harness:
        cases = random.Random(0).sample(harness.domain.cases, 100)
        how = {"sections": {"demonstrations": 1000}}
        stable = harness.preview(cases[0].input, **how).core_tokens
        used = [harness.ask(case.input, **how).usage for case in cases]
    assert len(server.requests) == 100
    assert used[0].cached_input_tokens == 0
    for usage in used[1:]:
        assert usage.cached_input_tokens >= 0.95 * stable
        assert usage.cached_input_tokens < usage.input_tokens
    read = sum(usage.cached_input_tokens for usage in used[1:])
    total = sum(usage.input_tokens for usage in used)
    print(
        f"{model}: {read / (99 * stable):.1%} of the prefix's {stable:,} tokens were read from the"
        f" cache; the prefix is {100 * stable / total:.0%} of the input"
    )
    assert used[1].cost_usd < used[0].cost_usd
