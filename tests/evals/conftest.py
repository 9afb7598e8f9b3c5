"""Cases and answers for the tests of evals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import pytest

from harness.values import Answer, Check, EvalCase, Place, Usage

PLACE = Place(file="evals/dev.yaml", line=3)


class MakeCase(Protocol):
    def __call__(
        self, expected: Any = None, *checks: tuple[str, Any], **fields: Any
    ) -> EvalCase: ...


class MakeAnswer(Protocol):
    def __call__(self, text: str, **fields: Any) -> Answer: ...


@pytest.fixture
def inspect_python() -> Path:
    """The Python of an environment that has inspect_ai: `make test` makes it."""
    python = Path(__file__).parents[2] / ".cache" / "inspect-env" / "bin" / "python"
    if not python.exists():
        words = "`make .cache/inspect-env/.installed` makes an environment with inspect_ai"
        if os.environ.get("CI"):
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    return python


@pytest.fixture
def case() -> MakeCase:
    """Make a case from what it expects and its checks, each (grader, spec)."""

    def make(expected: Any = None, *checks: tuple[str, Any], **fields: Any) -> EvalCase:
        made = tuple(Check(grader=name, spec=spec, place=PLACE) for name, spec in checks)
        given = {"id": "c1", "input": "?", "split": "dev", "place": PLACE, **fields}
        return EvalCase(expected=expected, checks=made, **given)

    return make


@pytest.fixture
def answer() -> MakeAnswer:
    def make(text: str, **fields: Any) -> Answer:
        given = {
            "run": "r",
            "domain": "d",
            "version": "v",
            "model": "baseline:nearest",
            "usage": Usage(input_tokens=10, cached_input_tokens=4, output_tokens=2),
            **fields,
        }
        return Answer(text=text, **given)

    return make
