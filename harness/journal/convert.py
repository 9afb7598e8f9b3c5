"""Converters: for each type that an event's field can have, one to JSON and one back.

They are made from the dataclasses' annotations, at first use, and are strict: a field that is
missing, one too many or one of the wrong type raises ValueError.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, TypeVar, Union

__all__ = ["Convert", "hints", "reader", "writer"]

Convert = Callable[[Any], Any]
T = TypeVar("T")


def hints(kind: type) -> dict[str, Any]:
    """Return the type of each field of a dataclass."""
    told = typing.get_type_hints(kind)
    return {field.name: told[field.name] for field in dataclasses.fields(kind)}


def _same(value: Any) -> Any:
    return value


@cache
def writer(hint: Any) -> Convert:
    """Return what makes JSON of a value of this type."""
    if dataclasses.is_dataclass(hint):
        fields = [(name, writer(inner)) for name, inner in hints(typing.cast("type", hint)).items()]
        return lambda value: {
            name: getattr(value, name) if write is _same else write(getattr(value, name))
            for name, write in fields
        }
    if hint is Decimal:
        return str
    if typing.get_origin(hint) is tuple:
        inner = writer(typing.get_args(hint)[0])
        return list if inner is _same else lambda value: [inner(one) for one in value]
    if (some := _optional(hint)) is not None:
        inner = writer(some)
        return _same if inner is _same else lambda value: None if value is None else inner(value)
    return _same


@cache
def reader(hint: Any) -> Convert:
    """Return what makes a value of this type of JSON; it raises ValueError."""
    if dataclasses.is_dataclass(hint):
        return _object_of(typing.cast("type", hint))
    if hint is Any or hint in _SCALARS:
        return _SCALARS.get(hint, _same)
    origin = typing.get_origin(hint)
    if origin is Literal:
        return _one_of(typing.get_args(hint))
    if origin is tuple:
        return _tuple_of(reader(typing.get_args(hint)[0]))
    if (some := _optional(hint)) is not None:
        inner = reader(some)
        return lambda value: None if value is None else inner(value)
    return _exactly(dict)  # Mapping[str, Any]


def _optional(hint: Any) -> Any:
    """Return X of `X | None`, else None."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return next(inner for inner in typing.get_args(hint) if inner is not type(None))
    return None


def _object_of(kind: type[T]) -> Convert:
    fields = [(name, reader(hint)) for name, hint in hints(kind).items()]
    names = {name for name, _ in fields}

    def read(tree: Any) -> T:
        if type(tree) is not dict or tree.keys() != names:
            raise ValueError(f"no {kind.__name__}")
        return kind(**{name: convert(tree[name]) for name, convert in fields})

    return read


def _tuple_of(inner: Convert) -> Convert:
    def read(tree: Any) -> tuple[Any, ...]:
        if type(tree) is not list:
            raise ValueError("no list")
        return tuple([inner(one) for one in tree])

    return read


def _exactly(kind: type) -> Convert:
    def read(tree: Any) -> Any:
        if type(tree) is not kind:
            raise ValueError(f"no {kind.__name__}")
        return tree

    return read


def _one_of(words: tuple[str, ...]) -> Convert:
    def read(tree: Any) -> Any:
        if tree not in words:
            raise ValueError(f"none of {', '.join(sorted(words))}")
        return tree

    return read


def _read_float(tree: Any) -> float:
    if type(tree) is float or type(tree) is int or tree in ("NaN", "Infinity", "-Infinity"):
        return float(tree)
    raise ValueError("no number")


def _read_decimal(tree: Any) -> Decimal:
    try:
        return Decimal(_SCALARS[str](tree))
    except InvalidOperation:
        raise ValueError("no decimal number") from None


_SCALARS: Mapping[Any, Convert] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _read_float,
    Decimal: _read_decimal,
}
