"""From the values of a packed context to LangChain's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.values_packed import Message

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["to_langchain"]


def to_langchain(messages: Sequence[Message]) -> list[BaseMessage]:
    """Return LangChain messages; a part that ends a stable stretch has `"cache": True`."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](content=_content(message)) for message in messages]


def _content(message: Message) -> list[str | dict[Any, Any]]:
    return [
        {"type": "text", "text": part.text, **({"cache": True} if part.cache else {})}
        for part in message.parts
    ]
