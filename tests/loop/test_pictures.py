"""Pictures that tools show reach models that take them, are kept, and replay."""

from __future__ import annotations

import base64
from typing import Any

import anyio
from langchain_core.messages import BaseMessage
from langchain_core.tools import StructuredTool

from harness.journal.events import ToolFinished
from harness.loop import replay
from harness.loop.pictures import UNSEEN, pictures_in
from harness.testing import ScriptedModel, ToolCall, Turn, WordCounter
from tests.loop.desk import Desk

PNG = b"\x89PNG\r\n\x1a\n" + b"not looked into" * 3
BLOCK = {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png"}
LOOK = Turn(text="I look.", tool_calls=(ToolCall(name="look"), ToolCall(name="look")))
DONE = "It is stamped."


def look() -> list[str | dict[str, Any]]:
    """See the page."""
    return [{"type": "text", "text": "scan.pdf, p. 1:"}, BLOCK, BLOCK]


def looked(desk: Desk, *, takes: bool) -> list[BaseMessage]:
    """Work on a run that looks twice; return what its model was shown last."""
    tool = StructuredTool.from_function(look, metadata={"effect": "read"})
    model = ScriptedModel([LOOK, DONE], takes_pictures=takes)
    assert desk.start(desk.means(model, tools=[tool])).stop == "completed"
    return list(model.calls[-1].messages)


def test_a_model_that_takes_pictures_sees_them_below_the_results(desk: Desk) -> None:
    *_, first, second, shown, again = looked(desk, takes=True)
    assert (first.type, second.type, shown.type, again.type) == ("tool", "tool", "human", "human")
    assert first.content == "scan.pdf, p. 1:\n[picture, below]\n[picture, below]"
    assert shown.content == [
        {"type": "text", "text": "[2 pictures from `look`, in order:]"},
        BLOCK,
        BLOCK,
    ]
    assert again.content[1] == BLOCK  # type: ignore[index]


def test_a_model_that_takes_none_is_told_so(desk: Desk) -> None:
    shown = looked(desk, takes=False)[-1]
    assert shown.content == f"[2 pictures from `look`, in order:]\n{UNSEEN}"


def test_they_are_kept_and_come_back_when_the_run_is_read_back(desk: Desk) -> None:
    before = looked(desk, takes=True)
    (one, *_) = desk.of(ToolFinished)[0].pictures
    assert desk.journal.blob("r1", one.blob) == PNG
    after = desk.state("r1").conversation.messages[: len(before)]
    assert [message.content for message in after] == [message.content for message in before]
    assert desk.journal.verify("r1").clean


def test_a_run_with_pictures_replays(desk: Desk) -> None:
    looked(desk, takes=True)
    done = anyio.run(replay, desk.journal, "r1", WordCounter())
    assert (done.difference, done.complete) == (None, True)


def test_only_what_is_a_picture_is_taken_for_one() -> None:
    url = f"data:image/jpeg;base64,{BLOCK['base64']}"
    (one,) = pictures_in([{"type": "image_url", "image_url": {"url": url}}])
    assert (one.media_type, one.data) == ("image/jpeg", PNG)
    odd: list[Any] = [
        "text",
        {"type": "image", "base64": "AAAA"},
        {"type": "image", "base64": "?", "mime_type": "image/png"},
        {"type": "image", "base64": "AAAA", "mime_type": "image/svg+xml"},
        {"type": "image", "url": "https://example.org/a.png", "mime_type": "image/png"},
        {"type": "image", "base64": "", "mime_type": "image/png"},
    ]
    assert pictures_in(odd) == ()
    assert pictures_in("text") == ()
