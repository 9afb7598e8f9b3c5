"""Types as experts write them at their functions, read without running anything."""

from __future__ import annotations

import ast
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Optional, Union

__all__ = ["KNOWN", "UnknownType", "read_type"]

KNOWN = "str, int, float, bool, list, dict, date, datetime, Decimal, Literal[…], X | None"
_PLAIN: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "date": date,
    "datetime": datetime,
    "Decimal": Decimal,
    "Any": Any,
    "object": Any,
    "list": list[Any],
    "dict": dict[str, Any],
    "List": list[Any],
    "Dict": dict[str, Any],
    "None": None,
}
_LISTS = ("list", "List", "tuple", "Tuple", "set", "Set", "Sequence", "Iterable")
_MAPPINGS = ("dict", "Dict", "Mapping")


class UnknownType(Exception):
    """A type that is not among those that a model can fill in; says which."""


def read_type(node: ast.expr) -> Any:
    """Return the type that an annotation stands for.

    Raises:
        UnknownType: It is none that JSON can carry.
    """
    if isinstance(node, ast.Constant):
        if node.value is None:
            return None
        if isinstance(node.value, str):
            return _quoted(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        name = _name(node)
        if name in _PLAIN:
            return _PLAIN[name]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return Union[read_type(node.left), read_type(node.right)]  # noqa: UP007 - made here
    if isinstance(node, ast.Subscript):
        return _subscript(node)
    raise UnknownType(ast.unparse(node))


def _quoted(text: str) -> Any:
    try:
        return read_type(ast.parse(text, mode="eval").body)
    except SyntaxError:
        raise UnknownType(text) from None


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _subscript(node: ast.Subscript) -> Any:
    name = _name(node.value)
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        values = [one.value for one in inside if isinstance(one, ast.Constant)]
        if len(values) == len(inside) and all(isinstance(one, str | int) for one in values):
            return Literal[tuple(values)]
    elif name == "Optional" and len(inside) == 1:
        return Optional[read_type(inside[0])]  # noqa: UP045 - made here
    elif name == "Union":
        return Union[tuple(map(read_type, inside))]  # noqa: UP007 - made here
    elif name == "Annotated":
        return read_type(inside[0])
    elif name in _LISTS:
        return list[read_type(inside[0])]  # type: ignore[misc] # a type made from text
    elif name in _MAPPINGS and len(inside) == 2:
        return dict[str, read_type(inside[1])]  # type: ignore[misc] # a type made from text
    raise UnknownType(ast.unparse(node))
