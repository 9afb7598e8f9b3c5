"""What went into an answer: tools, steps, time and money, for checks that look at those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade
from harness.values import Answer, Check, EvalCase, Usage

__all__ = ["ToolUse", "Work", "WorkGrader", "work_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolUse:
    """One call of a tool: its name, its arguments, and the step that it was made in, from 1."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    step: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """An answer with what went into it.

    Attributes:
        tools: Calls of tools, in order; None where nothing was recorded about tools.
        steps: Calls of the model.
        usage: Of all steps.
        seconds: From question to answer.
        confidence: How sure the answer is, 0 to 1, where something says so.
        nearest: Similarity of the most similar worked case that was shown, where it was noted.
        run: Id of the run, where the journal has one.
    """

    text: str
    abstained: bool = False
    tools: tuple[ToolUse, ...] | None = None
    steps: int = 1
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    confidence: float | None = None
    nearest: float | None = None
    run: str = ""

    @property
    def cost_usd(self) -> Decimal | None:
        """US dollars; None where not known."""
        return self.usage.cost_usd


WorkGrader = Callable[[Check, Work, EvalCase, AnswerSettings], Grade | Awaitable[Grade]]
"""As a `Grader`, but given the work instead of the answer's text alone."""


def work_of(answer: Answer | Work) -> Work:
    """Return the answer to one call as work: one step, no tools."""
    if isinstance(answer, Work):
        return answer
    return Work(
        text=answer.text,
        abstained=answer.abstained,
        tools=(),
        usage=answer.usage,
        seconds=answer.seconds,
        warnings=answer.warnings,
        run=answer.run,
    )
