"""How a run ends: one event that says why, with what is there."""

from __future__ import annotations

from typing import Any

from harness.journal.events import ModelRequested, RunFinished
from harness.journal.parts import Citation, StopReason
from harness.loop.record import Record

__all__ = ["CUT_SHORT", "Ended", "cut_short", "end"]

CUT_SHORT = "A call to the model was cut short."
"""How the sentences begin that say so."""


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
    request = record.state.request
    if request is not None and stop != "failed":
        record.state.count_request()
        problems = (*problems, cut_short(request))
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


def cut_short(request: ModelRequested) -> str:
    """Return, in words, what a call counts whose end nobody saw."""
    return (
        f"{CUT_SHORT} What it came to is not known, so it counts as the most that it could have: "
        f"{request.reserved_input_tokens:,} tokens in, {request.reserved_output_tokens:,} out."
    )
