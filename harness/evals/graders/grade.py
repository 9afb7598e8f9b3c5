"""What a grader is, and the verdict that it gives."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from harness.domain.formats import AnswerSettings
from harness.values import Check, EvalCase, Usage, jsonable

__all__ = ["Grade", "Grader", "Part", "shown", "unread"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One criterion of a check, decided by itself: `met` is None where it could not be."""

    name: str
    met: bool | None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grade:
    """A verdict on one check of one answer.

    Attributes:
        met: None where the check could not be decided: then the answer is unscored, never
            passed and never failed.
        score: 0 to 1, how much of the check is met.
        why: In plain words; for a check that is not met, what was expected and what came.
        parts: The criteria of a rubric.
        usage: What a judge used; None where none was asked.
        unreadable: Outputs of a judge that held no verdict, those tried again included.
    """

    met: bool | None
    score: float
    why: str = ""
    parts: tuple[Part, ...] = ()
    usage: Usage | None = None
    unreadable: int = 0


Grader = Callable[[Check, str, EvalCase, AnswerSettings], Grade | Awaitable[Grade]]
"""Called with the check, the answer's text, the case, and what the domain says about answers.

One that needs time (a judge, an embedder) returns an awaitable; what else it needs, it closes
over.
"""


def unread(check: Check, problem: str) -> Grade:
    """Return the verdict on a check that itself can't be understood."""
    return Grade(met=None, score=0.0, why=f"{check.place}: the check can't be used: {problem}")


def shown(value: Any, most: int = 200) -> str:
    """Return the value as a person reads it in a verdict, on one line, shortened."""
    if not isinstance(value, str):
        value = json.dumps(jsonable(value), ensure_ascii=False)
    text = " ".join(value.split())
    return f"“{text}”" if len(text) <= most else f"“{text[:most]} …”"
