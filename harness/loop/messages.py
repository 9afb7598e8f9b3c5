"""Messages: the model's message parted into what may be kept in the open and what is sealed.

Reasoning goes back to its provider exactly as it came, and nowhere else. An event holds the
message without it; where there is any, the whole message is sealed apart. A provider other than
the one that wrote a message gets its text and its calls alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.journal.parts import ToolCall
from harness.journal.reasoning import REASONING_TYPES
from harness.values_packed import Message, Part

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

__all__ = [
    "Parted",
    "ai_message",
    "clean",
    "from_json",
    "part_message",
    "to_json",
    "to_langchain",
]

_SEALED_FIELDS = frozenset({"encrypted_content", "reasoning", "reasoning_content"})
_DERIVED = frozenset({"tool_calls", "function_call", "parsed"})
"""Extras that only repeat what stands elsewhere in the message."""
_METADATA = ("model_provider", "output_version", "id")
"""What clients look at when a message goes back."""
_NAME = re.compile(r"[^a-zA-Z0-9_-]")

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parted:
    """A model's message, parted.

    Attributes:
        calls: Its calls, good and broken, each with an id of its own.
        message: As the provider needs it back, without reasoning; None where text and calls say
            all of it.
        sealed: The whole of it; None where it holds no reasoning.
        summary: The provider's own summary of the reasoning.
        twice: Ids of the calls that came with the id of another one.
    """

    calls: tuple[ToolCall, ...]
    message: Json | None
    sealed: Json | None
    summary: str
    twice: frozenset[str]


def clean(text: str) -> str:
    """Return the text as UTF-8 can say it: half a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def part_message(message: AIMessage, text: str, step: int) -> Parted:
    """Part the model's message.

    Args:
        message: As the client gave it.
        text: What it says, without reasoning.
        step: Makes the ids of calls that have none.
    """
    whole = _dump(message)
    twice = _own_ids(whole, step)
    calls = [
        ToolCall(id=one["id"], tool=one["name"], arguments=one["args"])
        for one in whole["tool_calls"]
    ]
    calls += [
        ToolCall(id=one["id"], tool=one["name"], written=str(one["args"] or "null"))
        for one in whole["invalid_tool_calls"]
    ]
    open_part = _without_reasoning(whole, text)
    held_back = open_part != whole
    simple = isinstance(open_part["content"], str) and not open_part["additional_kwargs"]
    return Parted(
        calls=tuple(calls),
        message=None if simple else _with_calls_out(open_part),
        sealed=_with_calls_out(whole) if held_back else None,
        summary="\n\n".join(_summaries(message.content)),
        twice=twice,
    )


def ai_message(
    text: str,
    calls: Sequence[ToolCall],
    message: Mapping[str, Any] | None,
) -> AIMessage:
    """Return the message as its provider gets it back.

    Args:
        text: What it says.
        calls: Its calls.
        message: The sealed whole, else the open part, else None.
    """
    from langchain_core.messages import AIMessage
    from langchain_core.messages.tool import invalid_tool_call, tool_call

    good = [
        tool_call(name=one.tool, args=dict(one.arguments), id=one.id)
        for one in calls
        if not one.written
    ]
    broken = [
        invalid_tool_call(name=one.tool, args=one.written, id=one.id, error=None)
        for one in calls
        if one.written
    ]
    if message is None or isinstance(message["content"], str):
        extra = dict(message["additional_kwargs"]) if message else {}
        return AIMessage(
            content=clean(text),
            tool_calls=good,
            invalid_tool_calls=broken,
            additional_kwargs=extra,
            response_metadata=dict(message["response_metadata"]) if message else {},
        )
    return AIMessage(
        content=message["content"],
        tool_calls=good,
        invalid_tool_calls=broken,
        additional_kwargs=dict(message["additional_kwargs"]),
        response_metadata=dict(message["response_metadata"]),
        id=message["id"],
    )


