"""What a model is saying is kept while it says it, and counts for nothing once it is whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from harness.errors import ProviderUnavailable
from harness.journal.events import MessageStreamed
from harness.loop import Loop, replay
from harness.loop import streamed as kept
from harness.sdk.account import Following
from harness.testing import ScriptedModel, Turn, WordCounter
from harness.values import Delta, Reply
from tests.loop.desk import Desk, calls, tool

SAID = "Clause four is missing, and so is clause nine."


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "EVERY", 0.0)


class Speaking(ScriptedModel):
    """Says what it is given, then waits for ever or fails."""

    def __init__(self, *said: Delta, fails: bool = False) -> None:
        super().__init__([])
        self.said, self.fails = said, fails

    async def stream(self, messages: Any, **_: Any) -> AsyncIterator[Delta | Reply]:
        for one in self.said:
            yield one
        if self.fails:
            raise ProviderUnavailable("The provider is down.")
        await anyio.sleep_forever()


def unfinished(desk: Desk) -> str:
    return Following(desk.journal, "r1").look()[0].unfinished


def test_a_message_is_kept_as_it_comes_and_in_whole_at_its_end(desk: Desk) -> None:
    def look(clause: int) -> str:
        """Look at a clause."""
        return f"clause {clause}: text"

    turns = [calls(("look", {"clause": 4}), text=SAID), Turn(text=SAID, pieces=30)]
    done = desk.start(desk.means(turns, tools=[tool(look)]))
    assert (done.stop, done.answer) == ("completed", SAID)
    parts = desk.of(MessageStreamed)
    assert {one.step for one in parts} == {1, 2}
    assert all(one.text.endswith(" ") for one in parts)  # no word, and no key, is cut in two
    second = "".join(one.text for one in parts if one.step == 2)
    assert len(second) > 20
    assert SAID.startswith(second)
    assert unfinished(desk) == ""
    assert desk.journal.verify("r1").clean
    found = anyio.run(replay, desk.journal, "r1", WordCounter())
    assert (found.difference, found.complete) == (None, True)


def test_work_that_is_given_up_keeps_the_last_word_too(desk: Desk) -> None:
    async def work() -> None:
        model = Speaking(Delta(text="Clause four is mis"))
        with desk.journal.start("r1") as writer:
            events = Loop(writer, desk.means(model), desk.opening()).events()
            async for item in events:
                if isinstance(item, Delta):
                    break
            await events.aclose()

    anyio.run(work)
    assert desk.types()[-1] == "message.streamed"
    assert unfinished(desk) == "Clause four is mis"
    done = desk.resume(desk.means([Turn(text=SAID)]))
    assert done.answer == SAID
    assert unfinished(desk) == ""


def test_who_leaves_in_a_flood_of_words_is_not_held_back(desk: Desk) -> None:
    said = [Delta(text=f"word{n} ") for n in range(500)]

    async def work() -> None:
        with desk.journal.start("r1") as writer, anyio.fail_after(20):
            events = Loop(writer, desk.means(Speaking(*said)), desk.opening()).events()
            await anext(events)
            await anyio.sleep(0.5)  # meanwhile more comes than is waited for
            await events.aclose()

    anyio.run(work)
    assert unfinished(desk).startswith("word0 word1 ")


def test_what_a_broken_stream_took_back_is_not_kept(desk: Desk) -> None:
    said = (Delta(text="One two "), Delta(restart=True), Delta(text="Three fo"), Delta(text="ur"))
    done = desk.start(desk.means(Speaking(*said, fails=True)))
    assert done.stop == "failed"
    assert unfinished(desk) == "Three four"
    assert [one.restart for one in desk.of(MessageStreamed)] == [False, True, False]


def test_an_answer_that_is_there_at_once_writes_no_more_than_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "EVERY", 60.0)
    desk.start(desk.means([Turn(text=SAID)]))
    assert "message.streamed" not in desk.types()
