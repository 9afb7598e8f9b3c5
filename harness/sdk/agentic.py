"""An eval case as long work: through the loop, with tools, in a workspace of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.context import Guard
from harness.errors import ModelError
from harness.evals.graders.work import ToolUse, Work
from harness.journal.events import RunFinished, ToolRequested
from harness.sdk.equipment import reader_of
from harness.sdk.open_runs import OpenRuns
from harness.sdk.runs import eval_run_id
from harness.sdk.worker import Host, Worker

if TYPE_CHECKING:
    from harness.sdk.eval_wishes import EvalWishes, Parts
    from harness.sdk.hands import Hands
    from harness.sdk.journal_door import JournalDoor
    from harness.values import EvalCase

__all__ = ["run_case"]


async def run_case(
    door: JournalDoor, hands: Hands, parts: Parts, case: EvalCase, wishes: EvalWishes
) -> Work:
    """Work on a case, unattended: what would ask somebody is refused, and the model told.

    The guard holds for what is packed and for what the tools find. The run stays in the journal,
    under a name that keeps it out of the list of runs.

    Args:
        door: Opens the journal.
        hands: What the tools work with.
        parts: What the eval is joined from; the run keeps to that version of the domain.
        case: Its input is the request.
        wishes: Of the eval.

    Raises:
        ModelError: The model could not be reached.
    """
    current, folder = parts.current, parts.current.domain.path
    pack: dict[str, Any] = {"guard": Guard(case) if wishes.guard else None, "ratio": parts.ratio}
    if wishes.policy:
        pack["policy"] = wishes.policy
    if wishes.sections:
        pack["sections"] = wishes.sections
    runs = OpenRuns(
        door, Worker(Host(current=lambda: current, models=parts.models, hands=hands), door)
    )
    run = runs.begin(
        case.input,
        files=[folder / name for name in case.files],
        approve="never",
        name=eval_run_id(),
        pack=pack,
    )
    tools: list[ToolUse] = []
    ended: RunFinished | None = None
    async for event in run:
        if isinstance(event, ToolRequested):
            tools.append(ToolUse(name=event.tool, arguments=event.arguments, step=event.step))
        elif isinstance(event, RunFinished):
            ended = event
    result = await run.aresult()
    if ended is not None and ended.stop == "failed":
        why = "; ".join(ended.problems) or "The run failed."
        raise ModelError(why, f"See `harness runs show {run.id}`.", model="")
    return Work(
        text=result.text,
        abstained=reader_of(current.domain, None)(result.text).abstained,
        tools=tuple(tools),
        steps=result.steps,
        usage=result.usage,
        seconds=result.seconds,
        warnings=result.problems,
        run=run.id,
    )
