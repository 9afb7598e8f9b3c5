"""Small domains with a model that says what a test tells it to; each indexed once a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import Harness
from harness.settings import Settings
from harness.testing import Call, Fault, HashEmbedder, ScriptedModel, Turn
from tests.sdk.runs.turns import ASKING, DOMAIN

Opened = Callable[..., Harness]


class Desk:
    """A domain that stays open, and the turns that its model has still to say."""

    def __init__(self, base: Path, **files: str) -> None:
        self.folder = base / "small"
        for name, text in {**DOMAIN, **files}.items():
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        self._turns: list[Turn] = []
        self.model = ScriptedModel(self._next)
        self.harness = Harness(
            self.folder,
            model=self.model,
            embedder=HashEmbedder(),
            settings=Settings(
                {"home": str(base / "home"), "keys": str(base / "keys"), "model": self.model.name}
            ),
        )

    def _next(self, _: Call) -> Turn:
        return self._turns.pop(0) if self._turns else Turn(fault=Fault(kind="refused"))

    def opened(self, *turns: Turn) -> Harness:
        """Return the open domain; its model says these turns, and forgets others."""
        self._turns[:] = turns
        self.model.calls.clear()
        return self.harness


@pytest.fixture(scope="session")
def _desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Desk]]:
    with ExitStack() as stack:
        desks = {
            "plain": Desk(tmp_path_factory.mktemp("plain")),
            "asking": Desk(tmp_path_factory.mktemp("asking"), **{"domain.yaml": ASKING}),
        }
        for desk in desks.values():
            stack.callback(desk.harness.close)
        yield desks


@pytest.fixture
def desk(_desks: dict[str, Desk]) -> Desk:
    """A domain without settings."""
    return _desks["plain"]


@pytest.fixture
def opened(desk: Desk) -> Opened:
    """Open the domain without settings; the arguments are what its model says."""
    return desk.opened


@pytest.fixture
def asking(_desks: dict[str, Desk]) -> Opened:
    """Open a domain where `write_file` asks for approval."""
    return _desks["asking"].opened


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Make a domain for one test alone."""
    with ExitStack() as stack:

        def make(**files: str) -> Desk:
            made = Desk(tmp_path, **files)
            stack.callback(made.harness.close)
            return made

        yield make
