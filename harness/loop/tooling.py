"""Tools as the loop knows them: what their metadata says, whether arguments fit, one call of one.

Whatever a tool does, a call ends: with its text, or with an error that the model can act on. A
tool that is not async runs in a thread of its own, which a timeout leaves behind: threads can't be
stopped, and a daemon's does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import HarnessError
from harness.journal.parts import Effect

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = [
    "CONTROLS",
    "Outcome",
    "ToolFacts",
    "argument_problem",
    "call_tool",
    "defaults_of",
    "described",
    "facts_of",
    "said_by",
    "text_of_content",
]

Control = Literal["", "plan", "ask", "finish", "delegate"]
CONTROLS: tuple[Control, ...] = ("plan", "ask", "finish", "delegate")
EFFECTS: tuple[Effect, ...] = ("read", "draft", "write", "external", "irreversible")
TIMEOUT = 120.0
MOST_ARTIFACT = 256 * 1024
"""Characters of an artifact's JSON that are kept."""
MOST_ERROR = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolFacts:
    """What a tool says of itself in its metadata.

    Attributes:
        timeout: Seconds that a call may take.
        control: What the loop itself does for it; empty for a tool proper.
    """

    name: str
    effect: Effect = "external"
    idempotent: bool = False
    timeout: float = TIMEOUT
    control: Control = ""
    preview: Callable[[dict[str, Any]], str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        text: What the tool says, all of it.
        artifact: What it hands on beside.
    """

    text: str
    artifact: Any = None
    outcome: Literal["done", "failed", "denied", "timeout", "invalid", "unknown"] = "done"
    seconds: float = 0.0

    @property
    def error(self) -> bool:
        """The text is an error."""
        return self.outcome != "done"


def facts_of(tool: BaseTool) -> ToolFacts:
    """Return what a tool's metadata says; what it does not say is taken for the worst."""
    told = tool.metadata or {}
    effect = told.get("effect")
    return ToolFacts(
        name=tool.name,
        effect=effect if effect in EFFECTS else "external",
        idempotent=told.get("idempotent") is True,
        timeout=float(told.get("timeout") or TIMEOUT),
        control=next((one for one in CONTROLS if one == told.get("control")), ""),
        preview=told.get("preview"),
    )


def argument_problem(tool: BaseTool, arguments: Mapping[str, Any]) -> str:
    """Return why a tool does not take these arguments, in words; empty where it does."""
    from pydantic import BaseModel, ValidationError

    schema = tool.args_schema
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return ""
    known = set(schema.model_fields) | {
        str(field.alias) for field in schema.model_fields.values() if field.alias
    }
    unknown = [name for name in arguments if name not in known]
    takes = f"`{tool.name}` takes: {', '.join(sorted(known)) or 'nothing'}."
    if unknown and schema.model_config.get("extra") != "allow":
        return f"`{tool.name}` has no argument `{unknown[0]}`. {takes}"
    try:
        schema.model_validate(dict(arguments))
    except ValidationError as error:
        return f"{in_words(error)} {takes}"
    return ""


def in_words(error: Any) -> str:
    """Return what pydantic found, an argument each."""
    return " ".join(
        f"`{'.'.join(map(str, one['loc'])) or 'arguments'}`: {one['msg']}."
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )


def defaults_of(tool: BaseTool) -> dict[str, Any]:
    """Return what stands for arguments that are left out, as JSON, for rules to look at."""
    from pydantic import BaseModel

    schema = tool.args_schema
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return {}
    found = {
        name: field.get_default(call_default_factory=False)
        for name, field in schema.model_fields.items()
        if not field.is_required() and field.default_factory is None
    }
    kept: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return kept


def described(tool: BaseTool) -> str:
    """Return a tool as a model is shown it."""
    from langchain_core.utils.function_calling import convert_to_openai_tool

    return json.dumps(convert_to_openai_tool(tool), default=str)


async def call_tool(tool: BaseTool, arguments: Mapping[str, Any], timeout: float) -> Outcome:
    """Call a tool; never raises, but for cancellation.

    Args:
        tool: The tool.
        arguments: What to call it with.
        timeout: Seconds.
    """
    request = {"type": "tool_call", "id": "call", "name": tool.name, "args": dict(arguments)}
    future: asyncio.Future[Any]
    if _is_async(tool):
        future = asyncio.ensure_future(tool.ainvoke(request))
    else:
        future = _in_thread(lambda: tool.invoke(request))
    try:
        await asyncio.wait([future], timeout=timeout)
    finally:
        if not future.done():
            # Not waited for: a tool may swallow its cancellation too.
            future.add_done_callback(_look_away)
            future.cancel()
    if not future.done() or future.cancelled():
        return Outcome(
            text=f"`{tool.name}` did not answer within {timeout:g} seconds, and was given up."
            " What it has done until then stands. Ask for less at once, or go another way.",
            outcome="timeout",
        )
    if (error := future.exception()) is not None:
        return Outcome(text=said_by(error), outcome="failed")
    return _outcome(future.result())


def _look_away(future: asyncio.Future[Any]) -> None:
    """Take the error of a call that nobody waits for, so that it is not reported as lost."""
    if not future.cancelled():
        future.exception()


def said_by(error: BaseException) -> str:
    """Return an error for the model: what went wrong, no traceback."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return in_words(error)
    if isinstance(error, HarnessError):
        return str(error)[:MOST_ERROR]
    words = str(error).strip()
    name = type(error).__name__
    return f"{name}: {words}"[:MOST_ERROR] if words else f"{name}."


def _is_async(tool: BaseTool) -> bool:
    from langchain_core.tools import BaseTool as Base
    from langchain_core.tools import StructuredTool, Tool

    if isinstance(tool, StructuredTool | Tool):
        return tool.coroutine is not None
    return type(tool)._arun is not Base._arun


def _in_thread(work: Callable[[], Any]) -> asyncio.Future[Any]:
    """Run in a thread that is left behind where nobody waits for it any more."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result: Any = None
        failed: BaseException | None = None
        try:
            result = context.run(work)
        except Exception as error:
            failed = error
        except BaseException as error:  # a tool that calls exit() ends itself, not us
            failed = RuntimeError(f"{type(error).__name__}: {error}")
        if isinstance(failed, StopIteration):
            failed = RuntimeError("StopIteration")
        try:
            loop.call_soon_threadsafe(settle, result, failed)
        except RuntimeError:
            return  # the loop is closed: nobody waits

    threading.Thread(target=run, daemon=True, name="tool").start()
    return future


def _outcome(message: Any) -> Outcome:
    from langchain_core.messages import ToolMessage

    if not isinstance(message, ToolMessage):
        return Outcome(text=text_of_content(message))
    failed = message.status == "error"
    return Outcome(
        text=text_of_content(message.content),
        artifact=_kept(message.artifact),
        outcome="failed" if failed else "done",
    )


def text_of_content(content: Any) -> str:
    """Return what a tool said as text; what is no text is named."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(map(_block_text, content))
    return str(content)


def _block_text(block: Any) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Mapping):
        if isinstance(block.get("text"), str):
            return str(block["text"])
        if block.get("type") in ("image", "image_url", "audio", "file"):
            return f"[{block['type']}, not shown]"
    return json.dumps(block, default=str, ensure_ascii=False)


def _kept(artifact: Any) -> Any:
    """Return an artifact as JSON can say it; of one that is too large, its size."""
    if artifact is None:
        return None
    try:
        text = json.dumps(artifact, default=str)
    except (TypeError, ValueError, RecursionError):
        return {"dropped": "it could not be written as JSON"}
    if len(text) > MOST_ARTIFACT:
        return {"dropped": f"{len(text):,} characters"}
    return json.loads(text)
