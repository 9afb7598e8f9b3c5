"""A journal in SQLite and in a real PostgreSQL, and what an attacker of either can do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import harness
from harness.adapters.journal_sql import SqlJournal
from harness.journal.events import RunStarted, ToolFinished, ToolStarted
from harness.seams_journal import Journal
from harness.testing import MemoryJournal

ROOT = Path(harness.__file__).parents[1]


@dataclass
class Place:
    """Where a journal is kept."""

    home: Path
    keys: Path
    url: str | None = None
    opened: list[SqlJournal] = field(default_factory=list)

    @property
    def database(self) -> str:
        return self.url or f"sqlite:///{self.home / 'harness.db'}"

    def open(self, **options: Any) -> SqlJournal:
        journal = SqlJournal(self.home, self.keys, url=self.url, **options)
        self.opened.append(journal)
        return journal

    def attack(self, statement: str, **values: Any) -> None:
        """Change the database behind the journal's back, its triggers switched off."""
        engine = sa.create_engine(self.database.replace("postgresql:", "postgresql+psycopg:"))
        try:
            with engine.begin() as connection:
                for table in ("events", "reasoning", "blobs"):
                    if self.url:
                        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
                    else:
                        for verb in ("UPDATE", "DELETE"):
                            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_{verb}")
                connection.execute(sa.text(statement), values)
        finally:
            engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    place = Place(home=tmp_path / "state", keys=tmp_path / "keys")
    yield place
    for journal in place.opened:
        journal.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    place = Place(home=tmp_path / "state", keys=tmp_path / "keys")
    if request.param == "postgresql":
        place.url = request.getfixturevalue("new_database")()
    yield place
    for journal in place.opened:
        journal.close()


class MemoryPlace:
    """Where the fake keeps its runs: whoever opens it sees the same."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()

    def open(self) -> MemoryJournal:
        return self.journal


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place | MemoryPlace]:
    """What every journal promises, the fake that ships for users included."""
    if request.param == "memory":
        yield MemoryPlace()
        return
    place = Place(home=tmp_path / "state", keys=tmp_path / "keys")
    if request.param == "postgresql":
        place.url = request.getfixturevalue("new_database")()
    yield place
    for journal in place.opened:
        journal.close()


STARTED = RunStarted(goal="Check it.\nAll.", domain="law", domain_version="v1", model="m:x")


@pytest.fixture
def started() -> RunStarted:
    return STARTED


@pytest.fixture
def filled(place: Place) -> Callable[..., SqlJournal]:
    """A journal with a run of 1 + 2 n events, closed, and the journal still open."""
    return filling(place)


@pytest.fixture
def filled_anywhere(anywhere: Place | MemoryPlace) -> Callable[..., Journal]:
    """The same in any journal."""
    return filling(anywhere)


def filling(place: Any) -> Callable[..., Any]:
    def fill(run: str = "r1", steps: int = 5) -> Any:
        journal = place.open()
        with journal.start(run) as writer:
            writer.append(STARTED)
            for step in range(1, steps + 1):
                call = f"c{step}"
                writer.append(
                    ToolStarted(step=step, call=call, tool="t", arguments={"n": step}),
                    ToolFinished(step=step, call=call, tool="t", text=f"said {step}"),
                )
        return journal

    return fill


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python code in a process of its own, with this checkout's harness."""
    processes: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
