"""JSON lines as text with places: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from harness.domain.entries import MAX_DEPTH, Entry, Plain, forbidden, too_deep
from harness.domain.files import DomainFile
from harness.values import Place, Problem

__all__ = ["read_jsonl"]


def read_jsonl(file: DomainFile, text: str) -> tuple[list[Entry], list[Problem]]:
    """Read one JSON object a line. Numbers stay the text that was written; null is absent.

    Args:
        file: Where the text comes from.
        text: The text.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    for number, line in _lines(text):
        try:
            data = _object_of(line, number)
        except _Wrong as wrong:
            place = Place(file=file.name, line=number, column=wrong.column)
            problems.append(Problem(place=place, code=wrong.code, message=wrong.says))
        else:
            entries.append(Entry(data=data, file=file.name, line=number, marks=line))
    return entries, problems


class _Wrong(Exception):
    """A line that is no item."""

    def __init__(self, code: str, says: str, column: int = 1) -> None:
        super().__init__(code, says)
        self.code, self.says, self.column = code, says, column


_DEEP = f"Nested more than {MAX_DEPTH} deep. Write it flatter."


def _object_of(line: str, number: int) -> dict[str, Any]:
    try:
        data = json.loads(
            line,
            parse_float=Plain,
            parse_int=Plain,
            parse_constant=_no_constant,
            object_pairs_hook=_pairs,
        )
    except json.JSONDecodeError as error:
        raise _Wrong("json-syntax", _json_says(error, line, number), error.colno) from None
    except _DuplicateKeyError as error:
        says = f"The key `{error}` stands twice in this line. Keep one."
        raise _Wrong("duplicate-key", says, line.rfind(f'"{error}"') + 1 or 1) from None
    except RecursionError:
        raise _Wrong("too-deep", _DEEP) from None
    if not isinstance(data, dict):
        raise _Wrong("wrong-type", 'A line is a JSON object: {"id": "…", "input": "…"}.')
    if too_deep(data):
        raise _Wrong("too-deep", _DEEP)
    if "\\u" in line and (says := _forbidden_in(data)):
        raise _Wrong("bad-character", says, line.find("\\u") + 1)
    return {key: _words(value) for key, value in data.items()}


class _DuplicateKeyError(ValueError):
    """The same key twice in one object."""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # not splitlines(): U+2028 and its kin are text within a JSON string
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _no_constant(word: str) -> NoReturn:
    raise json.JSONDecodeError(f"{word} is no JSON number", word, 0)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return data


def _words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _words(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_words(inner) for inner in value]
    return Plain("true" if value else "false") if isinstance(value, bool) else value


def _forbidden_in(value: Any) -> str:
    if isinstance(value, dict):
        return next(
            (says for pair in value.items() for part in pair if (says := _forbidden_in(part))), ""
        )
    if isinstance(value, list):
        return next((says for part in value if (says := _forbidden_in(part))), "")
    return forbidden(value) if isinstance(value, str) else ""


def _json_says(error: json.JSONDecodeError, line: str, number: int) -> str:
    if number == 1 and line.strip() == "[":
        return (
            "This is one JSON list; a .jsonl file has one object a line. Write each item as a"
            " line of its own, without the list's brackets and commas."
        )
    if line.strip() in ("{", "}"):
        return "An object has to stand on one line, whole."
    return (
        f"This line is no JSON ({error.msg}). Write one object a line, with double quotes"
        " around keys and texts."
    )
