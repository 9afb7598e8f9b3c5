"""What every wire format has to be able to do, and the pieces that streams are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.testing.prompt_cache import CacheRules, Stretch
from harness.testing.turns import PIECES, FaultKind, Json, Tokens, Turn

__all__ = ["Event", "Phase", "Wire", "pieces", "status_of", "words_of"]

Phase = Literal["start", "reasoning", "text", "tool", "end"]

_STATUS: dict[FaultKind, int] = {
    "rate_limited": 429,
    "quota_exhausted": 429,
    "server_error": 500,
    "overloaded": 529,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "context_too_long": 400,
    "refused": 400,
}

_WORDS: dict[FaultKind, str] = {
    "rate_limited": "Rate limit reached for requests.",
    "quota_exhausted": "You exceeded your current quota, please check your plan and billing.",
    "server_error": "The server had an error while processing your request.",
    "overloaded": "Overloaded",
    "unauthorized": "Incorrect API key provided.",
    "forbidden": "Your organization may not use this model.",
    "not_found": "The model does not exist or you do not have access to it.",
    "context_too_long": "prompt is too long: 250000 tokens > 200000 maximum",
    "refused": "Invalid value for a parameter.",
    "error_event": "Overloaded",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One server-sent event. `phase` says which part of the answer it carries."""

    data: str
    phase: Phase
    name: str = ""

    def encode(self) -> bytes:
        """Return the event as it goes over the wire."""
        head = f"event: {self.name}\n" if self.name else ""
        return f"{head}data: {self.data}\n\n".encode()


class Wire(Protocol):
    """A provider's format."""

    @property
    def path(self) -> str:
        """Where requests are posted: `/v1/messages`."""

    def message(self, turn: Turn, request: Json, tokens: Tokens) -> Json:
        """Return the turn as the body of an answer that is not streamed."""

    def events(self, message: Json, request: Json, most: int = PIECES) -> Iterator[Event]:
        """Cut such a body into the events of a streamed answer, its text into `most` at most."""

    def error(self, kind: FaultKind, words: str) -> Json:
        """Return the body of an HTTP error."""

    def error_event(self, words: str) -> Event:
        """Return the event that reports a failure in the middle of a stream."""

    def prompt(self, request: Json) -> list[Stretch]:
        """Return what the model reads, in the order in which the provider caches it."""

    def cache_rules(self, request: Json) -> CacheRules:
        """Return how this provider caches prompts of the model asked for."""


def pieces(text: str, most: int = PIECES) -> list[str]:
    """Cut text into up to `most` stretches of a token's length or more; at least two if it can."""
    size = max(4, -(-len(text) // most))
    size = min(size, max(1, len(text) // 2))
    return [text[start : start + size] for start in range(0, len(text), size)]


def status_of(kind: FaultKind) -> int | None:
    """Return the HTTP status of a fault, None where the fault is in a 200's body."""
    return _STATUS.get(kind)


def words_of(kind: FaultKind, message: str) -> str:
    """Return the provider's words for a fault."""
    return message or _WORDS.get(kind, "")
