"""How a model counts tokens is learnt from its calls, and the next context is packed by it."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import Harness
from harness.errors import QuestionTooLong
from harness.journal.events import ContextPacked, ModelRequested, RunStarted
from harness.loop.tooling import described
from harness.settings import Settings
from harness.testing import Call, HashEmbedder, ScriptedModel, Tokens, Turn
from harness.wiring import make_counter

BUDGET = 4_000
QUESTION = "Where is my card number 7?"


def row(number: int) -> str:
    said = random.Random(number)
    words = ("".join(said.choices("abcdefghiklmnoprstu", k=6)) for _ in range(16))
    return f"e{number},{' '.join(words)},card_{number % 7}"


ROWS = "\n".join(map(row, range(150)))


DOMAIN = {
    "SKILL.md": "---\nname: cards\ndescription: Cards.\n---\nName the card.\n",
    "domain.yaml": f"context: {{budget: {BUDGET}}}\n",
    "examples/a.csv": f"id,input,output\n{ROWS}\n",
    "evals/dev.csv": "id,input,expected\nc1,Where is card 3?,card_3\n",
}


def tokens_of(call: Call) -> int:
    texts = [*(one.text for one in call.messages), *map(described, call.tools)]
    return sum(map(make_counter().count, texts))


class Greedy:
    """A model that counts some times as many tokens as we do."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.counted: list[int] = []
        self.model = ScriptedModel(self.say, name="scripted:greedy")

    def say(self, call: Call) -> Turn:
        self.counted.append(int(tokens_of(call) * self.factor))
        return Turn(text="card_1", tokens=Tokens(input=self.counted[-1], output=2))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A domain with a state folder beside it, indexed once."""
    base = tmp_path_factory.mktemp("cards")
    for name, text in DOMAIN.items():
        file = base / "cards" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return base


@pytest.fixture
def kept(base: Path) -> Path:
    """The file of ratios, not there yet."""
    file = base / "home" / "token_ratios.json"
    file.unlink(missing_ok=True)
    return file


@pytest.fixture
def opened(base: Path, kept: Path) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def open_(model: object = None) -> Harness:
        said = {"home": str(kept.parent), "keys": str(base / "keys")}
        made.append(
            Harness(base / "cards", model=model, embedder=HashEmbedder(), settings=Settings(said))  # type: ignore[arg-type]
        )
        return made[-1]

    yield open_
    for one in made:
        one.close()


def test_what_a_question_teaches_holds_for_the_next_process(opened: Callable[..., Harness]) -> None:
    greedy = Greedy(1.5)
    first = opened(greedy.model)
    before = first.preview(QUESTION)
    assert before.ratio == 1
    assert before.tokens > BUDGET * 0.9
    first.ask(QUESTION)
    assert greedy.counted[0] > BUDGET
    first.close()

    second = opened(greedy.model)
    packed = second.preview(QUESTION)
    assert packed.ratio == 1.5
    assert packed.budget == int(BUDGET / 1.5)
    assert packed.tokens <= packed.budget
    second.ask(QUESTION)
    assert greedy.counted[1] <= BUDGET
    assert packed.to_json()["ratio"] == 1.5


def test_the_context_stays_the_same_once_it_is_learnt(opened: Callable[..., Harness]) -> None:
    harness = opened(Greedy(1.34).model)
    harness.ask(QUESTION)
    first = harness.preview(QUESTION)
    for number in range(3):
        harness.ask(f"Where is card {number}?")
    again = harness.preview(QUESTION)
    assert first.messages == again.messages
    assert first.ratio == again.ratio == 1.35


def test_a_run_starts_with_what_was_learnt(opened: Callable[..., Harness]) -> None:
    harness = opened(Greedy(1.5).model)

    def events(goal: str) -> list[object]:
        with harness.run(goal, approve="never") as run:
            return [getattr(one, "event", one) for one in run]

    first, second = events(QUESTION), events(QUESTION)
    starts = [one for one in (*first, *second) if isinstance(one, RunStarted)]
    assert [one.options["loop"]["ratio"] for one in starts] == [1.25, 1.5]
    packed = [one for one in (*first, *second) if isinstance(one, ContextPacked)]
    assert packed[0].tokens > BUDGET / 1.5 >= packed[1].tokens
    asked = [one for one in second if isinstance(one, ModelRequested)]
    assert asked[0].reserved_input_tokens >= packed[1].tokens * 1.5


def test_a_model_that_counts_fewer_gets_no_more_than_the_budget(
    opened: Callable[..., Harness],
) -> None:
    harness = opened(Greedy(0.6).model)
    harness.ask(QUESTION)
    packed = harness.preview(QUESTION)
    assert (packed.ratio, packed.budget) == (1, BUDGET)
    assert packed.tokens <= BUDGET


def test_baseline_and_unknown_models_pack_by_our_own_count(
    opened: Callable[..., Harness], kept: Path
) -> None:
    opened(Greedy(1.5).model).ask(QUESTION)
    baseline = opened()
    assert baseline.preview(QUESTION).ratio == 1
    baseline.ask(QUESTION)
    assert list(json.loads(kept.read_text())["ratios"]) == ["scripted:greedy"]


def test_a_damaged_file_is_passed_over_with_a_warning(
    opened: Callable[..., Harness], kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(Greedy(1.5).model)
    harness.ask(QUESTION)
    kept.write_text('{"format": 1, "ra')
    with caplog.at_level(logging.WARNING):
        assert harness.preview(QUESTION).ratio == 1
    assert "is damaged" in caplog.text
    harness.ask(QUESTION)
    assert harness.preview(QUESTION).ratio == 1.5


def test_a_question_that_is_too_long_by_the_models_count_is_refused_in_words(
    opened: Callable[..., Harness],
) -> None:
    harness = opened(Greedy(2.5).model)
    harness.ask(QUESTION)
    with pytest.raises(QuestionTooLong, match=r"budget of 1,600 \(the model counts 2.5 for each"):
        harness.preview("word " * 1_700)


def test_an_eval_keeps_to_one_ratio_and_teaches_none(
    opened: Callable[..., Harness], kept: Path
) -> None:
    greedy = Greedy(1.5)
    harness = opened(greedy.model)
    first = harness.evaluate(split="dev")
    assert not kept.exists()
    harness.ask(QUESTION)
    second = harness.evaluate(split="dev")
    assert second.config != first.config
    assert greedy.counted[0] > BUDGET >= greedy.counted[-1]
