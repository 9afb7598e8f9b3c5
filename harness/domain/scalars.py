"""What a single text may be: a count, an amount, a share, a model's name.

Each type is built from text and says in plain words what is wrong with one that it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

__all__ = [
    "Amount",
    "Count",
    "EmbeddingName",
    "ModelName",
    "PassAt",
    "Points",
    "SectionSize",
    "Size",
    "Text",
    "Texts",
    "Tolerance",
    "YesNo",
    "one_or_many",
]


def one_or_many(value: object) -> object:
    """Return a single text as a list of one."""
    return (value,) if isinstance(value, str) else value


def _whole(value: object) -> object:
    if isinstance(value, str):
        grouped = value.strip()
        if re.fullmatch(r"[0-9]{1,3}([,_ ][0-9]{3})+", grouped):
            return re.sub("[,_ ]", "", grouped)
        if not re.fullmatch(r"[0-9]+", grouped):
            raise ValueError(f"`{value}` is not a whole number, like 32000")
    return value


def _money(value: object) -> object:
    if isinstance(value, str):
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            raise ValueError(f"`{value}` is not a number, like 2.50") from None
    return value


def _yes(value: object) -> object:
    words = {"true": True, "yes": True, "false": False, "no": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    if isinstance(value, str):
        raise ValueError(f"`{value}` is neither yes nor no")
    return value


def read_share(text: str) -> Decimal | None:
    """Return `25 %` as 0.25; None where there is no percent sign.

    Raises:
        ValueError: With a percent sign, but not between 0 % and 100 %.
    """
    if not text.rstrip().endswith("%"):
        return None
    try:
        share = Decimal(text.rstrip()[:-1].strip()) / 100
    except InvalidOperation:
        share = Decimal("NaN")
    if share.is_nan() or not 0 <= share <= 1:
        raise ValueError(f"`{text}` is not a share between 0 % and 100 %")
    return share


def _pass_at(value: object) -> object:
    if isinstance(value, str):
        share = read_share(value)
        number = _money(value) if share is None else share
        if not isinstance(number, Decimal) or not 0 <= number <= 1:
            raise ValueError(f"`{value}` is neither a share like 60 % nor a number from 0 to 1")
        return number
    return value


def _tolerance(value: object) -> object:
    if isinstance(value, str):
        number = value.strip().removesuffix("%").strip()
        if not re.fullmatch(r"[0-9]+([.][0-9]+)?", number):
            raise ValueError(f"`{value}` is neither a share like 5 % nor an amount like 0.5")
    return value


def _model_name(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9_.-]+:\S+", value):
        raise ValueError(f"`{value}` is no model; write it as provider:model or baseline:nearest")
    return value


def _embedding_name(value: object) -> object:
    if isinstance(value, str) and value != "minilm" and ":" not in value:
        raise ValueError(f"`{value}` is no embedding; write minilm or provider:model")
    return value


_SCALAR = WithJsonSchema({"type": ["string", "number", "boolean"]})
_LIST = WithJsonSchema(
    {
        "type": ["array", "string", "number", "boolean"],
        "items": {"type": ["string", "number", "boolean"]},
    }
)
Text = Annotated[str, _SCALAR]
Texts = Annotated[tuple[str, ...], BeforeValidator(one_or_many), _LIST]
Count = Annotated[
    int,
    BeforeValidator(_whole),
    Field(ge=1),
    WithJsonSchema({"type": ["integer", "string"], "pattern": "^[0-9][0-9,_ ]*$", "minimum": 1}),
]
Amount = Annotated[Decimal, BeforeValidator(_money), Field(ge=0, allow_inf_nan=False), _SCALAR]
Points = Annotated[Decimal, BeforeValidator(_money), Field(allow_inf_nan=False), _SCALAR]
Tolerance = Annotated[str, BeforeValidator(_tolerance), _SCALAR]
ModelName = Annotated[str, BeforeValidator(_model_name)]
EmbeddingName = Annotated[str, BeforeValidator(_embedding_name)]
YesNo = Annotated[
    bool,
    BeforeValidator(_yes),
    WithJsonSchema({"enum": [True, False, "yes", "no", "true", "false"]}),
]
PassAt = Annotated[Decimal, BeforeValidator(_pass_at), _SCALAR]


@dataclass(frozen=True, kw_only=True, slots=True)
class SectionSize:
    """The room that a section of the context gets: tokens, or a share of the budget.

    A number with a percent sign (`25 %`) or with a point and no more than 1 (`0.25`) is a share,
    a whole number is tokens (`500`).

    Attributes:
        tokens: Absolute; the section neither gives nor receives. None where a share is given.
        share: Of the budget, 0 to 1. None where tokens are given.
    """

    tokens: int | None = None
    share: Decimal | None = None

    @staticmethod
    def read(value: object) -> SectionSize:
        """Return the size that a text, a number or a SectionSize means.

        Raises:
            ValueError: It is none of them; says what to write.
        """
        if isinstance(value, SectionSize):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return SectionSize(tokens=value)
        if isinstance(value, float | Decimal) and 0 <= value <= 1:
            return SectionSize(share=Decimal(str(value)))
        if isinstance(value, str):
            share = read_share(value)
            if share is None and re.fullmatch(r"0?\.[0-9]+|[01]\.0*", value.strip()):
                share = Decimal(value.strip())
            if share is not None:
                return SectionSize(share=share)
            digits = re.sub(r"(?<=[0-9])[,_ ](?=[0-9]{3}\b)", "", value.strip())
            if re.fullmatch(r"[0-9]+", digits):
                return SectionSize(tokens=int(digits))
        raise ValueError(f"`{value}` is neither a share like 25 % or 0.25 nor tokens like 500")


Size = Annotated[
    SectionSize,
    BeforeValidator(SectionSize.read),
    WithJsonSchema({"type": ["string", "number"], "minimum": 0, "pattern": r"^[0-9.]+ ?%?$"}),
]
