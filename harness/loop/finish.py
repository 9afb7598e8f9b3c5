"""How a run ends: one event that says why, with what is there."""

from __future__ import annotations

from typing import Any

from harness.journal.events import RunFinished
from harness.journal.parts import Citation, StopReason
from harness.loop.record import Record

__all__ = ["Ended", "end"]


class Ended(Exception):
    """The run has come to an end, which is in the journal."""


async def end(
    record: Record,
    stop: StopReason,
    *,
    answer: str = "",
    value: Any = None,
    citations: tuple[Citation, ...] = (),
    problems: tuple[str, ...] = (),
) -> None:
    """Write the end of the run, with whatever was noted before.

    Raises:
        Ended: Always.
    """
    if stop != "failed":
        record.state.count_request()
    spent = record.state.spent
    record.note(
        RunFinished(
            stop=stop,
            answer=answer,
            value=value,
            citations=citations,
            problems=problems,
            usage=spent.usage,
            steps=spent.steps,
            seconds=round(spent.seconds, 3),
        )
    )
    await record.commit()
    raise Ended
