"""Providers' prompt caching by their published rules, so that cache hits can be measured.

Two rules are known. *Prefix* (OpenAI before GPT-5.6): the longest prefix shared with an earlier
request, from 1,024 tokens on, in steps of 128. *Breakpoints* (Anthropic; OpenAI from GPT-5.6
on): whole stretches up to a marked block that an earlier request had marked too. Time to live
is left out: entries live as long as the server does, at most `KEPT` of them a model.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from harness.seams import Counter

__all__ = ["CacheRules", "CacheUse", "PromptCache", "Stretch"]

KEPT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch of the prompt; with `mark`, a breakpoint follows it."""

    text: str
    mark: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheRules:
    """How a provider caches.

    Attributes:
        kind: By prefix or by breakpoints.
        least: Tokens below which nothing is cached.
        step: Cached prefixes are whole multiples of this many tokens.
        lookback: Blocks before a breakpoint at which an earlier one is looked for.
    """

    kind: Literal["prefix", "breakpoints"]
    least: int = 1024
    step: int = 1
    lookback: int = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheUse:
    """Tokens of a prompt, all of them, and those read from or written to the cache."""

    total: int
    read: int = 0
    written: int = 0


class PromptCache:
    """Remembers prompts and says what a provider would have had in its cache."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._prompts: dict[str, deque[str]] = {}
        self._written: dict[str, set[bytes]] = {}

    def use(self, scope: str, prompt: list[Stretch], rules: CacheRules) -> CacheUse:
        """Return what this prompt reads and writes, and remember it.

        Args:
            scope: Whatever has a cache of its own, such as a model.
            prompt: The prompt in the provider's order.
            rules: The provider's rules.
        """
        if rules.kind == "prefix":
            return self._by_prefix(scope, "".join(part.text for part in prompt), rules)
        return self._by_breakpoint(scope, prompt, rules)

    def _by_prefix(self, scope: str, text: str, rules: CacheRules) -> CacheUse:
        earlier = self._prompts.setdefault(scope, deque(maxlen=KEPT))
        shared = max((_common_prefix(text, old) for old in earlier), default=0)
        if text not in earlier:
            earlier.append(text)
        tokens = self._counter.count(text[:shared])
        read = tokens // rules.step * rules.step if tokens >= rules.least else 0
        return CacheUse(total=self._counter.count(text), read=read)

    def _by_breakpoint(self, scope: str, prompt: list[Stretch], rules: CacheRules) -> CacheUse:
        written = self._written.setdefault(scope, set())
        keys = _prefix_digests(prompt)
        ends = list(accumulate(self._counter.count(part.text) for part in prompt))
        marks = [at for at, part in enumerate(prompt) if part.mark and ends[at] >= rules.least]
        hits = [
            at
            for mark in marks
            for at in range(mark, max(-1, mark - rules.lookback), -1)
            if keys[at] in written
        ]
        read = ends[max(hits)] if hits else 0
        written.update(keys[mark] for mark in marks)
        reach = ends[marks[-1]] if marks else 0
        return CacheUse(total=ends[-1] if ends else 0, read=read, written=max(0, reach - read))


def _prefix_digests(prompt: list[Stretch]) -> list[bytes]:
    """Return for each stretch a digest of the prompt up to its end."""
    state, digests = b"", []
    for part in prompt:
        text = part.text.encode("utf-8", "replace")
        state = hashlib.blake2b(state + hashlib.blake2b(text).digest()).digest()
        digests.append(state)
    return digests


def _common_prefix(left: str, right: str) -> int:
    """Return how many characters two texts share at their start, by bisection."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
