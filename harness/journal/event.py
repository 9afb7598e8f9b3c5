"""An event: what all of them have, one that is not known here, and one as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

__all__ = ["Event", "Recorded", "UnknownEvent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Base of all events. `TYPE` and `VERSION` say how it is stored."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownEvent(Event):
    """An event of a type or version that this program does not know, kept as it was stored.

    Attributes:
        name: Its type, as stored.
        version: Its version, as stored.
        payload: Its JSON, as stored.
        blobs: Hashes of the blobs that it names.
    """

    TYPE: ClassVar[str] = ""
    name: str
    version: int
    payload: bytes
    blobs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event as it stands in a journal.

    Attributes:
        seq: Its number in the run, from 1, without gaps.
        at: When it was written, UTC. Clocks jump: the order is `seq`, never this.
        hash: Of the event and all before it, hexadecimal.
    """

    run: str
    seq: int
    at: datetime
    event: Event
    hash: str
