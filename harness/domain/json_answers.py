"""JSON in an answer: found in the prose, read without loss, checked against the schema.

Numbers with a point are read as Decimal, so that `0.1` stays what was written. JSON that is
nested more than `MOST_DEPTH` deep is not read: what walks through it would not come back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any, Final

from harness.domain.fitting import schema_fault, validator_of

__all__ = ["exact_numbers", "read_json"]

NOTHING: Final = object()
"""Stands for "no JSON there", as `null` is a value."""

MOST_TRIES = 500
"""Opening brackets tried before prose full of them is given up on."""

MOST_DEPTH = 100
"""Brackets in brackets from which on JSON is no answer that anyone meant."""

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
        ValueError: The schema itself is wrong, or takes too long; says how.
    """
    if _broken(text):
        return None, "there is no JSON in it that can be read: it is cut off or broken"
    problem = ""
    fitting = _Fitting(schema)
    for value in _candidates(text):
        found = fitting.problem(value)
        if not found:
            return value, ""
        problem = problem or found
    return None, problem or "there is no JSON in it"


class _Fitting:
    """What an answer's JSON is held against: a schema, with the time that it may take in all.

    Args:
        schema: JSON Schema; None: any JSON will do.

    """

    def __init__(self, schema: Mapping[str, Any] | None) -> None:
        self._schema = schema
        self._validator: Any = None

    def problem(self, value: Any) -> str:
        """Return in plain words where the value breaks the schema, or "" where it fits.

        Raises:
            ValueError: The schema itself is wrong, or takes too long; says how.
        """
        if self._schema is None:
            return ""
        # jsonschema takes 0.1 s to import; only json answers need it.
        from jsonschema.exceptions import best_match
        from referencing.exceptions import Unresolvable

        try:
            if self._validator is None:
                self._validator = _sound(self._schema)
            with localcontext(prec=2 * MOST_EXPONENT):  # for `multipleOf`
                error = best_match(self._validator.iter_errors(value))
        except Unresolvable as missing:
            raise ValueError(f"the schema refers to `{missing.ref}`, which is not in it") from None
        except TimeoutError as late:
            raise ValueError(f"{late}; write it without repeats of repeats, as (a+)+") from None
        except RecursionError:
            return "it is nested too deeply to be checked"
        if error is None:
            return ""
        where = ".".join(str(step) for step in error.absolute_path)
        return _short(error.message) + (f" (at `{where}`)" if where else "")


def _sound(schema: Mapping[str, Any]) -> Any:
    exact = exact_numbers(schema)
    if fault := schema_fault(exact):
        raise ValueError(f"the schema itself is wrong: {_short(fault)}")
    return validator_of(exact)


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
        _decoded(piece)
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
        value, end = _decoded(text)
    except (ValueError, RecursionError):
        return NOTHING
    return value if end == len(text) else NOTHING


def _decoded(text: str, start: int = 0) -> tuple[Any, int]:
    """Return the value that begins there, and where it ends.

    Raises:
        ValueError: There is none.
        RecursionError: It is nested too deeply.
    """
    value, end = _DECODER.raw_decode(text, start)
    level, depth = [value], 0
    while level := [inner for outer in level for inner in _inside(outer)]:
        depth += 1
        if depth > MOST_DEPTH:
            raise RecursionError
    return value, end


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _bracketed(text: str, opening: str) -> Iterator[Any]:
    """Yield the values that begin with the bracket and lie in no other, in order."""
    start = text.find(opening)
    for _ in range(MOST_TRIES):
        if start < 0:
            return
        try:
            value, end = _decoded(text, start)
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
