"""A session of questions: many in a row, at once, inside a running loop, left early."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from harness import Answer, Delta, Harness
from harness.errors import DomainInvalid, DomainNotFound
from harness.testing import Fault, HashEmbedder, ScriptedModel, Turn


def say(text: str) -> ScriptedModel:
    return ScriptedModel(lambda call: Turn(text=text))


def test_a_hundred_questions_in_a_row(opened) -> None:
    harness = opened()
    answers = [harness.ask(f"My card {n} was stolen at {n}") for n in range(100)]
    assert {one.value for one in answers} == {"lost_card"}
    assert len({one.run for one in answers}) == 100
    assert {one.version for one in answers} == {harness.domain.version}
    first = answers[0]
    assert first.text == "lost_card"
    assert first.model == "baseline:nearest"
    assert first.usage.input_tokens == harness.preview("My card 0 was stolen at 0").tokens
    assert first.usage.cost_usd == 0
    assert {item.id for item in first.demonstrations} == {f"e{n}" for n in range(1, 7)}
    assert first.passages == ()
    assert first.warnings == ()


def test_a_question_from_within_a_running_loop(opened) -> None:
    """As in a notebook: the sync door works inside a coroutine and in a thread of its loop."""
    harness = opened()

    async def cell() -> tuple[Answer, Answer]:
        inside = harness.ask("My card was stolen")
        beside = await asyncio.to_thread(harness.ask, "Top up with cash")
        return inside, beside

    inside, beside = asyncio.run(cell())
    assert (inside.value, beside.value) == ("lost_card", "top_up")
    assert asyncio.run(cell())[0].value == "lost_card"  # and in another loop


def test_fifty_at_once(opened) -> None:
    harness = opened(model=ScriptedModel(lambda call: Turn(text=call.messages[1].text[-40:])))

    async def gather() -> list[Answer]:
        return await asyncio.gather(*(harness.aask(f"question number {n:02}") for n in range(50)))

    answers = asyncio.run(gather())
    assert [one.text.split("\n")[-3] for one in answers] == [
        f"question number {n:02}" for n in range(50)
    ]


def test_two_threads_at_once(opened, tmp_path: Path) -> None:
    """Also the first question of all, which indexes the folder."""
    harness = opened(home=tmp_path / "state")
    said: dict[int, list[str]] = {0: [], 1: []}
    start = threading.Barrier(2)

    def ask(own: int) -> None:
        start.wait()
        for n in range(15):
            answer = harness.ask(("My card was stolen", "Top up with cash")[own] + f" {n}")
            said[own].append(answer.value)

    threads = [threading.Thread(target=ask, args=(own,)) for own in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {0: ["lost_card"] * 15, 1: ["top_up"] * 15}


def test_the_stream_ends_with_the_answer(opened) -> None:
    harness = opened(model=say("lost_card, I should think"))
    *deltas, answer = harness.stream("My card was stolen")
    assert len(deltas) > 1
    assert all(isinstance(one, Delta) and not one.restart for one in deltas)
    assert isinstance(answer, Answer)
    assert "".join(one.text for one in deltas) == answer.text == "lost_card, I should think"


def test_a_stream_left_early_stops_the_model(opened) -> None:
    closed = threading.Event()

    class Endless(ScriptedModel):
        async def stream(self, messages, *, tools=(), schema=None):
            try:
                while True:
                    yield Delta(text="on and on ")
                    await asyncio.sleep(0.001)
            finally:
                closed.set()

    harness = opened(model=Endless([]))
    stream = harness.stream("My card was stolen")
    assert next(stream) == Delta(text="on and on ")
    assert next(stream) == Delta(text="on and on ")
    stream.close()
    assert closed.wait(10)
    for event in harness.stream("My card was stolen"):
        assert isinstance(event, Delta)
        break
    gc.collect()
    assert harness.preview("My card was stolen").tokens > 0  # the door still opens


def test_a_stream_s_error_comes_out_typed(opened) -> None:
    harness = opened(
        model=ScriptedModel([Turn(text="a long answer", fault=Fault(kind="cut_text"))])
    )
    stream = harness.stream("My card was stolen")
    assert isinstance(next(stream), Delta)
    with pytest.raises(Exception, match="broken") as raised:
        list(stream)
    assert type(raised.value).__name__ == "ConnectionFailed"


def test_the_folder_is_seen_as_it_is_now(opened, write) -> None:
    folder = write()
    harness = opened(folder)
    before = harness.ask("How do I change my PIN")
    assert before.value != "change_pin"
    (folder / "examples" / "b.csv").write_text(
        "id,input,output\nn1,How can I change the PIN of my card,change_pin\n"
    )
    after = harness.ask("How do I change my PIN")
    assert after.value == "change_pin"
    assert after.version != before.version
    assert "n1" in {item.id for item in after.demonstrations}
    assert harness.index().items == {"examples": 7, "evals": 0, "passages": 0}
    (folder / "examples" / "b.csv").unlink()
    assert harness.ask("How do I change my PIN").version == before.version


class Gated(HashEmbedder):
    """Waits in the middle of one question's embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go = threading.Event(), threading.Event()

    def embed(self, texts, progress=None):
        if texts and "slowly" in texts[0]:
            self.inside.set()
            assert self.go.wait(60)
        return super().embed(texts, progress)


