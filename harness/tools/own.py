"""Functions in a domain's `tools/*.py` as tools: in the sandbox, unless granted the host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.domain.own_tools import OwnFunction, OwnTools
from harness.errors import ToolError
from harness.seams import Workspace
from harness.seams_hands import Sandbox, SandboxJob, SandboxResult
from harness.tools.python_shell import artifact, in_thread, put_back, taken, told

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool
    from pydantic import BaseModel

__all__ = ["MOST_RESULT", "arguments_of", "own_function_tools", "refuse_shadows"]

MOST_RESULT = 60_000
"""Characters of a result that the model is shown."""
SLACK = 15.0

Told = tuple[str, dict[str, Any]]


def own_function_tools(
    own: OwnTools, *, sandbox: Sandbox, host: Mapping[str, Sandbox], workspace: Workspace | None
) -> list[BaseTool]:
    """Return a tool for each function.

    Args:
        own: What the domain's folder holds.
        sandbox: Runs them.
        host: What runs those that were granted the host instead, by their names.
        workspace: Whose files the functions in the sandbox find in their folder.
    """
    return [
        _host_tool(own, one, host[one.name])
        if one.name in host
        else _sandbox_tool(own, one, sandbox, workspace)
        for one in own.functions
    ]


def _sandbox_tool(
    own: OwnTools, function: OwnFunction, sandbox: Sandbox, workspace: Workspace | None
) -> BaseTool:
    async def call(**arguments: Any) -> Told:
        def work(stop: Callable[[], bool]) -> Told:
            files, notes = taken(workspace) if workspace else ({}, [])
            result = sandbox.run(_job(own, function, arguments, files), stop=stop)
            kept: list[str] = []
            if workspace and function.effect != "read" and not stop():
                kept, more = put_back(workspace, result)
                notes = notes + more
            return _said(result, sandbox, kept, notes), artifact(result, kept)

        return await in_thread(work)

    # In the sandbox it can reach nothing but the workspace: `draft`, unless it says less.
    return _tool(function, call, function.effect or "draft", sandbox.limits.seconds)


def _host_tool(own: OwnTools, function: OwnFunction, host: Sandbox) -> BaseTool:
    async def call(**arguments: Any) -> Told:
        def work(stop: Callable[[], bool]) -> Told:
            result = host.run(_job(own, function, arguments, {}), stop=stop)
            return _said(result, host, [], []), artifact(result, [])

        return await in_thread(work)

    return _tool(function, call, function.effect or "external", host.limits.seconds)


def _tool(function: OwnFunction, call: Callable[..., Any], effect: str, seconds: float) -> BaseTool:
    from langchain_core.tools import StructuredTool

    return StructuredTool(
        name=function.name,
        description=function.about,
        args_schema=arguments_of(function),
        coroutine=call,
        response_format="content_and_artifact",
        metadata={
            "effect": effect,
            "idempotent": effect == "read",
            "timeout": seconds + SLACK,
            "from": function.file,
        },
    )


def arguments_of(function: OwnFunction) -> type[BaseModel]:
    """Return what a function takes, as a model to check arguments with."""
    from pydantic import ConfigDict, Field, create_model

    fields: dict[str, Any] = {
        one.name: (
            one.type,
            Field(description=one.about or None)
            if one.required
            else Field(default=one.default, description=one.about or None),
        )
        for one in function.parameters
    }
    return create_model(function.name, __config__=ConfigDict(extra="forbid"), **fields)


def _job(
    own: OwnTools, function: OwnFunction, arguments: Mapping[str, Any], files: dict[str, bytes]
) -> SandboxJob:
    from pydantic import TypeAdapter

    computed = {one.name for one in function.parameters if one.computed}
    given = {
        name: value
        for name, value in arguments.items()
        if value is not None or name not in computed
    }
    return SandboxJob(
        kind="call",
        code=own.modules[function.file.partition("/")[2]],
        files=files,
        modules=own.modules,
        file=function.file,
        function=function.name,
        arguments=TypeAdapter(dict[str, Any]).dump_python(given, mode="json"),
    )


def _said(result: SandboxResult, runner: Sandbox, kept: list[str], notes: list[str]) -> str:
    """Return what the model is told: the value, and what was printed or written beside it.

    Raises:
        ToolError: The function failed, or was ended.
    """
    beside = told(result, runner.limits, kept, notes)
    if result.end != "done":
        raise ToolError(beside)
    value = result.value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    if len(text) > MOST_RESULT:
        text = f"{text[:MOST_RESULT]}\n[… {len(text) - MOST_RESULT:,} characters left out]"
    extra = beside if result.printed or kept or notes else ""
    return "\n".join(part for part in (text, extra) if part)


def refuse_shadows(tools: Iterable[BaseTool], taken_names: Iterable[str]) -> None:
    """Make sure that no tool has the name of another one, however it is spelt.

    Raises:
        ToolError: One has.
    """
    seen = {name.casefold() for name in taken_names}
    for tool in tools:
        if tool.name.casefold() in seen:
            raise ToolError(
                f"The tool `{tool.name}` has the name of another tool.", "Rename one of them."
            )
        seen.add(tool.name.casefold())
