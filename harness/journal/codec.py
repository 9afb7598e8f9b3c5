"""The codec: events and commands to JSON and back, nothing lost and nothing guessed.

Every field is written, in the order of the class; mappings keep their own order, because what a
provider is sent again has to be the same to the byte. Reading is strict: a missing field, one too
many or one of the wrong type is an error, never a default. Half a surrogate pair, which a broken
stream can bring, is written as an escape; numbers that JSON lacks are written as text.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from harness.journal.commands import COMMANDS, Command
from harness.journal.convert import hints, reader, writer
from harness.journal.events import EVENTS, Event, UnknownEvent
from harness.journal.parts import Blob

__all__ = ["blobs_of", "dump", "load_command", "load_event", "to_bytes", "to_tree"]

Tree = Any
"""What JSON can say."""

_STYLE: Mapping[str, Any] = {"allow_nan": False, "separators": (",", ":"), "default": str}
_PLAIN = json.JSONEncoder(ensure_ascii=False, **_STYLE)
_ASCII = json.JSONEncoder(ensure_ascii=True, **_STYLE)


def to_tree(value: Event | Command) -> Tree:
    """Return an event or command as JSON objects."""
    kind: Any = type(value)
    return writer(kind)(value)


def to_bytes(tree: Tree) -> bytes:
    """Return JSON as UTF-8, one line, no spaces.

    Raises:
        RecursionError: It is nested too deeply.
    """
    try:
        text = _PLAIN.encode(tree)
    except ValueError:
        tree = _finite(tree)
        text = _PLAIN.encode(tree)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _ASCII.encode(tree).encode()


def dump(value: Event | Command) -> bytes:
    """Return an event or command as it is stored."""
    return value.payload if isinstance(value, UnknownEvent) else to_bytes(to_tree(value))


def load_event(name: str, version: int, payload: bytes, blobs: tuple[str, ...] = ()) -> Event:
    """Return the event that `payload` holds.

    Args:
        name: Its type.
        version: Its version.
        payload: JSON as stored.
        blobs: What a later version's event names; this program could not find it out.

    Raises:
        ValueError: It is no such event.
    """
    kind = EVENTS.get(name)
    if kind is None or version != kind.VERSION:
        return UnknownEvent(name=name, version=version, payload=payload, blobs=blobs)
    event: Event = _load(kind, payload)
    return event


def load_command(name: str, version: int, payload: bytes) -> Command:
    """Return the command that `payload` holds.

    Raises:
        ValueError: It is no such command, or of a later version.
    """
    kind = COMMANDS.get(name)
    if kind is None or version != kind.VERSION:
        raise ValueError(f"a command {name!r} of version {version} is not known here")
    command: Command = _load(kind, payload)
    return command


def blobs_of(event: Event) -> tuple[str, ...]:
    """Return the hashes of the blobs that an event names, in its order."""
    if isinstance(event, UnknownEvent):
        return event.blobs
    kind: Any = type(event)
    if not _names_blobs(kind):
        return ()
    found: list[str] = []
    _collect(event, found)
    return tuple(dict.fromkeys(found))


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, Blob):
        found.append(value.hash)
    elif isinstance(value, tuple):
        for inner in value:
            _collect(inner, found)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _collect(getattr(value, field.name), found)


@cache
def _names_blobs(hint: Any) -> bool:
    if hint is Blob:
        return True
    if dataclasses.is_dataclass(hint):
        return any(_names_blobs(inner) for inner in hints(typing.cast("type", hint)).values())
    return any(_names_blobs(inner) for inner in typing.get_args(hint) if not isinstance(inner, str))


def _finite(tree: Tree) -> Tree:
    """Return the tree with NaN and the infinities as their names."""
    if isinstance(tree, float) and not math.isfinite(tree):
        return "NaN" if math.isnan(tree) else "Infinity" if tree > 0 else "-Infinity"
    if isinstance(tree, Mapping):
        return {key: _finite(inner) for key, inner in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(inner) for inner in tree]
    return tree


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _load(kind: Any, payload: bytes) -> Any:
    return reader(kind)(_DECODER.decode(payload.decode()))
