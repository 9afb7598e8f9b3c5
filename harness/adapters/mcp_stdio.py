"""An MCP server that is a program of this machine: every line that it says is bounded.

The protocol package's own transport reads a line however long it is, logs each one that makes no
sense, and lets the program write on the terminal. This one gives up on a server that does that,
and keeps its last words for the message.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ServerFailed

if TYPE_CHECKING:
    from anyio.abc import Process

__all__ = ["MOST_BYTES", "program_of", "stdio_streams"]

MOST_LINE = 8 << 20
MOST_BYTES = 64 << 20
"""Bytes that a server may say between two questions."""
MOST_NONSENSE = 50
"""Lines that are no message; some servers log to the wrong stream."""
LAST_WORDS = 2_000
PATIENCE = 2.0
"""Seconds that a server has to end by itself when its input is closed."""


def program_of(command: str, folder: Path) -> str:
    """Return the path of a server's program.

    Args:
        command: As written; a path is taken from the folder.
        folder: The domain's `tools/`.

    Raises:
        ServerFailed: There is none.
    """
    if os.sep in command or "/" in command:
        path = folder / command
        if path.is_file():
            return str(path)
    else:
        beside = str(Path(sys.executable).parent)
        found = shutil.which(command) or shutil.which(command, path=beside)
        if found:
            return found
    raise ServerFailed(
        f"There is no program `{command}` on this machine.",
        "Install it, or write its whole path in tools/mcp.json.",
    )


class Talk:
    """What a server has said since it was last asked, and why it was given up."""

    def __init__(self) -> None:
        self.bytes = 0
        self.nonsense = 0
        self.why = ""
        self.over = False
        self.words = bytearray()
        self.program: Process | None = None

    def said(self, piece: bytes) -> None:
        """Count a piece.

        Raises:
            ServerFailed: It is too much.
        """
        self.bytes += len(piece)
        if self.bytes > MOST_BYTES:
            raise ServerFailed(f"It said more than {MOST_BYTES >> 20} MB at once.")

    def kill(self) -> None:
        """End the program, where it still runs."""
        if self.program is not None and self.program.returncode is None:
            _kill(self.program)

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error."""
        text = self.words[-LAST_WORDS:].decode("utf-8", "replace").strip()
        return "\n".join(text.splitlines()[-5:])


@contextlib.asynccontextmanager
async def stdio_streams(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, talk: Talk
) -> AsyncIterator[tuple[Any, Any]]:
    """Start a server; yield the streams that a session reads from and writes to.

    Args:
        words: Program and arguments.
        environment: All of its variables.
        folder: Where it starts.
        talk: Keeps what it said, and why it was given up.

    Raises:
        OSError: It can't be started.
    """
    import anyio

    process = await anyio.open_process(
        list(words), env=dict(environment), cwd=folder, start_new_session=os.name == "posix"
    )
    talk.program = process
    heard, read = anyio.create_memory_object_stream[Any](0)
    write, asked = anyio.create_memory_object_stream[Any](0)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_listen, process, heard, talk)
            group.start_soon(_speak, process, asked)
            group.start_soon(_overhear, process, talk)
            try:
                yield read, write
            finally:
                with anyio.CancelScope(shield=True):
                    await _stop(process)
                group.cancel_scope.cancel()
    finally:
        _kill(process)
        for stream in (heard, read, write, asked):
            stream.close()


async def _listen(process: Process, heard: Any, talk: Talk) -> None:
    """Hand on each line that is a message; stop listening where it makes no sense."""
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp.types import JSONRPCMessage
    from pydantic import ValidationError

    assert process.stdout is not None  # noqa: S101 - it is a pipe
    buffer = bytearray()
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async with heard:
            try:
                async for piece in process.stdout:
                    talk.said(piece)
                    buffer += piece
                    if len(buffer) > MOST_LINE and b"\n" not in piece:
                        raise ServerFailed(f"It said a line of more than {MOST_LINE >> 20} MB.")
                    *lines, rest = bytes(buffer).split(b"\n")
                    buffer = bytearray(rest)
                    for line in filter(bytes.strip, lines):
                        try:
                            message = JSONRPCMessage.model_validate_json(line)
                        except ValidationError:
                            _nonsense(line, talk)
                            continue
                        await heard.send(SessionMessage(message))
            except ServerFailed as error:
                talk.why = error.message
            finally:
                talk.over = True


def _nonsense(line: bytes, talk: Talk) -> None:
    talk.nonsense += 1
    if talk.nonsense > MOST_NONSENSE or line.lstrip()[:1] in (b"{", b"["):
        shown = line[:200].decode("utf-8", "replace")
        raise ServerFailed(f"It says what is no message of the protocol: {shown!r}.")


async def _speak(process: Process, asked: Any) -> None:
    import anyio

    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        async for message in asked:
            text = message.message.model_dump_json(by_alias=True, exclude_none=True)
            await process.stdin.send(f"{text}\n".encode())


async def _overhear(process: Process, talk: Talk) -> None:
    import anyio

    assert process.stderr is not None  # noqa: S101 - it is a pipe
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async for piece in process.stderr:
            talk.words += piece
            del talk.words[: -2 * LAST_WORDS]


async def _stop(process: Process) -> None:
    """Close its input, wait a little, end it."""
    import anyio

    if process.stdin is not None:
        with contextlib.suppress(OSError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            await process.stdin.aclose()
    with anyio.move_on_after(PATIENCE):
        await process.wait()
    _kill(process)
    with anyio.move_on_after(PATIENCE), contextlib.suppress(OSError, anyio.BrokenResourceError):
        await process.aclose()


def _kill(process: Process) -> None:
    """End it with all that it started; what has ended already is left alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
