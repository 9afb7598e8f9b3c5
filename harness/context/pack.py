"""Packing: the stable part of a domain version, then the tail for one question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.context.choice import Choice
from harness.context.guard import Guard
from harness.context.render import render_question
from harness.context.stable import Foundation, StablePart
from harness.context.tail import Tail
from harness.errors import QuestionTooLong, UsageError
from harness.values import Section, with_files
from harness.values_packed import Message, Packed, Part

if TYPE_CHECKING:
    from harness.domain import Domain, Policy, SectionSize
    from harness.seams import Counter, Searchable

__all__ = ["Packer", "in_our_tokens"]


class Packer:
    """Packs contexts for one domain version over its bank.

    Args:
        domain: As read, without errors.
        bank: Its index.
        counter: Counts tokens; the same as counted the bank's items.
    """

    def __init__(self, domain: Domain, bank: Searchable, counter: Counter) -> None:
        self._domain = domain
        self._bank = bank
        self._counter = counter
        self.foundation = Foundation(domain, bank, counter)
        self._stables: dict[object, StablePart] = {}

    def pack(
        self,
        question: str,
        *,
        files: Sequence[tuple[str, str]] = (),
        guard: Guard | None = None,
        policy: Policy | None = None,
        budget: int | None = None,
        ratio: float = 1.0,
        sections: Mapping[Section, SectionSize] | None = None,
        exclude: Iterable[str] = (),
        include: Iterable[str] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> Packed:
        """Pack the context for a question.

        Args:
            question: Its text.
            files: (name, text) of files that belong to it.
            guard: Keeps an eval case out of its own context.
            policy: How the tail is chosen; the domain's by default.
            budget: Tokens of the model; the domain's by default.
            ratio: Of the model's tokens to ours; below 1, it plays no part.
            sections: Sizes of sections; these go before the domain's.
            exclude: Ids of items that shall not be shown, not in the stable part either.
            include: Ids of items that shall be shown as far as they fit, whatever else is.
            schema: A JSON Schema for this answer alone.

        Raises:
            UsageError: The question is empty.
            QuestionTooLong: Question and stable part are over the budget.
        """
        asked = self._asked(question, files, schema)
        settings = self._domain.settings.context
        policy, ratio = policy or settings.policy, max(1.0, ratio)
        limits = _Limits(
            budget=in_our_tokens(budget or settings.budget, ratio),
            ratio=ratio,
            sizes={**settings.sections, **(sections or {})},
        )
        out, wanted = frozenset(exclude), frozenset(include)
        stable = self._before(asked.tokens, policy, limits, out)
        tail = Tail(
            self._bank, stable, asked.query, guard=guard, policy=policy, exclude=out, include=wanted
        )
        return self._packed(asked, stable, tail, ratio)

    def _asked(
        self,
        question: str,
        files: Sequence[tuple[str, str]],
        schema: Mapping[str, Any] | None,
    ) -> _Asked:
        """Return the question as it will stand in the context.

        Raises:
            UsageError: It is empty.
        """
        if not question.strip():
            raise UsageError("The question is empty.", "Say what you want to know.")
        question = _sound(question)
        attached = [(_sound(name), _sound(content)) for name, content in files]
        text = render_question(question, attached, schema)
        query = with_files(question, attached)
        return _Asked(text=text, tokens=self._counter.count(text), query=query)

    def _before(
        self,
        tokens: int,
        policy: Policy,
        limits: _Limits,
        excluded: frozenset[str],
    ) -> StablePart:
        """Return the stable part for a question of so many tokens.

        One that is too long to stand after the whole bank stands after the usual shares.

        Raises:
            QuestionTooLong: It is too long for the budget.
        """
        budget, sizes = limits.budget, limits.sizes
        stable = self._stable(policy, budget, sizes, may_be_whole=True)
        if stable.standing.whole and stable.room.after_question(tokens).used > budget:
            stable = self._stable(policy, budget, sizes, may_be_whole=False)
        items = self._bank.items
        without = frozenset(row for row in stable.shown if items[row].id in excluded)
        if without:
            whole = stable.standing.whole
            stable = self.foundation.make(
                policy, budget, sizes, may_be_whole=whole, without=without
            )
        if stable.room.after_question(tokens).used > budget:
            counts = f" (the model counts {limits.ratio:g} for each of our tokens)"
            raise QuestionTooLong(
                f"The question has {tokens:,} tokens and what always stands before it "
                f"{stable.room.used:,}: together over the budget of "
                f"{budget:,}{counts if limits.ratio > 1 else ''}.",
                f"Shorten the question or its files{', give `core` less room' if sizes else ''}, or"
                " raise `context.budget` in domain.yaml.",
            )
        return stable

    def _stable(
        self,
        policy: Policy,
        budget: int,
        sizes: Mapping[Section, SectionSize],
        *,
        may_be_whole: bool,
    ) -> StablePart:
        key = (policy, budget, frozenset(sizes.items()), may_be_whole)
        if key not in self._stables:
            made = self.foundation.make(policy, budget, sizes, may_be_whole=may_be_whole)
            self._stables[key] = made
        return self._stables[key]

    def _packed(self, asked: _Asked, stable: StablePart, tail: Tail, ratio: float) -> Packed:
        """Choose the tail, and put everything together."""
        passages, demonstrations = _chosen(tail, stable, asked.tokens)
        items = self._bank.items
        shown = (items[row].rendered for row in (*passages.kept, *demonstrations.kept))
        return Packed(
            domain=self._domain.name,
            version=self._domain.version,
            budget=stable.room.budget,
            ratio=ratio,
            core_tokens=stable.room.used,
            by_section={
                **stable.by_section,
                "passages": passages.tokens,
                "demonstrations": demonstrations.tokens,
                "question": asked.tokens,
            },
            prefix_sha256=stable.sha256,
            messages=(
                Message(role="system", parts=(Part(text=stable.text, cache=True),)),
                Message(role="user", parts=(Part(text="".join([*shown, asked.text])),)),
            ),
            account=lambda: tail.reports(passages, demonstrations),
            likeness=lambda: tail.likeness(demonstrations),
        )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A question.

    Attributes:
        text: As it stands in the context, its files before it.
        tokens: Of the text.
        query: What is looked for in the bank.
    """

    text: str
    tokens: int
    query: str


@dataclass(frozen=True, kw_only=True)
class _Limits:
    """What a context may hold.

    Attributes:
        budget: In our tokens.
        ratio: Of the model's tokens to ours, at least 1.
        sizes: Of sections, where they are given.
    """

    budget: int
    ratio: float
    sizes: Mapping[Section, SectionSize]


def _chosen(tail: Tail, stable: StablePart, tokens: int) -> tuple[Choice, Choice]:
    """Return the passages and the demonstrations for a question of so many tokens."""
    room, whole = stable.room.after_question(tokens), stable.standing.whole
    passages = tail.choose("passages", room.left if whole else room.most("passages"))
    room = room.after("passages", passages.tokens)
    most = room.left if whole else room.most("demonstrations")
    return passages, tail.choose("demonstrations", most)


def in_our_tokens(budget: int, ratio: float) -> int:
    """Return how many of our tokens a budget in a model's tokens is, never more than it says."""
    return budget if ratio <= 1 else max(1, int(budget / ratio))


def _sound(text: str) -> str:
    """Return the text with halves of characters joined, or replaced where the other is missing.

    JSON's escapes and the names of files can hold them; no tokenizer and no provider takes them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
