"""Pictures that tools show: taken out of their results, and put before models that take them.

The journal keeps each as a blob. They stand in a message of their own below the results of a
step: most providers take no picture within a tool's result.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from harness.seams import Model

__all__ = [
    "TOKENS",
    "Seen",
    "Taken",
    "blocks_of",
    "in_words",
    "pictures_in",
    "pictures_shown",
    "takes_pictures",
]

TOKENS = 1_600
"""Tokens that a picture costs, at most about: providers make larger ones smaller."""
MOST = 20
"""Pictures of one result."""
MOST_BYTES = 8 << 20
TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
UNSEEN = "[The model in use takes no pictures: say so, or go by the text.]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A picture as a tool gave it."""

    media_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A picture in the conversation: its bytes are read when a message is made of it."""

    media_type: str
    size: int
    read: Callable[[], bytes]


def pictures_in(content: Any) -> tuple[Taken, ...]:
    """Return the pictures of a tool's content blocks, as far as they can be shown."""
    return tuple(pictures_shown(content).values())


def pictures_shown(content: Any) -> dict[int, Taken]:
    """Return the pictures that are shown, by the place of their block, in order."""
    found: dict[int, Taken] = {}
    for place, block in enumerate(content if isinstance(content, list) else ()):
        picture = picture_of(block) if len(found) < MOST else None
        if picture is not None:
            found[place] = picture
    return found


def picture_of(block: Any) -> Taken | None:
    """Return the picture of a content block; None where it is none that can be shown."""
    if not isinstance(block, Mapping) or block.get("type") not in ("image", "image_url"):
        return None
    media_type, encoded = block.get("mime_type"), block.get("base64") or block.get("data")
    url = block.get("image_url")
    url = url.get("url") if isinstance(url, Mapping) else url
    if isinstance(url, str) and url.startswith("data:") and ";base64," in url:
        media_type, _, encoded = url.removeprefix("data:").partition(";base64,")
    if media_type not in TYPES or not isinstance(encoded, str):
        return None
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Taken(media_type=media_type, data=data) if 0 < len(data) <= MOST_BYTES else None


def blocks_of(text: str, pictures: Sequence[Seen]) -> list[str | dict[str, Any]]:
    """Return the content of a message that shows pictures."""
    return [
        {"type": "text", "text": text},
        *(
            {
                "type": "image",
                "base64": base64.b64encode(one.read()).decode("ascii"),
                "mime_type": one.media_type,
            }
            for one in pictures
        ),
    ]


def takes_pictures(model: Model) -> bool:
    """Return whether a model is known to take pictures; one that does not say takes none."""
    return getattr(model, "takes_pictures", False) is True


def in_words(message: BaseMessage) -> BaseMessage:
    """Return a message with words in place of its pictures, for a model that takes none."""
    return message.model_copy(update={"content": f"{message.text}\n{UNSEEN}"})