def test_a_folder_that_changes_under_a_question_does_not_break_it(opened, write) -> None:
    folder, embedder = write(), Gated()
    harness = opened(folder, embedder=embedder)
    before = harness.domain.version
    said: list[Answer] = []
    slow = threading.Thread(target=lambda: said.append(harness.ask("My card was slowly stolen")))
    slow.start()
    assert embedder.inside.wait(60)
    (folder / "examples" / "b.csv").write_text("id,input,output\nn1,A new thing,top_up\n")
    assert harness.ask("A new thing").value == "top_up"
    embedder.go.set()
    slow.join()
    assert (said[0].value, said[0].version) == ("lost_card", before)


def test_errors_of_the_folder_are_typed_and_all_there(opened, write, tmp_path: Path) -> None:
    folder = write(
        {"examples/b.csv": "id,input,output\ne1,again,x\n", "evals/dev.csv": "id,input\nd1,x\n"}
    )
    harness = opened(folder)
    with pytest.raises(DomainInvalid) as raised:
        harness.ask("My card was stolen")
    codes = {problem.code for problem in raised.value.problems}
    assert "duplicate-id" in codes
    assert len(raised.value.problems) >= 2
    assert all(problem.severity == "error" for problem in raised.value.problems)
    assert f"The domain {folder.name} has 2 errors:" in str(raised.value)
    assert set(raised.value.problems) <= set(harness.lint())
    (folder / "examples" / "b.csv").unlink()
    (folder / "evals" / "dev.csv").unlink()
    assert harness.ask("My card was stolen").value == "lost_card"  # mended, and it goes on
    with pytest.raises(DomainNotFound):
        Harness(tmp_path / "nowhere", home=tmp_path / "state").ask("My card")


def test_close_lets_go_and_a_later_call_opens_again(opened) -> None:
    harness = opened()
    with harness:
        before = harness.preview("My card was stolen")
    assert len(before.items) == 6  # what was packed is still told
    assert harness.ask("My card was stolen").value == "lost_card"

    async def session() -> str:
        answer = await harness.aask("Top up with cash")
        await harness.aclose()
        return str(answer.value)

    assert asyncio.run(session()) == "top_up"


def test_an_own_embedder_stands_for_the_one_that_the_domain_names(opened, tmp_path: Path) -> None:
    """A folder that names the default still uses the caller's."""
    asked: list[str] = []

    class Noting(HashEmbedder):
        def embed(self, texts, progress=None):
            asked.extend(texts)
            return super().embed(texts, progress)

    harness = opened(embedder=Noting(), home=tmp_path / "state")
    harness.ask("My card was stolen")
    assert "I lost my card in Paris" in asked
    assert asked[-1] == "My card was stolen"
