"""The values that cross rooms: frozen, keyword-only, no behaviour beyond saying themselves.

Text is text: ids, labels and expectations are exactly what the expert wrote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.messages import AIMessage

__all__ = [
    "Answer",
    "BankItem",
    "Check",
    "Delta",
    "EvalCase",
    "Example",
    "Group",
    "Hits",
    "ItemKind",
    "ItemReport",
    "Message",
    "Packed",
    "Part",
    "Passage",
    "Place",
    "Problem",
    "Reply",
    "Rubric",
    "Rule",
    "Section",
    "Severity",
    "Split",
    "Status",
    "Usage",
    "in_dollars",
    "jsonable",
    "total_usage",
    "with_files",
]

Severity = Literal["error", "warning"]
Split = Literal["dev", "holdout", "sealed"]
Status = Literal["approved", "draft", "retired"]
ItemKind = Literal["example", "eval", "passage", "rule"]
Group = Literal["demonstrations", "passages"]
"""What is searched apart: examples with eval cases, and reference passages."""
Section = Literal["instructions", "rules", "core", "references", "passages", "demonstrations"]


# --- what experts write ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something stands in a domain folder. Line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong in a domain folder, in plain words, with how to mend it."""

    place: Place
    code: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        mark = "warning: " if self.severity == "warning" else ""
        return f"{self.place}: {self.code}: {mark}{self.message}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A worked case. `source` names the document, patient or contract that it comes from.

    `attached` has the name and the text of each of its files.
    """

    id: str
    input: str
    output: str
    why: str = ""
    steps: tuple[str, ...] = ()
    source: str = ""
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    status: Status = "approved"
    author: str = ""
    date: str = ""
    attached: tuple[tuple[str, str], ...] = ()
    place: Place

    @property
    def text(self) -> str:
        """The input with the text of its files: what is searched and held against others."""
        return with_files(self.input, self.attached)


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One requirement on an answer.

    `spec` is what the expert wrote after the grader's name: a text, a tuple of texts, or a
    mapping of texts; a `json` check's spec keeps YAML 1.2's own types.
    """

    grader: str
    spec: Any
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalCase:
    """An input and the checks that a good answer passes.

    `expected` is text, except where `answer.kind` is `json`: then it is what the JSON says.
    `checks` is never empty: a case with only `expected` carries the check that `answer.kind`
    gives it. `attached` has the name and the text of each of its files.
    """

    id: str
    input: str
    expected: Any = None
    checks: tuple[Check, ...]
    source: str = ""
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    repeat: int = 1
    split: Split
    attached: tuple[tuple[str, str], ...] = ()
    place: Place

    @property
    def text(self) -> str:
        """The input with the text of its files: what is searched and held against others."""
        return with_files(self.input, self.attached)


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A piece of a reference. `where` is its page, heading or sheet in words: `p. 12`."""

    id: str
    document: str
    text: str
    where: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule learnt from corrections and accepted by an expert."""

    id: str
    text: str
    why: str = ""
    accepted_by: str = ""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Criterion:
    """One line of a rubric, in plain words. Points may be negative."""

    id: str
    text: str
    points: Decimal = Decimal(1)
    critical: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Rubric:
    """A named rubric; an answer passes at `pass_at` of the points, 0 to 1."""

    name: str
    criteria: tuple[Criterion, ...]
    pass_at: Decimal | None = None
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """A bank's worked examples on a plane, in the order of its items.

    Attributes:
        places: float32 of shape (examples, 2).
        explained: Share of the embeddings' variance that the plane shows, 0 to 1.
    """

    places: np.ndarray
    explained: float


