"""What a benchmark found: figures beside the wanted ones, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["Figure", "Record"]

VERSIONED = (
    "domain-harness", "chromadb", "langchain-chroma", "langchain-core", "onnxruntime", "numpy",
    "bm25s", "tiktoken", "sqlalchemy", "langchain", "langgraph-checkpoint-sqlite",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number.

    Attributes:
        wanted: In words, `≤ 2`; empty where nothing is wanted.
        met: Whether the value is as wanted; None where nothing is.
    """

    name: str
    value: float
    unit: str
    wanted: str = ""
    met: bool | None = None


class Record:
    """Figures of one benchmark, in the order of adding.

    Args:
        name: Names the JSON file.
        title: One line on what is measured.
        quick: Tiny sizes: the figures only show that the benchmark works.
    """

    def __init__(self, name: str, title: str, *, quick: bool) -> None:
        self.name = name
        self.title = title
        self.quick = quick
        self.figures: list[Figure] = []
        self.notes: list[str] = []
        self._started = time.perf_counter()

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Add a figure, with what is wanted of it.

        Args:
            name: What was measured.
            value: The number; a fraction is kept to four significant digits.
            unit: Its unit; `times` for a ratio.
            at_most: The largest wanted value.
            at_least: The smallest wanted value.
        """
        wanted, met = "", None
        if at_most is not None:
            wanted, met = f"≤ {at_most:g}", value <= at_most
        elif at_least is not None:
            wanted, met = f"≥ {at_least:g}", value >= at_least
        rounded = value if value == int(value) else float(f"{value:.4g}")
        self.figures.append(Figure(name=name, value=rounded, unit=unit, wanted=wanted, met=met))

    def note(self, text: str) -> None:
        """Add a sentence that the figures need to be read rightly."""
        self.notes.append(text)

    def __str__(self) -> str:
        quick = " (quick: sizes too small for the figures to mean anything)" if self.quick else ""
        width = max([len(figure.name) for figure in self.figures], default=0)
        lines = [f"{self.name}: {self.title}{quick}"]
        for figure in self.figures:
            mark = {None: "", True: "met", False: "" if self.quick else "MISSED"}[figure.met]
            value = f"{_said(figure.value):>10} {figure.unit:<9}"
            lines.append(f"  {figure.name:<{width}} {value} {figure.wanted:<8} {mark}".rstrip())
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_json(self) -> dict[str, Any]:
        """Return the figures with all that is needed to compare them with another day's."""
        return {
            "benchmark": self.name,
            "title": self.title,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": self.quick,
            "seconds": round(time.perf_counter() - self._started, 1),
            "machine": machine(),
            "versions": {name: _version(name) for name in VERSIONED},
            "figures": [asdict(figure) for figure in self.figures],
            "notes": self.notes,
        }

    def write(self, folder: Path) -> Path:
        """Write the JSON and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")
        return path


def machine() -> Mapping[str, str | int | float]:
    """Return what the figures hang on; `load` is the one-minute load average at the end."""
    return {
        "cores": os.cpu_count() or 1,
        "processor": platform.machine(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else -1,
    }


def _said(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
