"""One repeat of one case: the answer and its grades, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.evals.graders import Grade, Work
from harness.values import Usage

__all__ = ["Attempt", "attempt_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One repeat of one case: the answer and its grades, or why there is none.

    Attributes:
        text: The model's words; None where it gave none.
        grades: One a check, in their order; none where there is no answer.
        error: Why there is no answer.
        seconds: Waiting for the answer.
    """

    text: str | None = None
    abstained: bool = False
    usage: Usage = field(default_factory=Usage)
    warnings: tuple[str, ...] = ()
    grades: tuple[Grade, ...] = ()
    error: str = ""
    seconds: float = 0.0
    confidence: float | None = None

    @property
    def passed(self) -> bool | None:
        """Every check is met; one that is not decides, an undecided one leaves it open (None)."""
        verdicts = [graded.met for graded in self.grades]
        if self.text is None:
            return None
        if False in verdicts:
            return False
        return None if None in verdicts else True

    @property
    def problem(self) -> str:
        """Why the attempt could not be scored; "" where it could."""
        if self.passed is not None:
            return ""
        return self.error or next(graded.why for graded in self.grades if graded.met is None)


def attempt_of(work: Work | None, error: str, seconds: float, grades: tuple[Grade, ...]) -> Attempt:
    """Return an answer with its grades, or the lack of one, as one attempt."""
    if work is None:
        return Attempt(error=error or "no answer", seconds=seconds)
    return Attempt(
        text=work.text,
        abstained=work.abstained,
        usage=work.usage,
        warnings=work.warnings,
        grades=grades or _NOT_YET,
        seconds=seconds,
        confidence=work.confidence,
    )


_NOT_YET = (Grade(met=None, score=0.0, why="not graded yet"),)
