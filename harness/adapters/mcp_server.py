"""MCP servers through LangChain's adapter: started when first asked, anew when they have died.

The connection lives in a task of its own on the event loop that first asked; a question waits for
the answer, for the end of the connection or for its time, whichever comes first. What comes back
is turned into LangChain's content by `langchain-mcp-adapters`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.adapters.mcp_stdio import Talk, program_of, stdio_streams
from harness.adapters.sandbox_host import plain_environment
from harness.domain.own_servers import OwnServer
from harness.errors import HarnessError, ServerFailed, ToolError
from harness.seams_hands import ServedContent, ServedTool

if TYPE_CHECKING:
    import httpx
    from mcp import ClientSession
    from mcp.types import Tool

__all__ = ["McpServer"]

START = 30.0
"""Seconds that a server has to start and to say what it offers."""
ELSEWHERE = 3.0
"""Seconds that another event loop has to end a session of its own; then its program is killed."""
MOST_LISTED = 10_000
T = TypeVar("T")


class McpServer:
    """See `ToolServer`.

    Args:
        server: As `tools/mcp.json` names it.
        folder: The domain's `tools/`, where a program starts.
        before_start: Called before each start; raises where it may not be started.
        start_timeout: Seconds that it has to start.
    """

    def __init__(
        self,
        server: OwnServer,
        folder: Path,
        *,
        before_start: Callable[[], None] = lambda: None,
        start_timeout: float = START,
    ) -> None:
        self._server = server
        self._before_start = before_start
        self._folder = folder
        self._start_timeout = start_timeout
        self._connection: _Connection | None = None

    async def tools(self) -> Sequence[ServedTool]:
        """Return what it offers. See `ToolServer`."""
        connection = await self._connected()
        return [_served(one) for one in connection.tools.values()]

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        expect: Callable[[ServedTool], bool] = lambda _: True,
    ) -> tuple[ServedContent, Any]:
        """Call a tool. See `ToolServer`."""
        connection = await self._connected()
        offered = connection.tools.get(tool)
        if offered is None or not expect(_served(offered)):
            what = "no longer offers" if offered is None else "now describes differently"
            raise ServerFailed(
                f"The MCP server `{self._server.name}` {what} the tool `{tool}`, so it is not"
                " called.",
                "The user has to look at it again: `harness trust`.",
            )
        return await connection.ask(
            lambda session: _through_adapter(session, offered, arguments),
            self._server.timeout,
            f"`{tool}`",
        )

    async def aclose(self) -> None:
        """Stop it. See `ToolServer`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def _connected(self) -> _Connection:
        connection = self._connection
        if connection is not None and connection.usable():
            return connection
        if connection is not None:
            await connection.aclose()
        self._before_start()
        self._connection = _Connection(self._server, self._folder)
        try:
            await self._connection.begin(self._start_timeout)
        except BaseException:
            broken, self._connection = self._connection, None
            if broken is not None:
                await broken.aclose()
            raise
        return self._connection


