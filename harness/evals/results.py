"""What an eval run found: a result a case, and the score of them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.evals.statistics import Score
from harness.values import Split, Usage

__all__ = ["CaseResult", "CheckResult", "Conditions", "EvalRun"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """Under what the cases are run; all of it stands in the result.

    Attributes:
        version: Of the domain by which answers are graded.
        config: Hash of all that decides an answer beside the question.
        judge: Name of the judge's model, where checks ask one.
        answered: Version of the domain that gave the answers, where that is another one.
    """

    run: str
    domain: str
    version: str
    split: Split
    model: str
    policy: str
    guard: bool = True
    config: str = ""
    judge: str = ""
    answered: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One check of a case over its repeats.

    Attributes:
        met: In every repeat that could be graded; None where none could.
        score: Mean over those repeats, 0 to 1.
        why: Of the first repeat that did not meet it.
        parts: The criteria of each repeat: (name, met), in the order of the repeats.
    """

    grader: str
    met: bool | None
    score: float
    why: str = ""
    parts: tuple[tuple[tuple[str, bool | None], ...], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseResult:
    """What became of one case.

    Attributes:
        key: Hash of what is asked and checked: equal keys can be compared across runs.
        expected: As the case has it, as JSON says it.
        score: The share of its scored repeats in which every check is met: 0 or 1 where there
            is one repeat; None where no repeat could be scored.
        answers: The model's words, one a repeat that was answered.
        abstained: Repeats in which the model abstained.
        error: Why a repeat could not be scored, in plain words; "" where all could.
        seconds: Waiting for answers, all repeats together.
        passed: Repeats in which every check is met.
        tries: Repeats that could be scored.
        correct_when_answered: The share of the scored repeats without an abstention in which
            every check is met; None where there are none.
        confidence: Mean over the answers that have one.
        judged: What judges used.
        unreadable: Outputs of judges that held no verdict.
    """

    id: str
    key: str
    source: str = ""
    tags: tuple[str, ...] = ()
    expected: Any = None
    score: float | None
    answers: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    abstained: int = 0
    error: str = ""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    passed: int = 0
    tries: int = 0
    correct_when_answered: float | None = None
    confidence: float | None = None
    judged: Usage | None = None
    unreadable: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalRun:
    """What a run over cases found.

    Attributes:
        run: Id of the run.
        version: Of the domain by which answers were graded.
        policy: How demonstrations were chosen.
        guard: Cases, their twins and siblings were kept out of their own contexts.
        n: Cases of the run, scored or not.
        abstained: Cases in which the model abstained at least once; they count as their checks
            say, which is not met unless the case expects it.
        warnings: What to bear in mind with the score, in plain words.
        seconds: From start to end.
        config: Hash of all that decides an answer beside the question.
        judge: Name of the judge's model.
        judged: What judges used; None where none was asked.
        unreadable: Outputs of judges that held no verdict.
        openings: How often the domain's sealed cases have been opened.
        regrades: Id of the run whose answers were graded anew; "" for none.
        answered: Version of the domain that gave the answers, where that is another one.
    """

    run: str
    domain: str
    version: str
    split: Split
    model: str
    policy: str
    guard: bool
    n: int
    scored: int
    unscored: int
    abstained: int
    score: Score
    cases: tuple[CaseResult, ...]
    usage: Usage = field(default_factory=Usage)
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    config: str = ""
    judge: str = ""
    judged: Usage | None = None
    unreadable: int = 0
    openings: int = 0
    regrades: str = ""
    answered: str = ""
