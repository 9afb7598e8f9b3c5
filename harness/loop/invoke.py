"""One call of a tool: whatever it does, the call ends, with its text or with an error.

A tool that is not async runs in a thread of its own, which a timeout leaves behind: threads can't
be stopped, and a daemon's does not keep the process from ending. A plain function is called as it
is, without LangChain's callbacks, which take longer than the commit; nothing of a call is sent to
a tracing service, whatever the environment says.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.loop.pictures import pictures_in, pictures_shown
from harness.loop.tooling import Outcome, said_by

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["Callee", "text_of_content"]

MOST_ARTIFACT = 256 * 1024
"""Characters of an artifact's JSON that are kept."""


class Callee:
    """A tool, ready to be called.

    Args:
        tool: The tool.
    """

    def __init__(self, tool: BaseTool) -> None:
        self._tool = tool
        self._function = _plain_function(tool)
        self._is_async = _is_async(tool)

    async def call(self, arguments: Mapping[str, Any], timeout: float) -> Outcome:
        """Call it; never raises, but for cancellation.

        Args:
            arguments: What to call it with.
            timeout: Seconds.
        """
        try:
            future = self._begin(arguments)
        except Exception as error:
            return Outcome(text=said_by(error), outcome="failed")
        try:
            await asyncio.wait([future], timeout=timeout)
        finally:
            if not future.done():
                # Not waited for: a tool may swallow its cancellation too.
                future.add_done_callback(_look_away)
                future.cancel()
        if not future.done() or future.cancelled():
            return Outcome(
                text=f"`{self._tool.name}` did not answer within {timeout:g} seconds, and was given"
                " up. What it has done until then stands. Ask for less at once, or go another way.",
                outcome="timeout",
            )
        try:
            return self._outcome(future.result())
        except Exception as error:
            return Outcome(text=said_by(error), outcome="failed")

    def _begin(self, arguments: Mapping[str, Any]) -> asyncio.Future[Any]:
        if self._function is None:
            name = self._tool.name
            request = {"type": "tool_call", "id": "call", "name": name, "args": dict(arguments)}
            if self._is_async:
                return asyncio.ensure_future(_untraced(self._tool, request))
            return _in_thread(partial(_untraced_here, self._tool, request))
        given = partial(self._function, **_values(self._tool, arguments))
        return asyncio.ensure_future(given()) if self._is_async else _in_thread(given)

    def _outcome(self, result: Any) -> Outcome:
        """Return a result as LangChain reads it: content, or content and artifact."""
        from langchain_core.messages import ToolMessage

        if isinstance(result, ToolMessage):
            failed = result.status == "error"
            return Outcome(
                text=text_of_content(result.content),
                artifact=_kept(result.artifact),
                outcome="failed" if failed else "done",
                pictures=pictures_in(result.content),
            )
        if self._function is not None and self._tool.response_format == "content_and_artifact":
            content, artifact = result
            return Outcome(
                text=text_of_content(content),
                artifact=_kept(artifact),
                pictures=pictures_in(content),
            )
        return Outcome(text=text_of_content(result), pictures=pictures_in(result))


def _plain_function(tool: BaseTool) -> Callable[..., Any] | None:
    """Return a tool's function if nothing stands between it and the arguments, else None."""
    from langchain_core.tools import StructuredTool
    from pydantic import BaseModel

    if type(tool) is not StructuredTool or tool.handle_tool_error or tool.callbacks:
        return None
    function = tool.coroutine or tool.func
    schema = tool.args_schema
    if function is None or not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return None
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    return function if parameters.keys() == schema.model_fields.keys() else None


def _values(tool: BaseTool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as their types say, with defaults."""
    schema: Any = tool.args_schema
    checked = schema.model_validate(dict(arguments))
    return {name: getattr(checked, name) for name in schema.model_fields}


async def _untraced(tool: BaseTool, request: dict[str, Any]) -> Any:
    from langsmith import tracing_context

    with tracing_context(enabled=False):
        return await tool.ainvoke(request)


def _untraced_here(tool: BaseTool, request: dict[str, Any]) -> Any:
    from langsmith import tracing_context

    with tracing_context(enabled=False):
        return tool.invoke(request)


def _is_async(tool: BaseTool) -> bool:
    from langchain_core.tools import BaseTool as Base
    from langchain_core.tools import StructuredTool, Tool

    if isinstance(tool, StructuredTool | Tool):
        return tool.coroutine is not None
    return type(tool)._arun is not Base._arun


def _look_away(future: asyncio.Future[Any]) -> None:
    """Take the error of a call that nobody waits for, so that it is not reported as lost."""
    if not future.cancelled():
        future.exception()


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


def text_of_content(content: Any) -> str:
    """Return what a tool said as text; what is no text is named."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and any(map(_is_block, content)):
        shown = pictures_shown(content)
        return "\n".join(_block_text(one, at in shown) for at, one in enumerate(content))
    try:
        return json.dumps(content, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(content)


def _is_block(part: Any) -> bool:
    return isinstance(part, Mapping) and "type" in part


def _block_text(block: Any, shown: bool) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Mapping):
        if isinstance(block.get("text"), str):
            return str(block["text"])
        if block.get("type") in ("image", "image_url", "audio", "file"):
            return "[picture, below]" if shown else f"[{block['type']}, not shown]"
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
