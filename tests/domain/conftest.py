from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.domain import Domain, lint, read_domain
from harness.values import Problem

Files = Mapping[str, str | bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes a domain folder called `claims`; texts are written as UTF-8 with their line ends."""

    def write(files: Files) -> Path:
        root = tmp_path / "claims"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


SKILL = "---\nname: claims\ndescription: Sorts claims.\n---\nRead the claim twice.\n"


@pytest.fixture
def domain(folder: Callable[[Files], Path]) -> Callable[[Files], Domain]:
    """Writes a folder with a sound SKILL.md and reads it."""
    return lambda files: read_domain(folder({"SKILL.md": SKILL, **files}))


@pytest.fixture
def problems(domain: Callable[[Files], Domain]) -> Callable[[Files], tuple[Problem, ...]]:
    """Writes a folder with a sound SKILL.md and lints it.

    That a folder of one file has no examples is left out: it is true of most and meant by none.
    """

    def found(files: Files) -> tuple[Problem, ...]:
        return tuple(one for one in lint(domain(files)) if one.code != "no-examples")

    return found
