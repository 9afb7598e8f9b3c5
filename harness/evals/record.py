"""What is kept of an eval run as it goes on: the seam of the store, and the rows that it keeps.

A generation (an answer, or why there is none) is committed before it is graded; a grade refers
to it. A run that was killed has all that was committed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from harness.evals.attempt import Attempt
from harness.evals.graders import Grade, Work
from harness.evals.grading_rules import GradingRules
from harness.evals.results import Conditions
from harness.values import EvalCase, jsonable

__all__ = [
    "CaseStub",
    "EvalStore",
    "Generation",
    "GradeRow",
    "Opening",
    "RunRecord",
    "case_key",
    "generation_key",
    "question_key",
    "stub_of",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseStub:
    """What of a case is needed to sum up its attempts, long after.

    Attributes:
        key: Hash of what is asked and checked: equal keys can be compared across runs.
        question: Hash of what is asked alone: answers can be used again.
        graders: Of its checks, in their order.
        repeats: Times that it is asked.
    """

    id: str
    key: str
    question: str
    source: str = ""
    tags: tuple[str, ...] = ()
    expected: Any = None
    graders: tuple[str, ...] = ()
    repeats: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """One answer to one repeat of a case, or why there is none.

    Attributes:
        key: Hash of the question, the configuration and the repeat.
        work: None where there is no answer.
        error: Why there is none, in plain words.
        seconds: Waiting for it.
    """

    case: str
    repeat: int
    key: str
    work: Work | None = None
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class GradeRow:
    """The grades of one generation, one a check, in their order."""

    case: str
    repeat: int
    grades: tuple[Grade, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """A run as it was begun.

    Attributes:
        cases: All that there are to do.
        started: ISO 8601, UTC.
        finished: Every case is done.
        seconds: From start to end, all sittings together.
        regrades: Id of the run whose answers are graded anew; "" for none.
        candidates: Configurations tried on this split so far, this one included.
        openings: How often the domain's sealed cases have been opened.
        reused_usd: What the answers of earlier runs had cost that it took over.
    """

    conditions: Conditions
    cases: tuple[CaseStub, ...]
    started: str = ""
    finished: bool = False
    seconds: float = 0.0
    regrades: str = ""
    candidates: int = 1
    openings: int = 0
    reused_usd: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """One opening of sealed cases: who, when, under which configuration."""

    domain: str
    who: str
    at: str
    run: str
    config: str
    model: str


class EvalStore(Protocol):
    """Keeps runs. What a method has written is safe when it returns, whatever happens next."""

    def close(self) -> None:
        """Let go of the database; a later call opens it again."""

    def begin(self, record: RunRecord) -> None:
        """Keep a new run, or the same one anew as it goes on.

        Raises:
            StateError: The state folder can't be written.
        """

    def end(self, run: str, *, finished: bool, seconds: float) -> None:
        """Note that a sitting is over, and the seconds of all sittings."""

    def keep(self, rows: Sequence[Generation | GradeRow], run: str) -> None:
        """Commit these rows together, in the place of older ones of the same repeat."""

    def record(self, run: str) -> RunRecord:
        """Return a run.

        Raises:
            EvalError: There is no such run.
        """

    def records(self, domain: str = "") -> list[tuple[str, str, str, bool, str]]:
        """Return (run, domain, config, finished, split) of the runs, the newest first."""

    def generations(self, run: str) -> Iterable[Generation]:
        """Yield a run's generations, in no order."""

    def grades(self, run: str) -> Iterable[GradeRow]:
        """Yield a run's grades, in no order."""

    def attempts(self, run: str) -> Mapping[tuple[str, int], Attempt]:
        """Return what is done of a run, by case and repeat: no answer, or one with its grades."""

    def alone(self, run: str) -> AbstractContextManager[None]:
        """Keep every other process from working on the same run.

        Raises:
            EvalError: One does already.
        """

    def by_key(self, keys: Sequence[str]) -> dict[str, Generation]:
        """Return answers of any run by their keys."""

    def open_sealed(self, opening: Opening) -> int:
        """Note an opening of sealed cases; return how many there have been."""

    def openings(self, domain: str) -> list[Opening]:
        """Return the openings of a domain's sealed cases, the first one first."""


def stub_of(
    case: EvalCase, repeats: int | None = None, *, rules: GradingRules | None = None
) -> CaseStub:
    """Return what of a case is kept with a run.

    Args:
        case: The case.
        repeats: Times that it is asked; None: as it says.
        rules: Tell what of the domain decides a check; None: nothing does.
    """
    return CaseStub(
        id=case.id,
        key=case_key(case, rules),
        question=question_key(case),
        source=case.source,
        tags=case.tags,
        expected=jsonable(case.expected),
        graders=tuple(check.grader for check in case.checks),
        repeats=repeats or case.repeat,
    )


def case_key(case: EvalCase, rules: GradingRules | None = None) -> str:
    """Return the hash of what a case asks and checks: 16 hex digits.

    Where nothing of the domain decides a check, the hash is that of the case alone.

    Args:
        case: The case.
        rules: Tell what of the domain decides a check; None: nothing does.
    """
    checks = [[check.grader, jsonable(check.spec)] for check in case.checks]
    said = [question_key(case), jsonable(case.expected), checks]
    leaning = [rules(check) for check in case.checks] if rules else []
    return _hash([*said, jsonable(leaning)] if any(leaning) else said)


def question_key(case: EvalCase) -> str:
    """Return the hash of what a case asks, its files included: 16 hex digits."""
    return _hash([case.id, case.input, list(case.files), [list(one) for one in case.attached]])


def generation_key(question: str, config: str, repeat: int) -> str:
    """Return the key under which an answer can be used again."""
    return _hash([question, config, repeat])


def _hash(said: Any) -> str:
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
