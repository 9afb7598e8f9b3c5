"""Our messages and schemas, put as each provider takes them: cache breakpoints, output formats.

A text block with `"cache": True` ends a stretch that stays the same from call to call:

- Anthropic: `cache_control: {"type": "ephemeral"}` on the block, four at most.
- OpenAI from GPT-5.6 on: `prompt_cache_breakpoint: {"mode": "explicit"}` on the block, three at
  most, beside the implicit one that OpenAI sets on the latest message
  (`model_options: {prompt_cache_options: {mode: explicit}}` turns that off).
- OpenAI's models before: the prefix is cached by itself; a `prompt_cache_key` made from the
  marked text sends calls that share it to the same machine.
- Any other: the mark is taken off.

A schema goes as `response_format` (OpenAI chat completions), `text.format` (OpenAI responses) or
`output_config.format` (Anthropic's models that take one); to other models the prompt alone
carries it. `with_structured_output` is not used: it would stream no text.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

__all__ = ["Family", "cache_key", "family_of", "mark_cache", "output_limit", "schema_arguments"]

Family = Literal["openai", "anthropic", "other"]

_ANTHROPIC_MOST = 4
_OPENAI_MOST = 3
_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")


def family_of(chat: BaseChatModel) -> Family:
    """Return whose wire format a client speaks, by the class that it is made of."""
    bases = {base.__name__ for base in type(chat).__mro__}
    if "BaseChatOpenAI" in bases:
        return "openai"
    return "anthropic" if "ChatAnthropic" in bases else "other"


def takes_breakpoints(family: Family, model: str) -> bool:
    """Return whether breakpoints can be set for a model."""
    if family == "anthropic":
        return True
    version = _GPT.search(model)
    return (
        family == "openai"
        and version is not None
        and (int(version[1]), int(version[2] or 0)) >= (5, 6)
    )


def mark_cache(messages: Sequence[BaseMessage], family: Family, model: str) -> list[BaseMessage]:
    """Return the messages with cache marks as the provider takes them, or without.

    The longest prefixes matter most, so the last marks stay where there are too many. A message
    of plain text blocks with no mark left becomes one text, which every server takes.
    """
    takes = takes_breakpoints(family, model)
    most = (_ANTHROPIC_MOST if family == "anthropic" else _OPENAI_MOST) if takes else 0
    left = most
    marked: list[BaseMessage] = []
    for message in reversed(messages):
        if isinstance(message.content, str):
            marked.append(message)
            continue
        blocks: list[str | dict[str, Any]] = []
        for block in reversed(message.content):
            fresh, left = _marked_block(block, family, left)
            blocks.append(fresh)
        marked.append(message.model_copy(update={"content": _plain(blocks[::-1], message.type)}))
    return marked[::-1]


def _marked_block(
    block: str | dict[Any, Any], family: Family, left: int
) -> tuple[str | dict[str, Any], int]:
    """Return a block with its mark in the provider's words, and how many marks are left."""
    if isinstance(block, str) or "cache" not in block:
        return block, left
    fresh = {key: value for key, value in block.items() if key != "cache"}
    # Anthropic refuses a breakpoint on a block that has no text.
    if not block["cache"] or not left or not str(block.get("text", "")).strip():
        return fresh, left
    if family == "anthropic":
        return {**fresh, "cache_control": {"type": "ephemeral"}}, left - 1
    return {**fresh, "prompt_cache_breakpoint": {"mode": "explicit"}}, left - 1


def _plain(blocks: list[str | dict[str, Any]], kind: str) -> str | list[str | dict[str, Any]]:
    """Return plain text blocks of a system's or user's message as one text."""
    texts = [
        block["text"]
        for block in blocks
        if isinstance(block, dict) and block.keys() == {"type", "text"} and block["type"] == "text"
    ]
    if kind in ("system", "human") and blocks and len(texts) == len(blocks):
        return "".join(texts)
    return blocks


def cache_key(messages: Sequence[BaseMessage], chat: BaseChatModel, model: str) -> dict[str, Any]:
    """Return `prompt_cache_key` for OpenAI's models that cache by prefix, else nothing.

    Only models that LangChain knows as OpenAI's get one: other servers that speak the format
    may refuse a field they don't know. An option of the user's wins.
    """
    given = getattr(chat, "model_kwargs", None) or {}
    known = family_of(chat) == "openai" and bool(chat.profile) and "prompt_cache_key" not in given
    if not known or takes_breakpoints("openai", model):
        return {}
    digest, marked = hashlib.sha256(), b""
    for message in messages:
        for block in message.content if isinstance(message.content, list) else [message.content]:
            text = block if isinstance(block, str) else str(block.get("text", ""))
            digest.update(text.encode("utf-8", "replace"))
            if isinstance(block, dict) and block.get("cache"):
                marked = digest.digest()
    return {"prompt_cache_key": f"harness-{marked.hex()[:32]}"} if marked else {}


def output_limit(chat: BaseChatModel, family: Family, most: int) -> dict[str, Any]:
    """Return what keeps an answer to so many tokens; the user's own lower limit stays.

    Other clients name it each in their own way, and refuse what they don't know: they get none.
    """
    if family == "other":
        return {}
    given = getattr(chat, "max_tokens", None)
    return {"max_tokens": min(most, given) if isinstance(given, int) else most}


def schema_arguments(
    chat: BaseChatModel, family: Family, schema: Mapping[str, Any], calls: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what makes the model keep to a JSON Schema; empty where only the prompt can.

    Args:
        chat: The client.
        family: Its wire format.
        schema: JSON Schema, an object at its root; any other root goes by prompt.
        calls: The other arguments of the call.
    """
    profile = chat.profile or {}
    if schema.get("type") != "object":
        return {}
    if family == "anthropic" and profile.get("structured_output"):
        import anthropic

        output = {"type": "json_schema", "schema": anthropic.transform_schema(dict(schema))}
        return {"output_config": {"format": output}}
    if family != "openai" or profile.get("structured_output") is False:
        return {}
    title = re.sub(r"[^a-zA-Z0-9_-]+", "_", str(schema.get("title") or "answer"))[:64]
    form = {"name": title, "schema": copy.deepcopy(dict(schema)), "strict": _is_strict(schema)}
    given = getattr(chat, "model_kwargs", None) or {}
    if chat._use_responses_api({**given, **calls}):  # type: ignore[attr-defined] # no public way to ask
        return {"text": {**given.get("text", {}), "format": {"type": "json_schema", **form}}}
    # Not as `response_format=`, which makes the client take each answer apart and raise on one
    # that was cut short.
    extra = getattr(chat, "extra_body", None) or {}
    response_format = {"type": "json_schema", "json_schema": form}
    return {"extra_body": {**extra, "response_format": response_format}}


def _is_strict(schema: Any) -> bool:
    """Return whether OpenAI's strict mode takes a schema: closed objects, every field required."""
    if isinstance(schema, Mapping):
        if "properties" in schema or schema.get("type") == "object":
            fields = set(schema.get("properties", ()))
            closed = schema.get("additionalProperties") is False
            if not closed or fields != set(schema.get("required", ())):
                return False
        return all(_is_strict(value) for key, value in schema.items() if key != "required")
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    return True
