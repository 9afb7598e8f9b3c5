"""Providers' names, keys and packages: what can be known about `provider:model` with no request."""

from __future__ import annotations

import difflib
import importlib.util
import os
from collections.abc import Iterable, Mapping
from typing import Any

from harness.errors import MissingKey, MissingPackage, NotAuthorized, UnknownModel

__all__ = [
    "check_key",
    "check_package",
    "key_variables",
    "secrets_in",
    "split_name",
    "unknown_provider",
]

# The first is the one to name; any that is set will do.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "azure_openai": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "OPENAI_API_KEY"),
    "cohere": ("COHERE_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "google_genai": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistralai": ("MISTRAL_API_KEY",),
    "nvidia": ("NVIDIA_API_KEY",),
    "openai": ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
    "openrouter": ("OPENROUTER_API_KEY",),
    "perplexity": ("PERPLEXITY_API_KEY", "PPLX_API_KEY"),
    "together": ("TOGETHER_API_KEY",),
    "upstage": ("UPSTAGE_API_KEY",),
    "xai": ("XAI_API_KEY",),
}
_SECRET_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
_KEY_OPTIONS = ("api_key", "default_headers", "azure_ad_token", "azure_ad_token_provider")


def split_name(name: str) -> tuple[str, str]:
    """Return provider and model of `provider:model`.

    Raises:
        UnknownModel: A half is missing.
    """
    provider, colon, model = name.partition(":")
    provider, model = provider.strip().replace("-", "_").lower(), model.strip()
    if not (colon and provider and model):
        raise UnknownModel(
            f"{name!r} is no model's name.",
            "Write provider:model, for example openai:gpt-5 or anthropic:claude-sonnet-5.",
            model=name,
        )
    return provider, model


def key_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables that may hold a provider's key, the usual one first."""
    return _KEYS.get(provider, ())


def check_key(name: str, provider: str, options: Mapping[str, Any]) -> None:
    """Make sure that there is a key which can be sent.

    Raises:
        MissingKey: The provider needs one and none is set.
        NotAuthorized: It holds what no key can: blanks, line breaks, letters beyond ASCII.
    """
    own = [key for key in options if key in _KEY_OPTIONS or key.endswith("_api_key")]
    variables = key_variables(provider)
    found = [variable for variable in variables if os.environ.get(variable, "").strip()]
    if variables and not own and not found and not os.environ.get("LANGSMITH_GATEWAY"):
        raise MissingKey(
            f"No API key for {provider}: the environment variable {variables[0]} is not set.",
            f"Set it (export {variables[0]}=…) and look with `harness config`; README, 'Plug a "
            "model', says more. A server of your own that needs no key takes any text as one. "
            "Without a key, `--model baseline:nearest` works.",
            model=name,
        )
    for variable in () if own else found:
        key = os.environ[variable]
        if key.strip() != key or not key.isascii() or not key.isprintable():
            raise NotAuthorized(
                f"The key in {variable} has blanks, line breaks or letters beyond ASCII in it.",
                "Copy it again, the key alone.",
                model=name,
            )


def unknown_provider(name: str, provider: str, known: Iterable[str]) -> UnknownModel:
    """Return the error for a provider that there is none of, with what may have been meant."""
    names = sorted(known)
    near = difflib.get_close_matches(provider, names, n=1, cutoff=0.6)
    near = near or [other for other in names if other.startswith(provider)][:1]
    meant = f"Did you mean {near[0]}:{name.partition(':')[2]}? " if near else ""
    return UnknownModel(
        f"There is no provider {provider!r}.", f"{meant}Known: {', '.join(names)}.", model=name
    )


def check_package(name: str, provider: str, module: str) -> None:
    """Make sure that a provider's client library is installed.

    Raises:
        MissingPackage: With the command that installs it.
    """
    top = module.partition(".")[0]
    if importlib.util.find_spec(top) is None:
        raise MissingPackage(
            f"The client for {provider} is not installed.",
            f"Install {top.replace('_', '-')} beside harness: with uv, uv pip install; else, "
            "pip install.",
            model=name,
        )


def secrets_in(options: Mapping[str, Any]) -> frozenset[str]:
    """Return what must never stand in a message: keys in the environment and in the options."""
    held = {value for name, value in os.environ.items() if name.upper().endswith(_SECRET_ENDINGS)}
    for name, value in options.items():
        if name == "default_headers" and isinstance(value, Mapping):
            held |= {word for text in value.values() for word in str(text).split()}
        elif f"_{name}".upper().endswith(_SECRET_ENDINGS):
            held.add(str(value))
    return frozenset(secret.strip() for secret in held if len(secret.strip()) >= 8)
