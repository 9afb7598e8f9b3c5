"""What may stand in the mapping after a grader's name: a schema for each such grader.

    checks:
      - matches: {pattern: "[A-Z]{2}[0-9]{6}", whole: yes}
      - trajectory: {used: [read_file], not_used: [send_mail]}

A grader reads its check with the same schema, by `spec_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.domain.formats import RubricItem
from harness.domain.scalars import Count, PassAt, Text, Texts, YesNo, one_or_many

__all__ = [
    "SPECS",
    "CitesSpec",
    "MatchesSpec",
    "PairwiseSpec",
    "RubricSpec",
    "SetSpec",
    "SimilarSpec",
    "TrajectorySpec",
    "spec_of",
]

Spec = TypeVar("Spec", bound=BaseModel)


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class MatchesSpec(_Spec):
    """`matches`: a regular expression, found anywhere or (`whole`) the whole answer."""

    pattern: Text
    whole: YesNo = False
    ignore_case: YesNo = False


class SetSpec(_Spec):
    """`set`: the items that the answer has to list; each limit is a share like 80 % or 0.8."""

    items: Texts = ()
    f1: PassAt | None = None
    precision: PassAt | None = None
    recall: PassAt | None = None


class CitesSpec(_Spec):
    """`cites`: a document that has to be quoted, quotes that have to be there, how many."""

    source: Text | None = None
    quotes: Texts = ()
    at_least: Count = 1


class SimilarSpec(_Spec):
    """`similar`: a text, and the least cosine similarity of the embeddings."""

    to: Text | None = None
    at_least: PassAt = Decimal("0.8")


class RubricSpec(RubricItem):
    """`rubric`: criteria written out in the case."""


class PairwiseSpec(_Spec):
    """`pairwise`: the answer to compare with, by what, and whether a tie will do."""

    against: Text | None = None
    by: Text = ""
    at_least: Literal["tie", "win"] = "tie"


Arguments = Mapping[str, Mapping[str, Text]]


class TrajectorySpec(_Spec):
    """`trajectory`: tools that have to be used, or must not be, their order and arguments."""

    used: Texts = ()
    not_used: Texts = ()
    order: Annotated[Texts, BeforeValidator(one_or_many)] = ()
    arguments: dict[str, dict[str, Text]] = Field(default_factory=dict)
    most: Count | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> TrajectorySpec:
        if not (self.used or self.not_used or self.order or self.arguments or self.most):
            raise ValueError("`trajectory` asks for nothing; give `used`, `not_used` or `order`")
        both = sorted({*self.used, *self.order, *self.arguments} & {*self.not_used})
        if both:
            raise ValueError(f"`{both[0]}` is to be used and not to be used")
        return self


SPECS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "matches": MatchesSpec,
        "set": SetSpec,
        "cites": CitesSpec,
        "similar": SimilarSpec,
        "rubric": RubricSpec,
        "pairwise": PairwiseSpec,
        "trajectory": TrajectorySpec,
    }
)
"""Schema of the mapping that a grader takes, by the grader's name."""


def spec_of(schema: type[Spec], written: Mapping[str, Any]) -> Spec:
    """Return a check's mapping as its schema says.

    Raises:
        ValueError: It does not fit; a case that was read from a folder does.
    """
    return schema.model_validate(dict(written))
