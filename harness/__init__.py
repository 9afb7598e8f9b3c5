"""Harness: teach a frontier model a profession in its context window.

from harness import Harness

with Harness("domains/support-triage") as h:
    print(h.ask("My card still hasn't arrived").text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.errors import HarnessError
    from harness.sdk import Estimate, Harness, Indexed
    from harness.sdk.run import Budget, Decision, Run, RunResult
    from harness.values import Answer, Delta
    from harness.values_packed import Packed

__all__ = [
    "Answer",
    "Budget",
    "Decision",
    "Delta",
    "Estimate",
    "Harness",
    "HarnessError",
    "Indexed",
    "Packed",
    "Run",
    "RunResult",
]
__version__ = "0.1.0"

_HOMES = {
    "Answer": "harness.values",
    "Budget": "harness.sdk.run",
    "Decision": "harness.sdk.run",
    "Delta": "harness.values",
    "Estimate": "harness.sdk",
    "Harness": "harness.sdk",
    "HarnessError": "harness.errors",
    "Indexed": "harness.sdk",
    "Packed": "harness.values_packed",
    "Run": "harness.sdk.run",
    "RunResult": "harness.sdk.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import harness` loads nothing heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
