"""The MCP servers that a domain's `tools/mcp.json` names, in the form that other agents use too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.values import Place, Problem

__all__ = ["EFFECTS", "MCP_FILE", "Effect", "OwnServer", "read_servers"]

Effect = Literal["read", "draft", "write", "external", "irreversible"]
EFFECTS: tuple[Effect, ...] = ("read", "draft", "write", "external", "irreversible")
MCP_FILE = "tools/mcp.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,23}")


class OwnServer(BaseModel):
    """An MCP server: a program of this machine, or an address.

    Attributes:
        name: Its key in the file; goes before the names of its tools.
        command: The program, for a server that speaks over standard input and output.
        env: Variables for it; `secret:NAME` stands for the value of an environment variable.
        url: The address, for a server that speaks HTTP.
        headers: For it; `secret:NAME` stands for the value of an environment variable.
        tools: The tools that are wanted; all of them by default.
        effect: What its tools do to the world.
        effects: The same for single tools.
        timeout: Seconds that one call may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)
    cwd: str = ""
    url: str = ""
    headers: Mapping[str, str] = Field(default_factory=dict)
    tools: tuple[str, ...] = ()
    effect: Effect = "external"
    effects: Mapping[str, Effect] = Field(default_factory=dict)
    timeout: float = Field(default=60.0, gt=0, le=3600)
    type: Literal["", "stdio", "http", "streamable-http", "streamable_http"] = ""

    @model_validator(mode="after")
    def _one_way(self) -> OwnServer:
        if bool(self.command) == bool(self.url):
            raise ValueError("either `command` or `url`, and one of them")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("`url` begins with https:// or http://")
        return self


def read_servers(content: bytes) -> tuple[tuple[OwnServer, ...], list[Problem]]:
    """Return the servers that the file names, and what is wrong in it."""
    if not content:
        return (), []
    try:
        text = content.decode("utf-8-sig")
        said = json.loads(text)
    except UnicodeDecodeError:
        return (), [_problem(1, "encoding", "This file is not UTF-8. Save it as UTF-8.")]
    except json.JSONDecodeError as error:
        says = f"This is no JSON: {error.msg}. Mend it here."
        return (), [_problem(error.lineno, "json-syntax", says, error.colno)]
    except RecursionError:
        return (), [_problem(1, "too-deep", "This JSON is nested too deeply.")]
    return _servers(text, said)


def _servers(text: str, said: Any) -> tuple[tuple[OwnServer, ...], list[Problem]]:
    listed = said.get("mcpServers") if isinstance(said, dict) else None
    if not isinstance(listed, dict) or len(said) != 1:
        says = 'It has to be {"mcpServers": {"name": {"command": …}}}, and nothing else.'
        return (), [_problem(1, "wrong-type", says)]
    found: list[OwnServer] = []
    problems: list[Problem] = []
    for name, given in listed.items():
        line = _line(text, name)
        if not _NAME.fullmatch(name):
            says = f"`{name}`: a server's name has letters, digits, `-` and `_`, at most 24."
            problems.append(_problem(line, "bad-name", says))
        elif not isinstance(given, dict):
            says = f'`{name}` has to be {{"command": …}} or {{"url": …}}.'
            problems.append(_problem(line, "wrong-type", says))
        else:
            try:
                found.append(OwnServer.model_validate({**given, "name": name}))
            except ValidationError as error:
                problems += [_problem(line, "bad-value", says) for says in _says(name, error)]
    return tuple(found), problems


def _says(name: str, error: ValidationError) -> list[str]:
    found = []
    for one in error.errors(include_url=False, include_input=False):
        where = ".".join(map(str, one["loc"]))
        if one["type"] == "extra_forbidden":
            known = ", ".join(key for key in OwnServer.model_fields if key != "name")
            found.append(f"`{name}`: the key `{where}` is not known here. Known: {known}.")
        else:
            message = one["msg"].removeprefix("Value error, ")
            found.append(f"`{name}`: {f'`{where}`: ' if where else ''}{message}.")
    return found


def _line(text: str, name: str) -> int:
    place = text.find(json.dumps(name, ensure_ascii=False))
    return text.count("\n", 0, place) + 1 if place >= 0 else 1


def _problem(line: int, code: str, message: str, column: int = 1) -> Problem:
    return Problem(place=Place(file=MCP_FILE, line=line, column=column), code=code, message=message)
