"""What a call of an MCP server gives, made fit for a model: texts bounded, pictures made anew.

A picture comes from a program that nobody here wrote. It is opened and drawn anew, at the size that
providers take, so that what reaches the model is a picture and none that a provider refuses: one
refused picture in the history would end a run. The loop shows it to models that take pictures, and
tells the others that there was one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any

from harness.documents.pictures import pictures_of
from harness.errors import DocumentError
from harness.seams_hands import ServedContent

__all__ = ["MOST_PICTURES", "MOST_TEXT", "fit"]

MOST_TEXT = 60_000
"""Characters of all texts of one result."""
MOST_PICTURES = 20


async def fit(content: ServedContent) -> ServedContent:
    """Return a result as a model may see it.

    Args:
        content: As the server gave it: text, or LangChain's content blocks.

    Returns:
        Text; content blocks of texts and PNG pictures where there is a picture.
    """
    if isinstance(content, str):
        return _cut(content, MOST_TEXT)
    room, pictures = MOST_TEXT, 0
    blocks: list[Mapping[str, Any]] = []
    for one in content:
        block = one
        if block.get("type") == "image" and "base64" in block:
            block = (
                await asyncio.to_thread(_drawn, block)
                if pictures < MOST_PICTURES
                else _text(f"[a picture, not shown: {MOST_PICTURES} at most]")
            )
        if block.get("type") == "image" and "base64" in block:
            pictures += 1
        else:
            said = _cut(_words(block), max(room, 0))
            room -= len(said)
            block = _text(said)
        blocks.append(block)
    return blocks if pictures else "\n".join(str(one["text"]) for one in blocks)


def _drawn(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a picture made anew; words where it is none."""
    try:
        data = base64.b64decode(str(block["base64"]), validate=True)
        (picture,) = pictures_of("picture.png", data)
    except (binascii.Error, ValueError, DocumentError) as error:
        why = error.message if isinstance(error, DocumentError) else "it is damaged"
        return _text(f"[a picture, not shown: {why}]")
    encoded = base64.b64encode(picture.png).decode("ascii")
    return {"type": "image", "base64": encoded, "mime_type": "image/png"}


def _text(said: str) -> Mapping[str, Any]:
    return {"type": "text", "text": said}


def _words(block: Mapping[str, Any]) -> str:
    """Return what is no picture in words; a link is said, and not followed."""
    if isinstance(block.get("text"), str):
        return str(block["text"])
    kind = str(block.get("type") or "something")[:40]
    media = f" ({str(block['mime_type'])[:80]})" if block.get("mime_type") else ""
    if isinstance(block.get("url"), str):
        return f"[{kind}{media}: {block['url'][:2_000]}, not fetched]"
    return f"[{kind}{media}, not shown]"


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return f"{text[:room]}\n[… {len(text) - room:,} characters left out]"
