"""A packed context: the messages that a model is sent for one question, and why they say what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Any, Literal

from harness.values import ItemKind, ItemReport, jsonable

__all__ = ["Message", "Packed", "Part"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A stretch of text in a message; with `cache`, a provider cache breakpoint follows it."""

    text: str
    cache: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of the packed context."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All parts in order, nothing between them."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A packed context: what the model is shown for one question, and why.

    Attributes:
        version: Of the domain.
        budget: Tokens that were allowed, as counted here.
        ratio: Of the model's tokens to ours, where it has more: the budget that was asked for,
            in the model's tokens, is so many times larger.
        core_tokens: Tokens of the stable part, the same for every question.
        by_section: Tokens of each section, the question's included.
        prefix_sha256: Of the stable part's text.
        messages: What a model is sent.
        account: Makes `items`, those that were kept before all others; a caller in a hurry need
            not pay for them.
        likeness: Makes (id, cosine with the question) of the worked cases that stand in it; they
            are a small part of the account, for callers in a hurry.
    """

    domain: str
    version: str
    budget: int
    core_tokens: int
    by_section: Mapping[str, int]
    prefix_sha256: str
    messages: tuple[Message, ...]
    ratio: float = 1.0
    account: Callable[[], Iterable[ItemReport]] = field(repr=False, compare=False)
    likeness: Callable[[], Iterable[tuple[str, float]]] = field(
        default=tuple, repr=False, compare=False
    )

    @cached_property
    def items(self) -> tuple[ItemReport, ...]:
        """What became of each item that was considered."""
        return tuple(self.account())

    @property
    def tokens(self) -> int:
        """Tokens of the whole text."""
        return sum(self.by_section.values())

    def shown(self, *kinds: ItemKind) -> tuple[ItemReport, ...]:
        """Return the items of these kinds that stand in the context, in its order."""
        return tuple(item for item in self._kept if item.kind in kinds)

    @cached_property
    def _kept(self) -> tuple[ItemReport, ...]:
        """The items that stand in the context; of a large bank far more are left out."""
        return tuple(takewhile(lambda item: item.kept, self.account()))

    def to_json(self) -> dict[str, Any]:
        """Return it as `harness context --json` prints it."""
        return {
            "domain": self.domain,
            "version": self.version,
            "budget": self.budget,
            "ratio": self.ratio,
            "tokens": {
                "total": self.tokens,
                "core": self.core_tokens,
                "tail": self.tokens - self.core_tokens,
                "by_section": dict(self.by_section),
            },
            "prefix_sha256": self.prefix_sha256,
            "items": [jsonable(item) for item in self.items],
            "messages": [{"role": one.role, "content": one.text} for one in self.messages],
        }
