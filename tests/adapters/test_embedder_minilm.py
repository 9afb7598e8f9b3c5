"""MiniLM as shipped: the same vector alone or among others, for texts of any length."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapters.embedder_minilm import WINDOW, MiniLMEmbedder, _windows

EMBEDDER = MiniLMEmbedder()
FIXTURE = Path(__file__).with_name("data") / "minilm.json"
NOTE = "The patient was seen on the ward and the plan was discussed with the team. " * 100
TEXTS = [
    "I lost my card",
    "",
    " ",
    "🙂",
    "كيف أغير كلمة المرور؟",
    "卡丢了怎么办",
    NOTE,
    "What is the CHA2DS2-VASc score?",
    "x" * 3000,
    "a\nb\tc \u200b d",
]


def test_vectors_are_those_that_the_model_gave_when_it_was_shipped():
    stored = json.loads(FIXTURE.read_text("utf-8"))
    vectors = EMBEDDER.embed(list(stored))
    assert np.allclose(vectors, np.array(list(stored.values())), atol=1e-3)


def test_shape_type_and_length():
    vectors = EMBEDDER.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), EMBEDDER.dimensions) == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert EMBEDDER.embed([]).shape == (0, 384)
    assert EMBEDDER.name == "minilm"


def test_a_vector_is_the_same_alone_and_among_others():
    many = [f"{text} {n}" for n in range(20) for text in TEXTS if len(text) < 100] + TEXTS
    together = EMBEDDER.embed(many)
    alone = np.concatenate([EMBEDDER.embed([text]) for text in many])
    assert together.tobytes() == alone.tobytes()
    assert EMBEDDER.embed(many[::-1])[::-1].tobytes() == alone.tobytes()


@settings(max_examples=20)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text_has_a_vector(texts):
    vectors = EMBEDDER.embed(texts)
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(EMBEDDER.embed([text])[0], vector)


def test_near_in_meaning_is_near():
    lost, gone, rate = EMBEDDER.embed(
        ["I lost my card", "my bank card is missing", "why is the exchange rate so bad"]
    )
    assert lost @ gone > lost @ rate + 0.2


def test_a_question_at_the_end_of_a_long_note_counts():
    asked = "What is the dose of warfarin?"
    note, asking, question = EMBEDDER.embed([NOTE, f"{NOTE}\n{asked}", asked])
    assert asking @ note < 0.99
    assert asking @ question > note @ question + 0.1


@given(st.integers(0, 2000))
def test_windows_hold_the_beginning_and_the_end(size):
    ids = list(range(size))
    windows = _windows(ids)
    assert all(len(window) <= WINDOW for window in windows)
    assert windows[0] == ids[:WINDOW]
    assert windows[-1] == ids[-WINDOW:]
    assert len(windows) == (1 if size <= WINDOW else 2)


def test_a_million_characters():
    vector = EMBEDDER.embed(["word and deed. " * 70_000])[0]
    assert abs(float(vector @ vector) - 1) < 1e-5


def test_threads_get_the_same_vectors():
    fresh, right, got = MiniLMEmbedder(), EMBEDDER.embed(TEXTS), {}

    def embed(number: int) -> None:
        got[number] = fresh.embed(TEXTS)

    threads = [threading.Thread(target=embed, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [vectors.tobytes() for vectors in got.values()] == [right.tobytes()] * 4


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_progress_ends_with_all(count):
    told: list[tuple[int, int]] = []
    EMBEDDER.embed(["card"] * count, lambda done, of: told.append((done, of)))
    assert told[-1] == (count, count)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
