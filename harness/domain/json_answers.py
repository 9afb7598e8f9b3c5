"""JSON in an answer: found in the prose, read without loss, checked against the schema.

Numbers with a point are read as Decimal, so that `0.1` stays what was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any, Final

__all__ = ["exact_numbers", "read_json", "schema_problem"]

NOTHING: Final = object()
"""Stands for "no JSON there", as `null` is a value."""

MOST_TRIES = 500
"""Opening brackets tried before prose full of them is given up on."""

MOST_EXPONENT = 400
_FENCE = re.compile(r"```[ \t]*(?:json|JSON)?[ \t]*\n(.*?)```", re.DOTALL)


def read_json(text: str, *, schema: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """Return what the answer's JSON says, or None and in plain words why there is none.

    Looked at in this order: the whole text, each fenced block, the outermost braces, the
    outermost square brackets. With a schema the first that fits it is taken; where none fits,
    the first found says why. Where all of it is JSON that is cut off or broken, no inner piece is
    taken instead.

    Args:
        text: A whole answer.
        schema: JSON Schema, Draft 2020-12.

    Raises:
        ValueError: The schema itself is wrong.
    """
    if _broken(text):
        return None, "there is no JSON in it that can be read: it is cut off or broken"
    problem = ""
    for value in _candidates(text):
        found = schema_problem(value, schema) if schema is not None else ""
        if not found:
            return value, ""
        problem = problem or found
    return None, problem or "there is no JSON in it"


def schema_problem(value: Any, schema: Mapping[str, Any]) -> str:
    """Return in plain words where the value breaks the schema, or "" where it fits.

    References out of the schema are never fetched.

    Raises:
        ValueError: The schema itself is wrong; says how.
    """
    # jsonschema takes 0.1 s to import; only json answers need it.
    from jsonschema.exceptions import SchemaError, best_match
    from referencing.exceptions import Unresolvable

    try:
        with localcontext(prec=2 * MOST_EXPONENT):  # for `multipleOf`
            error = best_match(_validator(exact_numbers(schema)).iter_errors(value))
    except SchemaError as broken:
        raise ValueError(f"the schema itself is wrong: {_short(broken.message)}") from None
    except Unresolvable as missing:
        raise ValueError(f"the schema refers to `{missing.ref}`, which is not in it") from None
    except RecursionError:
        return "it is nested too deeply to be checked"
    if error is None:
        return ""
    where = ".".join(str(step) for step in error.absolute_path)
    return _short(error.message) + (f" (at `{where}`)" if where else "")


def _validator(schema: Any) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    Draft202012Validator.check_schema(schema)
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
    return extend(Draft202012Validator, type_checker=types)(schema, registry=Registry())


def _is_integer(_checker: object, value: object) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _short(message: str) -> str:
    message = re.sub(r"Decimal\('([^']*)'\)", r"\1", message)
    return message if len(message) <= 300 else message[:150] + " … " + message[-150:]


def exact_numbers(value: Any) -> Any:
    """Return the value with every float as the Decimal that its digits say."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: exact_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [exact_numbers(inner) for inner in value]
    return value


# --- finding it -------------------------------------------------------------------------------


def _candidates(text: str) -> Iterator[Any]:
    for piece in (text, *(match[1] for match in _FENCE.finditer(text))):
        value = _loaded(piece.strip().removeprefix("\ufeff"))
        if value is not NOTHING:
            yield value
    for opening in "{[":
        yield from _bracketed(text, opening)


_BRACKETS = re.compile(r"[][{}]")
_BEGINS = re.compile(r"\s*(?:\{|\[\s*[\[{\"])")


def _broken(text: str) -> bool:
    """Say whether the text is one piece of JSON, from its first bracket on, that can't be read."""
    fenced = _FENCE.match(text.strip())
    piece = (fenced[1] if fenced else text).strip().removeprefix("\ufeff")
    if not _BEGINS.match(piece):
        return False
    try:
        _DECODER.raw_decode(piece)
    except (ValueError, RecursionError):
        return _closes(piece) >= len(piece)
    return False


def _closes(text: str) -> int:
    """Return where the bracket that the text begins with is closed, or its length."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += 1 if match[0] in "{[" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _loaded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return NOTHING


def _bracketed(text: str, opening: str) -> Iterator[Any]:
    """Yield the values that begin with the bracket and lie in no other, in order."""
    start = text.find(opening)
    for _ in range(MOST_TRIES):
        if start < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, start)
        except RecursionError:
            return
        except ValueError:
            end = start + 1
        else:
            yield value
        start = text.find(opening, end)


def _number(written: str) -> Decimal:
    number = Decimal(written)
    if number and abs(number.adjusted()) > MOST_EXPONENT:
        raise ValueError(f"{written[:40]} is out of all range")
    return number


def _no_number(written: str) -> Any:
    raise ValueError(f"{written} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_float=_number, parse_constant=_no_number)
