"""Tools as the loop knows them: what their metadata says, and whether arguments fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import HarnessError
from harness.journal.parts import Effect
from harness.loop.pictures import Taken

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = [
    "CONTROLS",
    "Outcome",
    "ToolFacts",
    "argument_problem",
    "defaults_of",
    "described",
    "facts_of",
    "said_by",
]

Control = Literal["", "plan", "ask", "finish", "delegate"]
CONTROLS: tuple[Control, ...] = ("plan", "ask", "finish", "delegate")
EFFECTS: tuple[Effect, ...] = ("read", "draft", "write", "external", "irreversible")
TIMEOUT = 120.0
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
        pictures: What it shows beside.
    """

    text: str
    artifact: Any = None
    outcome: Literal["done", "failed", "denied", "timeout", "invalid", "unknown"] = "done"
    seconds: float = 0.0
    pictures: tuple[Taken, ...] = ()

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
