"""`baseline:nearest`: an in-context learner without a neural net, as an honest floor.

It reads the rendered context, nothing else: no index, no embedding, no gold answer. The worked
cases right before the question stand there least similar first, so their order is their rank; a
case of the core, whose order says nothing, is ranked among them by the words it shares with the
question. Every case votes for its output with a weight that falls with its rank; where all
outputs differ, that is the nearest one's output. A frontier model has to beat this.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harness.context import Demonstration, read_demonstrations, read_question
from harness.errors import BadResponse
from harness.values import Delta, Reply, Usage
from harness.words import words

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

    from harness.seams import Counter as TokenCounter

__all__ = ["NearestModel"]

VOTERS = 15
"""Cases that vote; on Banking77's training rows 10 to 20 do equally well."""


class NearestModel:
    """The model behind `baseline:nearest`.

    Args:
        counter: Counts the tokens that it reports as usage.
    """

    name = "baseline:nearest"
    context_window: int | None = None
    destination = ""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:  # noqa: ARG002 -- it is free
        """Return 0."""
        return Decimal(0)

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""

    async def stream(
        self,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[BaseTool] = (),  # noqa: ARG002 -- it calls none
        schema: Mapping[str, Any] | None = None,  # noqa: ARG002 -- outputs follow it already
        max_output_tokens: int | None = None,  # noqa: ARG002 -- it has no tokens to save
    ) -> AsyncIterator[Delta | Reply]:
        """Yield the answer, then the reply.

        Raises:
            BadResponse: The context has no worked case to learn from.
        """
        from langchain_core.messages import AIMessage

        texts = [str(message.text) for message in messages]
        answer = vote(texts)
        if answer is None:
            raise BadResponse(
                "The baseline answers by the worked cases in its context, and there are none.",
                "Add examples to the domain, choose a policy other than `none`, or use a model.",
                model=self.name,
            )
        yield Delta(text=answer)
        yield Reply(
            message=AIMessage(answer),
            text=answer,
            usage=Usage(
                input_tokens=sum(map(self._counter.count, texts)),
                output_tokens=self._counter.count(answer),
                cost_usd=Decimal(0),
            ),
            model=self.name,
            stop="stop",
        )


def vote(texts: Sequence[str]) -> str | None:
    """Return what the worked cases of a context say about its question; None where it has none.

    Args:
        texts: The messages, the question in the last.
    """
    core = [case for text in texts[:-1] for case in read_demonstrations(text)]
    tail = list(read_demonstrations(texts[-1]))[::-1]
    votes: dict[str, float] = defaultdict(float)
    for rank, case in enumerate(_ranked(read_question(texts[-1]), core, tail)[:VOTERS]):
        votes[case.output] += 1 / (rank + 1)
    return max(votes, key=votes.__getitem__) if votes else None


def _ranked(
    question: str, core: Sequence[Demonstration], tail: Sequence[Demonstration]
) -> list[Demonstration]:
    """Put core cases among the tail's, nearest first, by the words they share with the question."""
    if not core:
        return list(tail)
    asked = words(question)
    sets = [words(case.input) for case in (*core, *tail)]
    frequency = Counter(word for one in sets for word in one & asked)
    weight = {word: math.log1p(len(sets) / count) for word, count in frequency.items()}
    shared = [
        sum(weight[word] for word in one & asked) / math.sqrt(len(one) * len(asked)) for one in sets
    ]
    of_core, of_tail = shared[: len(core)], sorted(shared[len(core) :])
    # A core case comes right after the tail cases that share at least as much with the question.
    ahead = [len(of_tail) - bisect_left(of_tail, own) for own in of_core]
    places = [*((place - 0.5, -own) for place, own in zip(ahead, of_core, strict=True))]
    ranked = [*zip(places, core, strict=True), *(((r, 0.0), case) for r, case in enumerate(tail))]
    return [case for _, case in sorted(ranked, key=lambda one: one[0])]
