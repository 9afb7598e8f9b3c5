"""What an embedder or a caller's function raises is raised as it is, not put on the disk."""

from __future__ import annotations

import sqlite3

import pytest

from harness.errors import ModelError
from harness.testing import HashEmbedder


class Failing(HashEmbedder):
    """Fails after its first texts."""

    def __init__(self, error: Exception) -> None:
        super().__init__(64)
        self._error = error

    def embed(self, texts, progress=None):
        if len(texts) < 512:
            raise self._error
        return super().embed(texts, progress)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("refused"),
        OSError(28, "No space left on device"),
        sqlite3.OperationalError("of a cache of its own"),
        sqlite3.DatabaseError("file is not a database"),
        ModelError("The provider failed.", "Ask again."),
        ValueError("x"),
    ],
)
def test_an_embedder_that_fails(shelf, questions, error: Exception) -> None:
    shelf.write(questions(520))
    with pytest.raises(type(error)) as raised:
        shelf.sync(embedder=Failing(error))
    assert raised.value is error
    assert not shelf.versions
    assert not shelf.left_over
    assert shelf.sync().embedded == 8  # what was embedded before is kept


def test_a_progress_function_that_fails(shelf, questions) -> None:
    error = BrokenPipeError(32, "Broken pipe")

    def told(done: int, total: int) -> None:
        raise error

    shelf.write(questions(3))
    with pytest.raises(BrokenPipeError) as raised:
        shelf.sync(progress=told)
    assert raised.value is error
    assert shelf.synced() == (0, True)
