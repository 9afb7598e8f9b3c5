"""What callers may say by name of a context, a question, an eval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from harness.domain import Policy, SectionSize
from harness.domain.problems import did_you_mean
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.evals import Standing
    from harness.sdk.asking import Before
    from harness.sdk.opened import Current
    from harness.seams import Model, Progress
    from harness.values import EvalCase, Section, Split
    from harness.values_packed import Packed

__all__ = [
    "AskOptions",
    "ContextOptions",
    "EvalOptions",
    "MapOptions",
    "Sections",
    "refuse_unknown",
]

Sections: TypeAlias = "Mapping[Section, int | float | str | SectionSize]"
"""Room by section: tokens (`500`) or a share of the budget (`"25 %"`, `0.25`)."""


class ContextOptions(TypedDict, total=False):
    """How a context is packed.

    Attributes:
        files: Paths of files that belong to the question.
        policy: How the tail is chosen.
        budget: Tokens of everything that is packed, as the model counts them.
        sections: Tokens (`500`) or shares (`"25 %"`) of sections.
        exclude: Ids of items that shall not be shown, not in the core either: what always stands
            in the context is then another text, which the provider has not cached.
        include: Ids of items that shall be shown as far as they fit, whatever else is.
        guard_case: The eval case that the question comes from.
        schema: A JSON Schema for this answer.
    """

    files: str | Path | Sequence[str | Path]
    policy: Policy | None
    budget: int | None
    sections: Sections | None
    exclude: Iterable[str]
    include: Iterable[str]
    guard_case: EvalCase | None
    schema: Mapping[str, Any] | None


class AskOptions(ContextOptions, total=False):
    """How a question is asked.

    Attributes:
        record: Keep it in the journal, as a run; the default.
        name: Id for that run; one of its own by default.
        before: The conversation that it goes on with; see `Harness.conversation`.
        current: The version of the domain that is asked, whatever became of the folder; None is
            the folder as it is now.
        ratio: Of the model's tokens to ours, for packing; by default what was learnt, and then
            this call is learnt from.
        account: Told of the packed context instead of the answer: to list what stood there takes
            as long as to choose it.
    """

    record: bool
    name: str | None
    before: Before | None
    current: Current | None
    ratio: float | None
    account: Callable[[Packed], None] | None


class EvalOptions(TypedDict, total=False):
    """How an eval is run; what each means stands at `harness.sdk.eval_wishes.EvalWishes`."""

    split: Split
    limit: int | None
    cases: Iterable[str] | None
    tags: Iterable[str] | None
    repeats: int | None
    jobs: int | None
    policy: Policy | None
    sections: Sections | None
    guard: bool
    resume: str | None
    retry_errors: bool
    regrade: str | None
    reuse: bool
    budget_usd: Decimal | float | str | None
    judge: str | Model | None
    trust_tools: bool
    progress: Progress | None
    watch: Callable[[Standing], None] | None


class MapOptions(TypedDict, total=False):
    """How the rows of a table are answered.

    Attributes:
        column: Holds the questions; by default `input`, `question`, or the only column.
        jobs: How many rows at once, at most.
        policy: How the tail is chosen.
        budget_usd: US dollars after which nothing more is asked.
        watch: Told how it stands.
    """

    column: str | None
    jobs: int | None
    policy: Policy | None
    budget_usd: Decimal | float | str | None
    watch: Callable[[Standing], None] | None


def refuse_unknown(given: Mapping[str, object], options: type) -> None:
    """Make sure that only known options are given.

    Args:
        given: Options by name.
        options: One of the classes above.

    Raises:
        UsageError: One is unknown.
    """
    known = options.__optional_keys__  # type: ignore[attr-defined]
    for name in given:
        if name not in known:
            meant = did_you_mean(name, known).strip()
            raise UsageError(
                f"There is no option `{name}` here.", meant or f"Known: {', '.join(sorted(known))}."
            )
