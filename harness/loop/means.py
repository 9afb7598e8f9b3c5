"""Means: what a run works with. None of it is in the journal; the events say what came of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.journal.events import RunFinished
from harness.journal.parts import ApprovalMode, Citation, Limits
from harness.loop.approvals import Rules

if TYPE_CHECKING:
    import anyio
    from langchain_core.tools import BaseTool

    from harness.seams import Counter, Model, Workspace

__all__ = ["UNKNOWN_RATIO", "Delegate", "Delegation", "Means"]

UNKNOWN_RATIO = 1.25
"""The tokens of a model to ours, as long as nothing was learnt of it: rather too many."""


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, kw_only=True)
class Delegation:
    """A piece of work that a run gives to a child run.

    Attributes:
        run: Id for the child; the same when a killed parent asks again.
        parent: Id of the run that asks.
        parent_seq: The parent's last event before.
        task: What to do.
        context: What the child needs to know beside it.
        limits: What it may use, granted out of what the parent has left.
        mode: The parent's approval mode.
        rules: The parent's rules, with what it was granted: a child may do no more.
        stop: Set when the parent is cancelled; a child that is handed it ends as cancelled.
    """

    run: str
    parent: str
    parent_seq: int
    task: str
    context: str
    limits: Limits
    mode: ApprovalMode
    rules: Rules
    stop: anyio.Event


Delegate = Callable[[Delegation], Awaitable[RunFinished]]
"""Works on a child run to its end; takes it up again where there is one of that id."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a run works with.

    Attributes:
        model: Answers.
        counter: Counts tokens of what the model is shown.
        tools: LangChain tools; `metadata` says effect, idempotent, timeout, preview, control.
        fallback: Takes over where `model` fails.
        schema: JSON Schema that the answer has to follow, for a run without tools.
        rules: Which calls are made, refused, asked about.
        workspace: The folder of files that the tools work in.
        tracks_changes: Whether changes of the workspace are journalled here; of a child that
            works in its parent's workspace, the parent does it.
        delegate: Works on child runs; without it, `delegate` is refused.
        find_quote: Looks up a quote in a source; None for a source that is not there.
        check: Returns what is wrong with an answer, in words; needs no expected answer.
        value: Returns an answer's typed value, as JSON.
        mask: Strikes secrets out of what a tool says.
        waits: Somebody will answer what is asked: wait for it. Else such a run ends, resumable,
            as `needs_input`.
        window: Most input tokens; the model's own by default.
        max_output_tokens: Most that one message may have, where a budget holds.
        token_ratio: The model's tokens to the counter's, as learnt before.
        clock: Seconds, monotonic.
        stop: Once set, the run is cancelled at the next boundary.
    """

    model: Model
    counter: Counter
    tools: Sequence[BaseTool] = ()
    fallback: Model | None = None
    schema: Mapping[str, Any] | None = None
    rules: Rules = field(default_factory=Rules)
    workspace: Workspace | None = None
    tracks_changes: bool = True
    delegate: Delegate | None = None
    find_quote: Callable[[str, str], Citation | None] | None = None
    check: Callable[[str], Sequence[str]] | None = None
    value: Callable[[str], Any] | None = None
    mask: Callable[[str], str] = _same
    waits: bool = False
    window: int | None = None
    max_output_tokens: int = 32_000
    token_ratio: float = UNKNOWN_RATIO
    clock: Callable[[], float] = time.monotonic
    stop: anyio.Event | None = None
