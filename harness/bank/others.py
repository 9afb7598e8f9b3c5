"""What other people's code raises while an index is written: never taken for the disk's fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Embedder, Progress

__all__ = ["OthersError", "SetApart", "as_raised", "set_apart"]


class OthersError(Exception):
    """Carries what an embedder or a caller's progress function raised.

    Attributes:
        error: As it was raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class SetApart:
    """An embedder whose errors are carried past those who handle errors of files.

    Args:
        embedder: The one that works.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        """The embedder's."""
        return self._embedder.name

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return the embedder's vectors.

        Raises:
            OthersError: It raised something.
        """
        with _carried():
            return self._embedder.embed(texts, progress)


def set_apart(progress: Progress) -> Callable[[int, int], None]:
    """Return a progress function whose errors are carried in the same way."""

    def told(done: int, total: int) -> None:
        with _carried():
            progress(done, total)

    return told


@contextmanager
def as_raised() -> Iterator[None]:
    """Raise what was carried as it was raised."""
    try:
        yield
    except OthersError as carried:
        raise carried.error from carried.error.__cause__


@contextmanager
def _carried() -> Iterator[None]:
    try:
        yield
    except OthersError:
        raise
    except Exception as error:
        raise OthersError(error) from error
