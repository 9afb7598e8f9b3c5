"""How a run was worked, as the `steps` of an example: words, calls with their code, results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.journal.events import MessageCompleted, Recorded, ToolFinished, ToolStarted

__all__ = ["steps_of"]

SHOWN = 300
"""Characters of a result that stay: an example shows how, the references have the rest."""
MOST_ARGUMENTS = 2_000
"""Characters of a call that stay: code as a rule is shorter, a whole letter belongs elsewhere."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
"""What no file of examples may hold; programs colour their output with it."""
_CONTROLS = ("plan", "ask", "finish", "delegate")


def steps_of(events: Iterable[Recorded]) -> tuple[str, ...]:
    """Return the steps of a run, one for each call of a tool that worked.

    A step is what the model said before the call, the call with its code or words, and the
    result. Calls that failed are left out: an example shows the way that led to the answer.

    Args:
        events: Of the run, in order.
    """
    said = ""
    begun: dict[str, tuple[str, ToolStarted]] = {}
    steps: list[str] = []
    for recorded in events:
        match recorded.event:
            case MessageCompleted(purpose="step") as message:
                said = message.text.strip()
            case ToolStarted() as started if started.tool not in _CONTROLS:
                begun[started.call] = (said, started)
                said = ""  # the first call of a message has its words
            case ToolFinished(error=False) as finished if finished.call in begun:
                before, started = begun.pop(finished.call)
                steps.append(_step(before, started, finished.text))
    return tuple(steps)


def _step(said: str, started: ToolStarted, result: str) -> str:
    shown = result.strip()
    if len(shown) > SHOWN:
        shown = f"{shown[:SHOWN].rsplit(maxsplit=1)[0]} …"
    given = _arguments(started.arguments)
    if len(given) > MOST_ARGUMENTS:
        given = f"{given[:MOST_ARGUMENTS]} …"
    lines = [said, f"{started.tool}:{given}", f"→ {shown}"]
    return _CONTROL.sub("", "\n".join(line for line in lines if line))


def _arguments(arguments: Mapping[str, Any]) -> str:
    """Return what a tool was called with: one text as it is, code below, anything else as JSON."""
    values = list(arguments.values())
    if len(values) != 1 or not isinstance(values[0], str):
        return f" {json.dumps(arguments, ensure_ascii=False, default=str)}"
    text = values[0].strip()
    return f"\n{text}" if "\n" in text else f" {text}"
