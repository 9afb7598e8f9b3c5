from __future__ import annotations

from decimal import Decimal

from harness.adapters.prices import cost_usd


def cost(provider: str, *models: str, **tokens: int) -> Decimal | None:
    counts = {"input_tokens": 1_000_000, "output_tokens": 0, **tokens}
    return cost_usd(provider, models, **counts)


def test_a_known_price():
    """OpenAI's list price of gpt-4o-mini: 0.15 USD a million input tokens, 0.60 output."""
    assert cost("openai", "gpt-4o-mini") == Decimal("0.15")
    assert cost("openai", "gpt-4o-mini", input_tokens=0, output_tokens=1_000_000) == Decimal("0.6")
    assert cost("openai", "gpt-4o-mini", cached_tokens=1_000_000) == Decimal("0.075")


def test_writing_to_anthropics_cache_costs_more():
    plain = cost("anthropic", "claude-sonnet-4-6", input_tokens=100_000)
    assert (
        cost("anthropic", "claude-sonnet-4-6", input_tokens=100_000, written_tokens=100_000) > plain
    )


def test_the_first_name_that_has_a_price_counts():
    assert cost("openai", "my-deployment", "gpt-4o-mini") == Decimal("0.15")


def test_langchains_names_of_providers():
    assert cost("google_genai", "gemini-2.5-flash") > 0
    assert cost("mistralai", "mistral-large-latest") > 0


def test_unknown_is_none_never_zero():
    assert cost("openai", "some-local-model") is None
    assert cost("nosuch", "model") is None
    assert cost("openai", "") is None
    assert cost("openai") is None
