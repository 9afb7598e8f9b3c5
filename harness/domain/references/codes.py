"""The codes that a document can give; `harness.domain.problems.CODES` says what each means."""

from __future__ import annotations

from typing import Literal

from harness.values import Severity

__all__ = ["Code", "severity"]

Code = Literal[
    "damaged",
    "empty-document",
    "formula-without-value",
    "no-text",
    "pages-without-text",
    "password",
    "unsupported-format",
    "zip-bomb",
]


def severity(code: Code) -> Severity:
    """Return how bad it is: a warning where nothing that could be read is lost."""
    return "warning" if code in ("empty-document", "pages-without-text") else "error"
