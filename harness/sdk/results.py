"""What the SDK gives back, beyond the values of the rooms below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harness.domain.answers import read_answer
from harness.sdk.runs import new_run_id
from harness.values import Answer, Packed, Reply

if TYPE_CHECKING:
    from harness.domain import Domain

__all__ = ["Estimate", "Indexed", "to_answer"]


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """What indexing did: `items` by kind, texts embedded now and items that needed no embedding."""

    domain: str
    version: str
    items: Mapping[str, int]
    embedded: int
    reused: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What would leave the machine if the question were asked.

    Attributes:
        model: `provider:model`.
        destination: To whom it would go; empty for the baseline, which sends nothing.
        packed: What would be sent, as it would be packed.
        input_cost_usd: Price of the input, none of it cached; None where it is not known.
    """

    model: str
    destination: str
    packed: Packed
    input_cost_usd: Decimal | None


def to_answer(
    domain: Domain,
    packed: Packed,
    reply: Reply,
    *,
    schema: Mapping[str, Any] | None,
    seconds: float,
    warnings: tuple[str, ...],
) -> Answer:
    """Read the value out of a reply and put beside it what taught it.

    Args:
        domain: As packed.
        packed: What the model was shown.
        reply: What it said.
        schema: A JSON Schema for this answer alone.
        seconds: From question to answer.
        warnings: What the caller should know.
    """
    settings = domain.settings.answer
    read = read_answer(
        reply.text,
        kind="json" if schema else settings.kind,
        labels=domain.labels,
        unit=settings.unit,
        schema=schema or settings.schema,
        abstain=settings.abstain,
        locale=domain.settings.language or "en",
    )
    problem = (f"The answer has no value to read: {read.problem}.",) if read.problem else ()
    return Answer(
        run=new_run_id(),
        domain=packed.domain,
        version=packed.version,
        text=reply.text,
        value=read.value,
        unit=read.unit,
        abstained=read.abstained,
        model=reply.model,
        usage=reply.usage,
        demonstrations=packed.shown("example", "eval"),
        passages=packed.shown("passage"),
        seconds=seconds,
        warnings=(*warnings, *problem),
    )