# --- what a model is shown and says ----------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class BankItem:
    """One thing of a domain that can stand in a context, rendered and counted.

    Attributes:
        key: Unique over all kinds: `example/t001`.
        text: What is embedded and searched: the input of an example or case, a passage's text.
        label: What is spread over when choosing: the output, where the domain answers by label.
        document: Name of the reference that a passage is cut from.
        rendered: As it stands in the context, wrapper and final newline included.
        tokens: Tokens of `rendered`.
    """

    key: str
    id: str
    kind: ItemKind
    text: str
    label: str = ""
    source: str = ""
    document: str = ""
    rendered: str
    tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """What a search found, best first.

    Attributes:
        rows: int64 of shape (hits,): row numbers of the bank.
        relevance: float64 of shape (hits,): fused score, the best hit's is 1.
        similarity: float64 of shape (hits,): cosine with the question.
    """

    rows: np.ndarray
    relevance: np.ndarray
    similarity: np.ndarray

    def __len__(self) -> int:
        """Return the number of hits."""
        return len(self.rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A stretch of text in a message; with `cache`, a provider cache breakpoint follows it."""

    text: str
    cache: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of the packed context."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All parts in order, nothing between them."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemReport:
    """What became of one item: kept or dropped, where, why, at what cost.

    Attributes:
        tokens: Tokens of the item as rendered, wrapper included.
        similarity: Cosine between the item's and the question's embedding; None where the
            item was never compared with the question.
    """

    id: str
    kind: ItemKind
    section: Section
    tokens: int
    similarity: float | None
    kept: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A packed context: what the model is shown for one question, and why.

    Attributes:
        version: Of the domain.
        budget: Tokens that were allowed, as counted here.
        ratio: Of the model's tokens to ours, where it has more: the budget that was asked for,
            in the model's tokens, is so many times larger.
        core_tokens: Tokens of the stable part, the same for every question.
        by_section: Tokens of each section, the question's included.
        prefix_sha256: Of the stable part's text.
        messages: What a model is sent.
        account: Makes `items`, those that were kept before all others; a caller in a hurry need
            not pay for them.
        likeness: Makes (id, cosine with the question) of the worked cases that stand in it; they
            are a small part of the account, for callers in a hurry.
    """

    domain: str
    version: str
    budget: int
    core_tokens: int
    by_section: Mapping[str, int]
    prefix_sha256: str
    messages: tuple[Message, ...]
    ratio: float = 1.0
    account: Callable[[], Iterable[ItemReport]] = field(repr=False, compare=False)
    likeness: Callable[[], Iterable[tuple[str, float]]] = field(
        default=tuple, repr=False, compare=False
    )

    @cached_property
    def items(self) -> tuple[ItemReport, ...]:
        """What became of each item that was considered."""
        return tuple(self.account())

    @property
    def tokens(self) -> int:
        """Tokens of the whole text."""
        return sum(self.by_section.values())

    def shown(self, *kinds: ItemKind) -> tuple[ItemReport, ...]:
        """Return the items of these kinds that stand in the context, in its order."""
        return tuple(item for item in self._kept if item.kind in kinds)

    @cached_property
    def _kept(self) -> tuple[ItemReport, ...]:
        """The items that stand in the context; of a large bank far more are left out."""
        return tuple(takewhile(lambda item: item.kept, self.account()))

    def to_json(self) -> dict[str, Any]:
        """Return it as `harness context --json` prints it."""
        return {
            "domain": self.domain,
            "version": self.version,
            "budget": self.budget,
            "ratio": self.ratio,
            "tokens": {
                "total": self.tokens,
                "core": self.core_tokens,
                "tail": self.tokens - self.core_tokens,
                "by_section": dict(self.by_section),
            },
            "prefix_sha256": self.prefix_sha256,
            "items": [jsonable(item) for item in self.items],
            "messages": [{"role": one.role, "content": one.text} for one in self.messages],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens of one or more calls, as the provider counted them. An unknown cost is None."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None


def total_usage(usages: Iterable[Usage]) -> Usage:
    """Return the sum; its cost is known only where every cost is."""
    usages = tuple(usages)
    costs = [usage.cost_usd for usage in usages]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in usages),
        cached_input_tokens=sum(usage.cached_input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost_usd=sum(known, Decimal(0)) if known and len(known) == len(costs) else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """A stretch of an answer as it streams in.

    `restart` says that the stream broke and begins anew: forget the text so far.
    """

    text: str = ""
    restart: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A model's whole answer to one call.

    Attributes:
        message: As LangChain gives it, reasoning blocks and all: for the protocol, not for show.
        text: What the model said, without reasoning.
        usage: Tokens and cost.
        model: The model that answered, as the provider names it.
        stop: Why it stopped, as the provider names it.
    """

    message: AIMessage
    text: str
    usage: Usage
    model: str
    stop: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What `ask` gives.

    Attributes:
        run: Id of the run.
        text: The model's words.
        value: Typed: a label, a Decimal (with `unit`), or what the JSON says; None where the
            text holds no such value, or where the answer is an abstention.
        unit: Unit of a number, as the domain names it.
        abstained: The answer equals `answer.abstain`.
        demonstrations: Examples and eval cases that stood in the context.
        passages: Reference passages that stood in the context.
    """

    run: str
    domain: str
    version: str
    text: str
    value: Any = None
    unit: str = ""
    abstained: bool = False
    model: str
    usage: Usage
    demonstrations: tuple[ItemReport, ...] = ()
    passages: tuple[ItemReport, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = field(default=())


def in_dollars(cost: Decimal | None) -> str:
    """Return a cost in US dollars in words; an unknown one is unknown."""
    if cost is None:
        return "cost unknown"
    return f"${cost:.4f}" if cost else "no cost"


def with_files(text: str, files: Iterable[tuple[str, str]]) -> str:
    """Return a text followed by the texts of its files, given as (name, text)."""
    return "\n\n".join([text, *(content for _, content in files)])


def jsonable(value: Any) -> Any:
    """Return the value as JSON can say it: dataclasses as objects, tuples as lists.

    A Decimal becomes an int or float (NaN and infinities become text).
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, Decimal):
        if not value.is_finite():
            return str(value)
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [jsonable(inner) for inner in value]
    return value
