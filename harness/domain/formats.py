"""What experts write, as schemas: items, rules, rubrics, and the settings of `domain.yaml`.

Everything arrives as text; the types here say what a text has to be. The settings are frozen
dataclasses checked by pydantic, so that a key may be called `schema`; the items are models.
An unknown key is an error everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from harness.domain.scalars import (
    Amount,
    Count,
    EmbeddingName,
    ModelName,
    PassAt,
    Points,
    SectionSize,
    Size,
    Text,
    Texts,
    Tolerance,
    YesNo,
    one_or_many,
)
from harness.values import Section, Status

__all__ = [
    "GRADERS",
    "NUMBER_KEYS",
    "AnswerKind",
    "AnswerSettings",
    "ApprovalSettings",
    "BudgetSettings",
    "CaseItem",
    "ContextSettings",
    "CriterionItem",
    "DomainSettings",
    "ExampleItem",
    "Kit",
    "Policy",
    "RubricItem",
    "RuleItem",
    "SectionSize",
    "SkillHead",
    "SpecForm",
    "WebSettings",
]

AnswerKind = Literal["text", "label", "number", "json"]
Policy = Literal["balanced", "nearest", "diverse", "everything", "none"]
Kit = Literal[
    "files",
    "documents",
    "references",
    "compute",
    "python",
    "shell",
    "plan",
    "ask",
    "delegate",
    "web",
]

SpecForm = Literal["expected", "alone", "text", "texts", "number", "json", "keys", "amount"]
"""What may stand after a grader's name.

`expected`: nothing, then the case's `expected` counts. `alone`: nothing, as nothing is needed.
`amount`: one number, the most that is allowed. `keys`: a mapping whose schema stands in
`harness.domain.check_specs`.
"""

GRADERS: Mapping[str, tuple[SpecForm, ...]] = MappingProxyType(
    {
        "exact": ("expected", "text"),
        "label": ("expected", "text"),
        "number": ("expected", "text", "number"),
        "json": ("expected", "json"),
        "contains_all": ("expected", "text", "texts"),
        "contains": ("expected", "text"),
        "contains_any": ("expected", "text", "texts"),
        "never_contains": ("text", "texts"),
        "matches": ("text", "keys"),
        "set": ("expected", "text", "texts", "keys"),
        "cites": ("alone", "text", "texts", "keys"),
        "similar": ("expected", "text", "keys"),
        "rubric": ("text", "texts", "keys"),
        "pairwise": ("expected", "text", "keys"),
        "trajectory": ("keys",),
        "cost": ("amount",),
        "steps": ("amount",),
        "seconds": ("amount",),
        "python": ("text",),
    }
)
"""Every known grader, and what its specification may be."""

NUMBER_KEYS = ("value", "within", "low", "high", "unit")
"""Keys of a `number` check's specification."""


_STRICT = ConfigDict(extra="forbid", defer_build=True)


