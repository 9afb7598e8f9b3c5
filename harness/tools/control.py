"""Control tools: plan, ask, finish, delegate. Their words are here; what they do, the loop does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["CONTROLS", "Control", "control_tools"]

Control = Literal["plan", "ask", "finish", "delegate"]


class Step(BaseModel):
    """One step of a plan."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, description="What is to be done, in a line.")]
    state: Annotated[
        Literal["pending", "doing", "done", "dropped"], Field(description="How far it has come.")
    ] = "pending"


def plan(steps: list[Step]) -> NoReturn:
    """Write down the plan, all of it, as it stands now; it replaces the one before.

    Use it for work of more than a few steps: at the start, and whenever a step is done or the
    plan changes. The plan stays in view however long the work gets.

    Args:
        steps: Every step in order, with how far it has come.
    """
    raise _done_by_the_loop(steps)


def ask(question: str, choices: list[str] | None = None) -> NoReturn:
    """Ask the user, and wait for the answer.

    Ask only what you can't find out yourself and what changes the result.

    Args:
        question: One question, clear without what came before.
        choices: Answers to choose from, where there are only a few.
    """
    raise _done_by_the_loop(question, choices)


def finish(answer: str) -> NoReturn:
    """Hand in the finished work and end the run.

    Quotes cited as `[document: "words from it"]` are checked: they have to stand in that
    document word for word. The checks of this domain run on the answer.

    Args:
        answer: The whole answer to the request, for the user; name the files you made.
    """
    raise _done_by_the_loop(answer)


def delegate(task: str, context: str = "", share: float = 0.25) -> NoReturn:
    """Give a piece of the work to an assistant that starts afresh and reports back.

    It sees only what you write here, works in the same workspace and may do no more than you.
    Good for reading much to report little, and for pieces that do not depend on each other.

    Args:
        task: What to do and what to report, complete in itself.
        context: What it needs to know beside the task.
        share: How much of what is left of the budget it may use, 0 to 1.
    """
    raise _done_by_the_loop(task, context, share)


def _done_by_the_loop(*given: object) -> RuntimeError:
    return RuntimeError(f"A control tool was run as a tool: {given!r}")


CONTROLS: Mapping[str, Callable[..., object]] = {
    "plan": plan,
    "ask": ask,
    "finish": finish,
    "delegate": delegate,
}


def control_tools(names: Iterable[Control]) -> list[BaseTool]:
    """Return control tools by name, for the loop to offer and to act upon."""
    from langchain_core.tools import StructuredTool

    return [
        StructuredTool.from_function(
            CONTROLS[name],
            parse_docstring=True,
            metadata={"effect": "read", "idempotent": True, "control": name},
        )
        for name in names
    ]
