"""Rows of the evals as text, and back: JSON that any database holds, read fast by the thousand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import StateError
from harness.evals.graders import Grade, Work
from harness.values import Usage

__all__ = ["dumped", "loaded", "loaded_grades", "loaded_works", "storable"]

TOGETHER = 2000
"""Texts that are decoded as one list: a call of the decoder costs as much as a short text."""


def dumped(kind: Any, value: Any) -> str:
    """Return a value as the text of a row."""
    says = _adapter(kind).dump_python(value, mode="json", exclude_defaults=True)
    # Escaped: a broken provider can send half a surrogate pair, which no database text may hold.
    return json.dumps(says, separators=(",", ":"))


def storable(text: str) -> str:
    """Return a text that every database takes: none takes half a surrogate pair, or some NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def loaded(kind: Any, text: str, where: str) -> Any:
    """Return what a row says.

    Raises:
        StateError: It is damaged.
    """
    adapter = _adapter(kind)
    read: Callable[[], Any]
    for read in (
        lambda: adapter.validate_json(text),
        lambda: adapter.validate_python(json.loads(text)),
    ):
        try:
            return read()
        except (ValidationError, ValueError):
            continue
    raise StateError(f"An eval run in {where} is damaged.", "Run the evals again.")


@lru_cache(maxsize=4096)
def loaded_grades(text: str, where: str) -> tuple[Grade, ...]:
    """Return grades, those that are often alike from memory.

    Raises:
        StateError: They are damaged.
    """
    grades: tuple[Grade, ...] = loaded(tuple[Grade, ...], text, where)
    return grades


def loaded_works(texts: Sequence[str], where: str) -> Iterator[Work]:
    """Yield work; the plain answer to one call, of which there are thousands, the quick way.

    Raises:
        StateError: A row is damaged.
    """
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        try:
            said: Iterable[Any] = json.loads("[" + ",".join(some) + "]")
        except ValueError:
            said = ()
        values = list(said)
        if len(values) != len(some):
            values = [None] * len(some)  # one is damaged, and is said by name
        for text, value in zip(some, values, strict=True):
            yield _work(text, value, where)


def _work(text: str, said: Any, where: str) -> Work:
    try:
        if said.keys() <= _PLAIN and not said.get("tools"):
            usage = said.pop("usage", None)
            if usage is not None and "cost_usd" in usage:
                usage["cost_usd"] = Decimal(usage["cost_usd"])
            if "warnings" in said:
                said["warnings"] = tuple(said["warnings"])
            if said.get("tools") is not None:
                said["tools"] = ()
            return Work(**said, usage=NOTHING if usage is None else Usage(**usage))
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        pass  # said below, as for everything that is damaged
    work: Work = loaded(Work, text, where)
    return work


NOTHING = Usage()
_PLAIN = {one.name for one in fields(Work)} - {"steps"}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
