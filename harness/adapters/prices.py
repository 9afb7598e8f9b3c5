"""What a call cost, by the price list that comes with genai-prices; unknown is None, never 0."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["cost_usd"]

# LangChain's names of providers, where the price list has another.
_PROVIDERS = {
    "anthropic_bedrock": "aws",
    "azure_ai": "azure",
    "azure_openai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "google_anthropic_vertex": "anthropic",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}


def cost_usd(
    provider: str,
    models: tuple[str, ...],
    *,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    written_tokens: int = 0,
) -> Decimal | None:
    """Return the cost of a call in US dollars, None where no price is known.

    Args:
        provider: As LangChain names it.
        models: Names that the model goes by; the first that has a price counts.
        input_tokens: All of the input, cached or not.
        output_tokens: All of the output, reasoning included.
        cached_tokens: Input tokens read from the provider's cache.
        written_tokens: Input tokens written to it.
    """
    import genai_prices

    usage = genai_prices.Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cached_tokens,
        cache_write_tokens=written_tokens,
    )
    for model in dict.fromkeys(filter(None, models)):
        try:
            price = genai_prices.calc_price(
                usage, model, provider_id=_PROVIDERS.get(provider, provider)
            )
        except (LookupError, ValueError):
            continue
        listed = price.model_price
        if listed.input_mtok is not None or listed.output_mtok is not None:
            return price.total_price
    return None