class _Connection:
    """One session with a server, kept open by a task."""

    def __init__(self, server: OwnServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._session: asyncio.Future[ClientSession] = self._loop.create_future()
        self._closing = asyncio.Event()
        self._talk = Talk()
        self.tools: dict[str, Tool] = {}
        self._task = asyncio.ensure_future(self._keep())

    def usable(self) -> bool:
        """Whether it is open, and on the event loop that asks."""
        here = self._loop is asyncio.get_running_loop()
        return here and not self._task.done() and not self._talk.over

    async def begin(self, seconds: float) -> None:
        """Wait until the server has said what it offers."""
        for one in await self.ask(_all_tools, seconds, "its list of tools"):
            self.tools[one.name] = one

    async def ask(
        self, question: Callable[[ClientSession], Awaitable[T]], seconds: float, what: str
    ) -> T:
        """Put a question to the session.

        Args:
            question: What to do with the session.
            seconds: How long to wait.
            what: Is asked for, in words.

        Raises:
            ServerFailed: No answer, and why.
        """
        self._talk.bytes = 0

        async def put() -> T:
            return await question(await asyncio.shield(self._session))

        asked = asyncio.ensure_future(put())
        try:
            await asyncio.wait(
                [asked, self._task], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not asked.done() and self._task.done():
                await asyncio.wait([asked], timeout=0.2)  # its own error says more
            if asked.done() and (self._talk.why == "" or asked.exception() is None):
                return asked.result()
            raise self._failed(what, None if self._task.done() or self._talk.why else seconds)
        except (HarnessError, asyncio.CancelledError):
            raise
        except Exception as error:
            self._talk.over = True
            await asyncio.sleep(0.05)  # its last words may be on their way
            raise self._failed(what, None, error) from error
        finally:
            asked.cancel()
            with contextlib.suppress(BaseException):
                await asyncio.wait([asked], timeout=1)
                asked.exception()

    def _failed(
        self, what: str, seconds: float | None, error: BaseException | None = None
    ) -> ServerFailed:
        if error is None and self._task.done() and not self._task.cancelled():
            error = self._task.exception()
        if isinstance(error, HarnessError) and not self._talk.why:
            return ServerFailed(f"MCP server `{self._server.name}`: {error.message}", error.mend)
        why = self._talk.why or (
            f"It did not give {what} within {seconds:g} seconds." if seconds else _reason(error)
        )
        words = self._talk.last_words()
        return ServerFailed(
            f"The MCP server `{self._server.name}` failed. {why}"
            + (f" Its last words: {words}" if words else ""),
            "" if seconds else "It is started anew at the next call.",
        )

    async def aclose(self) -> None:
        """End the session and its program, on the event loop that it is on."""
        if self._loop is asyncio.get_running_loop():
            await self._end()
            return
        if self._loop.is_running():  # in another thread, or waiting for this very call
            ended = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            await asyncio.wait([asyncio.wrap_future(ended)], timeout=ELSEWHERE)
        self._talk.kill()

    async def _end(self) -> None:
        self._closing.set()
        if not self._session.done():  # it never came to speak: nothing to end politely
            self._task.cancel()
        done, _ = await asyncio.wait([self._task], timeout=6)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2)
        if self._task.done() and not self._task.cancelled():
            self._task.exception()

    async def _keep(self) -> None:
        from mcp import ClientSession

        logging.getLogger("mcp").setLevel(logging.CRITICAL)  # what a server says is not our log
        try:
            async with (
                self._streams() as (read, write),
                ClientSession(read, write, message_handler=_unheard) as session,
            ):
                await session.initialize()
                self._session.set_result(session)
                await self._closing.wait()
        except BaseException as error:
            if not self._session.done():
                self._session.set_exception(_first(error))
                self._session.exception()  # who asks will see it
            raise

    @contextlib.asynccontextmanager
    async def _streams(self) -> AsyncIterator[tuple[Any, Any]]:
        server = self._server
        if server.command:
            words = [program_of(server.command, self._folder), *server.args]
            variables = plain_environment(_with_secrets(server.env))
            folder = self._folder / server.cwd
            async with stdio_streams(words, variables, folder, self._talk) as streams:
                yield streams
            return
        from mcp.client.streamable_http import streamable_http_client

        async with (
            _client(server, self._talk) as client,
            streamable_http_client(server.url, http_client=client) as (read, write, _),
        ):
            yield read, write


async def _unheard(message: Any) -> None:
    """Take what a server says unasked, and do nothing about it."""


def _first(error: BaseException) -> BaseException:
    """Return what is inside groups of errors."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


def _reason(error: BaseException | None) -> str:
    if error is None:
        return "It ended."
    inner = _first(error)
    text = str(inner).strip() or type(inner).__name__
    if isinstance(inner, asyncio.CancelledError) or "Connection closed" in text:
        return "It ended before it answered."
    return f"{text[:500]}."


def _client(server: OwnServer, talk: Talk) -> httpx.AsyncClient:
    """Return a client for a server's address that takes only so much at once."""
    import httpx

    class Bounded(httpx.AsyncByteStream):
        """A response's bytes, counted."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in self._stream:
                try:
                    talk.said(piece)
                except ServerFailed as error:
                    talk.why = error.message
                    raise httpx.ReadError(error.message) from error
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    class Transport(httpx.AsyncHTTPTransport):
        """Counts what comes."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            response.stream = Bounded(response.stream)
            return response

    return httpx.AsyncClient(
        transport=Transport(),
        headers=_with_secrets(server.headers),
        timeout=httpx.Timeout(START, read=max(server.timeout, START)),
        follow_redirects=False,
    )


def _with_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """Return values with `secret:NAME` filled in from the environment.

    Raises:
        ServerFailed: The variable is not set.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        if value.startswith("secret:"):
            variable = value.removeprefix("secret:").strip()
            if variable not in os.environ:
                raise ServerFailed(
                    f"`{name}` is to be the environment variable {variable}, which is not set.",
                    f"export {variable}=…",
                )
            value = os.environ[variable]  # noqa: PLW2901 - the same, filled in
        found[name] = value
    return found


def _served(tool: Tool) -> ServedTool:
    return ServedTool(
        name=tool.name, description=tool.description or "", schema=tool.inputSchema or {}
    )


async def _all_tools(session: ClientSession) -> list[Tool]:
    found: list[Tool] = []
    cursor: str | None = None
    while True:
        page = await session.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.nextCursor
        if not cursor or not page.tools or len(found) > MOST_LISTED:
            return found


async def _through_adapter(
    session: ClientSession, tool: Tool, arguments: Mapping[str, Any]
) -> tuple[ServedContent, Any]:
    """Call a tool by LangChain's adapter; return its content, and what it gave beside.

    Raises:
        ToolError: The tool says that it failed.
    """
    from langchain_mcp_adapters.tools import convert_mcp_tool_to_langchain_tool
    from langsmith import tracing_context

    adapted = convert_mcp_tool_to_langchain_tool(session, tool, tool_interceptors=[_sounds_named])
    request = {"type": "tool_call", "id": "call", "name": tool.name, "args": dict(arguments)}
    with tracing_context(enabled=False):
        message = await adapted.ainvoke(request)
    content = message.content if isinstance(message.content, list) else [message.content]
    blocks = [{"type": "text", "text": one} if isinstance(one, str) else one for one in content]
    text = "\n".join(str(one.get("text") or f"[{one.get('type')}, not shown]") for one in blocks)
    if message.status == "error":
        raise ToolError(text[:4_000] or "The tool failed and did not say why.")
    plain = all(one.get("type") == "text" for one in blocks)
    return text if plain else blocks, message.artifact


async def _sounds_named(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """Put words in place of sound, which the adapter refuses together with all that is beside."""
    from mcp.types import AudioContent, CallToolResult, TextContent

    result = await handler(request)
    if isinstance(result, CallToolResult):
        result.content = [
            TextContent(type="text", text=f"[sound ({one.mimeType[:80]}), not played]")
            if isinstance(one, AudioContent)
            else one
            for one in result.content
        ]
    return result
