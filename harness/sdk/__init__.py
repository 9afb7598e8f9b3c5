"""The Python SDK: the only place that joins the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.sdk.bundled import bundled_domains, find_domain

if TYPE_CHECKING:
    from harness.sdk.harness import Harness
    from harness.sdk.results import Estimate, Indexed

__all__ = ["Estimate", "Harness", "Indexed", "bundled_domains", "find_domain"]

_HOMES = {
    "Estimate": "harness.sdk.results",
    "Harness": "harness.sdk.harness",
    "Indexed": "harness.sdk.results",
}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first used: the web app answers before it needs any."""
    if name not in _HOMES:
        raise AttributeError(f"module 'harness.sdk' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
