"""A conversation: questions that go on with what was said before, each a run of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Unpack

import anyio.to_thread

from harness.errors import RunNotFound
from harness.loop import load_state
from harness.sdk import portal
from harness.sdk.asking import Before
from harness.sdk.options import AskOptions
from harness.values import Answer, Delta
from harness.wiring import make_counter

if TYPE_CHECKING:
    from harness.sdk.records import Records

__all__ = ["Conversation", "last_question"]


class Conversation:
    """Asks questions that go on with what was said before.

    What was packed for earlier questions stays in view. It is read back from the journal for
    each question, so it goes on from any process.

    Args:
        astream: `Harness.astream` of the open domain.
        records: The runs of its state folder.
        run: The question to go on from; None begins anew.

    Attributes:
        run: Id of the newest question; None before the first.
    """

    def __init__(
        self,
        astream: Callable[..., AsyncGenerator[Delta | Answer, None]],
        records: Records,
        run: str | None = None,
    ) -> None:
        self._astream = astream
        self._records = records
        self.run = run

    def ask(self, text: str, **how: Unpack[AskOptions]) -> Answer:
        """Ask the next question. See `Harness.aask`."""
        return portal.call(lambda: self.aask(text, **how))

    async def aask(self, text: str, **how: Unpack[AskOptions]) -> Answer:
        """Ask the next question. See `Harness.aask`."""
        async with aclosing(self.astream(text, **how)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise AssertionError("astream ends with an Answer")

    def stream(self, text: str, **how: Unpack[AskOptions]) -> Iterator[Delta | Answer]:
        """Yield the answer to the next question as it comes."""
        return portal.iterate(lambda: self.astream(text, **how))

    async def astream(
        self, text: str, **how: Unpack[AskOptions]
    ) -> AsyncGenerator[Delta | Answer, None]:
        """Yield the answer to the next question as it comes. See `Harness.astream`."""
        before = await anyio.to_thread.run_sync(self._before)
        async with aclosing(self._astream(text, **{**how, "before": before})) as events:
            async for event in events:
                if isinstance(event, Answer):
                    self.run = event.run
                yield event

    def _before(self) -> Before | None:
        if self.run is None:
            return None
        journal = self._records.journal
        state = load_state(journal, self.run, make_counter())
        return Before(run=self.run, seq=journal.run(self.run).events, state=state)


def last_question(records: Records, domain: str) -> str:
    """Return the id of the newest question that a domain answered.

    Raises:
        RunNotFound: There is none.
    """
    for summary in records.list(domain=domain, state="completed"):
        for recorded in records.journal.read(summary.run, until=1):
            if getattr(recorded.event, "options", {}).get("kind") == "ask":
                return summary.run
    raise RunNotFound(f"Nothing was asked of {domain} yet.", "Ask without --continue.")
