"""The kits `python` and `shell`: code that the model writes, run in the sandbox on copies.

A job gets a copy of the workspace's files; what it wrote is put back by the harness, which opens
every path itself. Nothing that a job says is followed further than that.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import WorkspaceError
from harness.seams import Workspace
from harness.seams_hands import Sandbox, SandboxJob, SandboxLimits, SandboxResult

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = [
    "MOST_GIVEN",
    "artifact",
    "in_thread",
    "put_back",
    "python_tools",
    "shell_tools",
    "taken",
    "told",
]

MOST_GIVEN = 256 << 20
"""Bytes of the workspace that a job gets; the largest files are left out first."""
MOST_NAMED = 40
SLACK = 15.0
"""Seconds that the loop waits longer than the sandbox: it ends jobs by itself."""

Told = tuple[str, dict[str, Any]]
T = TypeVar("T")


def python_tools(sandbox: Sandbox, workspace: Workspace) -> list[BaseTool]:
    """Return `python`."""

    async def python(code: str) -> Told:
        """Run a Python script on the files of the workspace, in a sandbox without a network.

        Use it for data work and figures. There are the standard library, pandas, numpy,
        openpyxl, matplotlib and scipy. The current folder holds the files; what the script
        writes there is kept, and figures that it draws become PNG files. Nothing else stays:
        each call starts anew, so put into one script what belongs together, or write a file.
        Print what you want to see; the value of a last expression is shown too.

        Args:
            code: The script.
        """
        return await _run(sandbox, workspace, "python", code)

    return [_tool(python, sandbox.limits)]


def shell_tools(sandbox: Sandbox, workspace: Workspace) -> list[BaseTool]:
    """Return `shell`."""

    async def shell(command: str) -> Told:
        """Run a shell command (bash) on the files of the workspace, in a sandbox without a network.

        The current folder holds the files; what the command writes there is kept, nothing else.

        Args:
            command: The command, or several lines of them.
        """
        return await _run(sandbox, workspace, "shell", command)

    return [_tool(shell, sandbox.limits)]


def _tool(function: Callable[..., Any], limits: SandboxLimits) -> BaseTool:
    from langchain_core.tools import StructuredTool

    return StructuredTool.from_function(
        coroutine=function,
        parse_docstring=True,
        response_format="content_and_artifact",
        metadata={"effect": "draft", "idempotent": False, "timeout": limits.seconds + SLACK},
    )


async def _run(sandbox: Sandbox, workspace: Workspace, kind: Any, code: str) -> Told:
    def work(stop: Callable[[], bool]) -> Told:
        files, left_out = taken(workspace)
        result = sandbox.run(SandboxJob(kind=kind, code=code, files=files), stop=stop)
        kept, notes = ([], []) if stop() else put_back(workspace, result)
        return told(result, sandbox.limits, kept, left_out + notes), artifact(result, kept)

    return await in_thread(work)


async def in_thread(work: Callable[[Callable[[], bool]], T]) -> T:
    """Run in a thread what can be told to stop, and tell it when nobody waits any more.

    Args:
        work: Gets what it has to ask now and then: whether to stop.
    """
    stopped = threading.Event()
    try:
        return await asyncio.to_thread(work, stopped.is_set)
    except asyncio.CancelledError:
        stopped.set()
        raise


def taken(workspace: Workspace) -> tuple[dict[str, bytes], list[str]]:
    """Return the workspace's files for a job, and what was left out, in words."""
    every = sorted(workspace.files(), key=lambda one: one.bytes)
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = MOST_GIVEN
    for one in every:
        if one.bytes > room:
            left_out.append(f"`{one.path}` was not there: the files are too much together.")
            continue
        try:
            files[one.path] = workspace.read(one.path)
        except WorkspaceError:
            continue  # gone or odd since it was listed
        room -= len(files[one.path])
    return files, left_out


def put_back(workspace: Workspace, result: SandboxResult) -> tuple[list[str], list[str]]:
    """Write what a job made into the workspace; return those paths, and what failed, in words."""
    kept: list[str] = []
    notes = [_one_line(one) for one in result.oddities]
    for path, content in sorted(result.files.items()):
        try:
            workspace.write(path, content)
        except WorkspaceError as error:
            notes.append(f"Not kept: {error}")
        else:
            kept.append(path)
    for path in result.removed:
        try:
            workspace.restore(path, None)
        except WorkspaceError as error:
            notes.append(f"Not removed: {error}")
    return kept, notes


def _one_line(text: str) -> str:
    return text.replace("\n", "\\n")[:300]


def told(result: SandboxResult, limits: SandboxLimits, kept: list[str], notes: list[str]) -> str:
    """Return what the model is told of a job.

    Args:
        result: What came of it.
        limits: What it was allowed.
        kept: The files that it wrote and that are in the workspace now.
        notes: What else there is to say.
    """
    parts = [result.printed.rstrip()]
    if result.errors.strip():
        parts.append(
            result.errors.rstrip() if not parts[0] else f"Errors:\n{result.errors.rstrip()}"
        )
    parts.append(_ended(result, limits))
    named = kept[:MOST_NAMED]
    if named:
        lines = [f"{path} ({len(result.files[path]):,} bytes)" for path in named]
        more = len(kept) - len(named)
        parts.append("Written: " + ", ".join(lines) + (f" and {more:,} more" if more else ""))
    if result.removed:
        parts.append("Removed: " + ", ".join(result.removed[:MOST_NAMED]))
    parts += notes[:MOST_NAMED]
    return "\n".join(part for part in parts if part) or "Done; it printed nothing."


def _ended(result: SandboxResult, limits: SandboxLimits) -> str:
    if result.end == "done":
        return ""
    ways = {
        "failed": f"It ended with status {result.code}.",
        "timeout": f"It was ended after {limits.seconds:g} seconds. Do less at once.",
        "memory": f"It was ended: more than {limits.memory / 2**20:,.0f} MB of memory. Read files"
        " in pieces, keep less.",
        "processes": f"It was ended: more than {limits.processes} processes.",
        "disk": "It was ended: it made too many files.",
        "output": "It was ended: it printed without end.",
        "killed": "It was ended before it was done; files that it wrote are lost.",
    }
    return ways[result.end]


def artifact(result: SandboxResult, kept: list[str]) -> dict[str, Any]:
    """Return what the journal keeps beside the text: how it ended, what it wrote."""
    return {
        "end": result.end,
        "code": result.code,
        "seconds": round(result.seconds, 3),
        "peak_bytes": result.peak,
        "files": [
            {
                "path": path,
                "bytes": len(result.files[path]),
                "sha256": hashlib.sha256(result.files[path]).hexdigest(),
                "type": mimetypes.guess_type(path)[0] or "application/octet-stream",
            }
            for path in kept
        ],
    }
