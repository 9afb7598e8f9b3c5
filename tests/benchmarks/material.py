"""The material that benchmarks work on: shipped domains, as banks of their training rows alone."""

from __future__ import annotations

import csv
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.domain import read_domain
from harness.sdk.opened import Current, Opened
from harness.settings import Settings

__all__ = ["DOMAINS", "Material", "Question"]

DOMAINS = Path(__file__).parents[2] / "domains"
QUICK_ROWS = 300
QUICK_QUESTIONS = 12


@dataclass(frozen=True, kw_only=True)
class Question:
    """An eval case's input, and the label that is right."""

    text: str
    label: str


class Material:
    """Makes domains and banks in one folder; each bank once.

    Args:
        folder: Scratch space.
        quick: Few rows and few questions.
    """

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.quick = quick
        self._opened: dict[str, Opened] = {}

    def close(self) -> None:
        """Let go of all banks."""
        for opened in self._opened.values():
            opened.close()

    def bank(self, name: str) -> Current:
        """Return a shipped domain without its eval cases, indexed and open."""
        if name not in self._opened:
            self._opened[name] = self.open(self.rows(name), self.home)
        return self._opened[name].current()

    def rows(self, name: str) -> Path:
        """Return the folder of a shipped domain without its eval cases, copied once."""
        folder = self.folder / f"{name}-rows"
        return folder if folder.exists() else self.copy(name, folder.name)

    def open(self, domain: Path, home: Path) -> Opened:
        """Return a domain folder ready to be opened, with a state folder of its own."""
        return Opened(domain, Settings({"home": str(home)}))

    def copy(self, name: str, to: str) -> Path:
        """Copy a shipped domain without its eval cases; return the new folder."""
        target = self.folder / to
        shutil.copytree(DOMAINS / name, target, ignore=shutil.ignore_patterns("evals"))
        if self.quick:
            for path in (target / "examples").glob("*.csv"):
                write_rows(path, random.Random(1).sample(read_rows(path), QUICK_ROWS))
        return target

    def questions(self, name: str, most: int | None = None) -> list[Question]:
        """Return the dev and holdout cases of a shipped domain, in a fixed shuffle."""
        cases = [case for case in read_domain(DOMAINS / name).cases if case.split != "sealed"]
        random.Random(2).shuffle(cases)
        most = QUICK_QUESTIONS if self.quick else most
        return [Question(text=case.input, label=str(case.expected)) for case in cases[:most]]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
