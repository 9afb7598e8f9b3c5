"""Tools of MCP servers as they were when the user trusted them: made from pins, nothing started.

A server is started when one of its tools is first called. What it then says of that tool has to
be what was pinned, word for word, or the call is refused: a description is an instruction to the
model, and one that changes after it was looked at has not been looked at.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.domain.own_servers import EFFECTS, Effect, OwnServer
from harness.errors import ServerFailed, ToolError
from harness.seams_hands import ServedContent, ServedTool, ToolServer
from harness.tools.server_results import fit

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["MOST_TOOLS", "Pin", "digest_of", "pin_tools", "served_tools"]

MOST_TOOLS = 128
"""Tools of one server: every one of them is described to the model in every step."""
MOST_DESCRIPTION = 8_000
MOST_SCHEMA = 32_000
MOST_NAME = 64
SLACK = 5.0


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A tool as it was when the user trusted it.

    Attributes:
        server: Name of its server.
        tool: Its name there.
        digest: Hash over its name, description and schema.
    """

    server: str
    tool: str
    description: str
    schema: Mapping[str, Any]
    effect: Effect
    digest: str

    @property
    def name(self) -> str:
        """As the model calls it; two underscores keep it apart from every built-in tool."""
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", f"{self.server}__{self.tool}")
        if len(plain) <= MOST_NAME:
            return plain
        return f"{plain[: MOST_NAME - 9]}_{hashlib.sha256(plain.encode()).hexdigest()[:8]}"

    def to_json(self) -> dict[str, Any]:
        """Return it as the record of trust keeps it."""
        return {
            "server": self.server,
            "tool": self.tool,
            "description": self.description,
            "schema": dict(self.schema),
            "effect": self.effect,
            "digest": self.digest,
        }

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Pin:
        """Return a pin from the record of trust."""
        return cls(**{name: said[name] for name in cls.__dataclass_fields__})


def digest_of(tool: ServedTool) -> str:
    """Return the hash of all that a model is told of a tool."""
    text = json.dumps([tool.name, tool.description, tool.schema], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def pin_tools(server: OwnServer, offered: Sequence[ServedTool]) -> list[Pin]:
    """Return pins of the tools that are wanted of a server.

    Raises:
        ServerFailed: It offers too many, or one that can't be taken, or lacks one that is wanted.
    """
    known = {one.name: one for one in offered}
    missing = [name for name in server.tools if name not in known]
    if missing:
        some = ", ".join(sorted(known)[:20]) or "none"
        raise ServerFailed(
            f"The MCP server `{server.name}` has no tool `{missing[0]}`.", f"It has: {some}."
        )
    wanted = [known[name] for name in server.tools] or list(offered)
    if len(wanted) > MOST_TOOLS:
        raise ServerFailed(
            f"The MCP server `{server.name}` offers {len(wanted):,} tools; a model can be shown"
            f" {MOST_TOOLS}.",
            'Name those that you want in mcp.json: "tools": ["…"].',
        )
    found = [_pin(server, one) for one in wanted]
    if len({one.name.casefold() for one in found}) != len(found):
        raise ServerFailed(
            f"Two tools of the MCP server `{server.name}` have names that look alike.",
            'Name those that you want in mcp.json: "tools": ["…"].',
        )
    return found


def _pin(server: OwnServer, tool: ServedTool) -> Pin:
    if len(tool.description) > MOST_DESCRIPTION or len(json.dumps(tool.schema)) > MOST_SCHEMA:
        raise ServerFailed(
            f"The MCP server `{server.name}` describes `{tool.name[:80]}` at too great a length.",
            'Leave it out: name the tools that you want in mcp.json, "tools": ["…"].',
        )
    hidden = [one for one in tool.description if unicodedata.category(one) in ("Cf", "Co", "Cn")]
    if hidden:
        raise ServerFailed(
            f"The MCP server `{server.name}` describes `{tool.name[:80]}` with characters that"
            " can't be seen.",
            "That is how instructions are hidden. Ask who made it.",
        )
    return Pin(
        server=server.name,
        tool=tool.name,
        description=tool.description,
        schema=tool.schema,
        effect=server.effects.get(tool.name, server.effect),
        digest=digest_of(tool),
    )


def served_tools(
    pins: Sequence[Pin], servers: Mapping[str, ToolServer], timeouts: Mapping[str, float]
) -> list[BaseTool]:
    """Return a tool for each pin.

    Args:
        pins: Of the servers that the domain names today.
        servers: By name; one is started when it is first needed.
        timeouts: Seconds that a call may take, by server.
    """
    return [_tool(one, servers[one.server], timeouts[one.server]) for one in pins]


def _tool(pin: Pin, server: ToolServer, timeout: float) -> BaseTool:
    from langchain_core.tools import StructuredTool

    async def call(**arguments: Any) -> tuple[ServedContent, Any]:
        _check_arguments(pin, arguments)
        content, artifact = await server.call(
            pin.tool, arguments, expect=lambda tool: digest_of(tool) == pin.digest
        )
        return await fit(content), artifact

    schema = {"type": "object", "properties": {}, **pin.schema}
    schema |= {"title": pin.name, "description": pin.description or pin.tool}
    return StructuredTool(
        name=pin.name,
        description=pin.description or pin.tool,
        args_schema=schema,
        coroutine=call,
        response_format="content_and_artifact",
        metadata={
            "effect": pin.effect if pin.effect in EFFECTS else "external",
            "idempotent": pin.effect == "read",
            "timeout": timeout + SLACK,
            "from": f"MCP server {pin.server}",
        },
    )


def _check_arguments(pin: Pin, arguments: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, UnknownType
    from referencing.exceptions import Unresolvable

    try:
        Draft202012Validator.check_schema(pin.schema)
        wrong = next(iter(Draft202012Validator(pin.schema).iter_errors(dict(arguments))), None)
    except (SchemaError, UnknownType, Unresolvable, RecursionError):
        return  # its own schema is off: the server has to judge
    if wrong is not None:
        where = ".".join(map(str, wrong.absolute_path))
        raise ToolError(f"`{pin.name}`: {f'{where}: ' if where else ''}{wrong.message[:500]}.")