def to_langchain(messages: Sequence[Message]) -> list[BaseMessage]:
    """Return packed messages as LangChain's; a part that ends a stable stretch is marked."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[one.role](content=_content(one.parts)) for one in messages]


def to_json(messages: Sequence[Message]) -> bytes:
    """Return packed messages as the journal keeps them."""
    tree = [
        {"role": one.role, "parts": [[part.text, part.cache] for part in one.parts]}
        for one in messages
    ]
    return json.dumps(tree, separators=(",", ":")).encode()


def from_json(data: bytes) -> list[Message]:
    """Return packed messages from what `to_json` made."""
    return [
        Message(
            role=one["role"],
            parts=tuple(Part(text=text, cache=cache) for text, cache in one["parts"]),
        )
        for one in json.loads(data)
    ]


# --- inside -----------------------------------------------------------------------------------


def _content(parts: Sequence[Part]) -> list[str | dict[Any, Any]]:
    return [
        {"type": "text", "text": clean(one.text), **({"cache": True} if one.cache else {})}
        for one in parts
    ]


def _dump(message: AIMessage) -> Json:
    """Return what of a message matters to its provider, as JSON."""
    content = message.content
    return {
        "content": content if isinstance(content, str) else [_block(one) for one in content],
        "additional_kwargs": {
            key: value for key, value in message.additional_kwargs.items() if key not in _DERIVED
        },
        "response_metadata": {
            key: value for key, value in message.response_metadata.items() if key in _METADATA
        },
        "id": message.id,
        "tool_calls": [dict(one) for one in message.tool_calls],
        "invalid_tool_calls": [dict(one) for one in message.invalid_tool_calls],
    }


def _block(block: str | Json) -> str | Json:
    return block if isinstance(block, str) else dict(block)


def _own_ids(whole: Json, step: int) -> frozenset[str]:
    """Give each call, in place, an id of its own and a name that providers take back."""
    seen: dict[str, int] = {}
    renamed: dict[tuple[str, int], str] = {}
    twice: set[str] = set()
    for number, call in enumerate([*whole["tool_calls"], *whole["invalid_tool_calls"]], 1):
        given = str(call.get("id") or "")
        seen[given] = count = seen.get(given, 0) + 1
        fresh = given or f"call_{step}_{number}"
        if given and count > 1:
            fresh = f"{given}_{count}"
            twice.add(fresh)
        renamed[given, count] = call["id"] = fresh
        call["name"] = _NAME.sub("_", str(call.get("name") or ""))[:64] or "unnamed"
    met: dict[str, int] = {}
    content = whole["content"] if isinstance(whole["content"], list) else []
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        key = {"tool_use": "id", "function_call": "call_id", "tool_call": "id"}.get(str(kind))
        if key is None:
            continue
        given = str(block.get(key) or "")
        met[given] = count = met.get(given, 0) + 1
        block[key] = renamed.get((given, count), given)
        block["name"] = _NAME.sub("_", str(block.get("name") or ""))[:64] or "unnamed"
    return frozenset(twice)


def _without_reasoning(whole: Json, text: str) -> Json:
    content = whole["content"]
    if isinstance(content, str):
        # Some models write reasoning into their text; the text that came to us has none.
        kept: Any = content if content == text else text
    else:
        kept = [one for one in map(_open_block, content) if one is not None]
    extras = whole["additional_kwargs"]
    return {
        **whole,
        "content": kept,
        "additional_kwargs": {
            key: value
            for key, value in extras.items()
            if key not in _SEALED_FIELDS and not _is_reasoning(value)
        },
    }


def _open_block(block: str | Json) -> str | Json | None:
    """Return a block without what is sealed; None where nothing is left."""
    if isinstance(block, str):
        return block
    if _is_reasoning(block) or _is_reasoning(block.get("value")):
        return None
    if _SEALED_FIELDS & block.keys():
        return {key: value for key, value in block.items() if key not in _SEALED_FIELDS}
    return block


def _is_reasoning(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") in REASONING_TYPES


def _with_calls_out(part: Json) -> Json:
    """Return the part without the calls, which the event has beside it."""
    return {
        key: value for key, value in part.items() if key not in ("tool_calls", "invalid_tool_calls")
    }


def _summaries(content: str | list[str | dict[Any, Any]]) -> list[str]:
    """Return what a provider wrote as a summary of its reasoning, for people to see."""
    if isinstance(content, str):
        return []
    found = []
    for block in content:
        summary = block.get("summary") if isinstance(block, dict) else None
        if isinstance(summary, list) and _is_reasoning(block):
            parts = (one.get("text") for one in summary if isinstance(one, Mapping))
            found += [str(one) for one in parts if one]
    return found