# --- domain.yaml -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ContextSettings:
    """How the context is packed.

    Attributes:
        budget: Tokens of everything that is packed.
        policy: How the demonstrations for a question are chosen.
        sections: Room of sections that shall differ from the starting shares.
        pinned: Ids of examples, or names of documents, that always stand in the context.
    """

    budget: Count = 32_000
    policy: Policy = "balanced"
    sections: dict[Section, Size] = Field(default_factory=dict)
    pinned: Texts = ()

    @model_validator(mode="after")
    def _shares_fit(self) -> ContextSettings:
        total = sum((size.share or Decimal(0) for size in self.sections.values()), Decimal(0))
        if total > 1:
            raise ValueError(
                f"the shares of `sections` come to {(total * 100).normalize():f} %, above 100 %"
            )
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class AnswerSettings:
    """What an answer of this domain is.

    Attributes:
        kind: What the answer is read as, and how `expected` without `checks` is graded.
        labels: All labels; where empty, the outputs of the approved examples.
        unit: Unit of a number.
        within: Tolerance of a number: `5 %` of the expected value, or an amount like `0.5`.
        schema: JSON Schema of a json answer.
        abstain: The text that means "I can't tell".
    """

    kind: AnswerKind = "text"
    labels: Texts = ()
    unit: Text | None = None
    within: Tolerance | None = None
    schema: dict[str, Any] | None = None
    abstain: Text | None = None

    @model_validator(mode="after")
    def _labels_differ(self) -> AnswerSettings:
        twice = [label for label in dict.fromkeys(self.labels) if self.labels.count(label) > 1]
        if twice:
            raise ValueError(f"`labels` has `{twice[0]}` more than once")
        if any(not label.strip() for label in self.labels):
            raise ValueError("`labels` has an empty one")
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ApprovalSettings:
    """Patterns of tool calls; deny goes before ask, ask before allow."""

    deny: Texts = ()
    ask: Texts = ()
    allow: Texts = ()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class BudgetSettings:
    """What one run may use at most: tokens, US dollars, steps, minutes. None: no limit."""

    tokens: Count | None = None
    usd: Amount | None = None
    steps: Count | None = None
    minutes: Amount | None = None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class WebSettings:
    """What the kit `web` may fetch.

    Attributes:
        hosts: Names of hosts, as `www.gesetze-im-internet.de`; `*.europa.eu` allows all below it.
    """

    hosts: Annotated[Texts, BeforeValidator(one_or_many)] = ()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class DomainSettings:
    """All of `domain.yaml`; every key is optional.

    Attributes:
        title: The domain's name for people.
        owners: Who keeps it.
        language: Of the domain's texts, as `en` or `de`.
        model: `provider:model` or `baseline:nearest`; None: the settings say.
        fallback_model: The model that takes over when the first one fails.
        judge_model: The model that grades by rubrics.
        model_options: Passed to the client as they are, with YAML's own types.
        providers_allowed: Providers that the domain's text may be sent to; None: any.
        embedding: `minilm`, or `provider:model`.
        tools: Tool kits that a run may use.
        web: What the kit `web` may fetch.
        approvals: Which tool calls are denied, asked about, allowed.
        budgets: What a run may use.
        review: Who has to accept a change.
    """

    title: Text = ""
    owners: Texts = ()
    language: Text = ""
    model: ModelName | None = None
    fallback_model: ModelName | None = None
    judge_model: ModelName | None = None
    model_options: dict[str, Any] = Field(default_factory=dict)
    providers_allowed: Texts | None = None
    embedding: EmbeddingName = "minilm"
    context: ContextSettings = Field(default_factory=ContextSettings)
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    tools: Annotated[tuple[Kit, ...], BeforeValidator(one_or_many)] = ()
    web: WebSettings = Field(default_factory=WebSettings)
    approvals: ApprovalSettings = Field(default_factory=ApprovalSettings)
    budgets: BudgetSettings = Field(default_factory=BudgetSettings)
    review: Literal["one_person", "two_people"] = "one_person"


# --- items -----------------------------------------------------------------------------------


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ExampleItem(_Item):
    """A worked case: an input and the expert's output."""

    id: Text = Field(description="Your own name for it, unique in the domain.")
    input: Text = Field(description="What the expert was given.")
    output: Text = Field(description="What the expert answered.")
    why: Text = Field(default="", description="Why the answer is right.")
    steps: Texts = Field(default=(), description="The steps that the expert took.")
    source: Text = Field(default="", description="The document, patient or contract it is from.")
    tags: Texts = Field(default=(), description="Words to slice results by.")
    files: Texts = Field(default=(), description="Files with it, as paths from the domain folder.")
    status: Status = Field(default="approved", description="Only approved examples are used.")
    author: Text = ""
    date: Text = ""


class CaseItem(_Item):
    """An input and the checks that a good answer passes."""

    id: Text = Field(description="Your own name for it, unique in the domain.")
    input: Text = Field(description="What is asked.")
    expected: Any = Field(default=None, description="The right answer, checked as `answer.kind`.")
    checks: Any = Field(default=None, description="What a good answer has to pass.")
    source: Text = Field(default="", description="The document, patient or contract it is from.")
    tags: Texts = Field(default=(), description="Words to slice results by.")
    files: Texts = Field(default=(), description="Files with it, as paths from the domain folder.")
    repeat: Count = Field(default=1, description="How many times it is asked.")


class RuleItem(_Item):
    """A rule learnt from a correction."""

    id: Text
    text: Text = Field(description="The rule, as the model is told it.")
    why: Text = ""
    accepted_by: Text = Field(default="", description="The expert who accepted it.")


class CriterionItem(_Item):
    """One line of a rubric."""

    id: Text = ""
    text: Text = Field(description="What a good answer does, in plain words.")
    points: Points = Field(default=Decimal(1), description="May be negative.")
    critical: YesNo = Field(default=False, description="Without it the answer fails.")


class RubricItem(_Item):
    """Criteria with points."""

    criteria: tuple[CriterionItem, ...] = Field(min_length=1)
    pass_at: PassAt | None = Field(
        default=None, description="The share of the points that passes: 60 % or 0.6."
    )


class SkillHead(BaseModel):
    """The front matter of SKILL.md. Keys of other agents are let be."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    name: Text = ""
    description: Text = ""
