"""The wheel, built once, and a clean environment that it is installed into."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFLINE = re.compile(
    r"dns error|name resolution|NewConnectionError|ConnectTimeout|error sending request"
    r"|failed to lookup address|Network is unreachable|Connection refused",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An environment that has the wheel and what it declares, and nothing else."""

    folder: Path
    home: Path

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python3.*/site-packages"))

    def run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment."""
        return subprocess.run(
            [self.folder / "bin" / words[0], *words[1:]],
            cwd=cwd,
            env={**without_ours(), "HARNESS_HOME": str(self.home)},
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )


def without_ours() -> dict[str, str]:
    """The environment, less what would lead back to this checkout or to a provider."""
    ours = ("HARNESS_", "PYTHON", "VIRTUAL_ENV", "COV", "OPENAI_", "ANTHROPIC_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, shipped_home: Path
) -> Installed:
    folder = tmp_path_factory.mktemp("clean") / "venv"
    what = ["-c", str(ROOT / ".ci" / "constraints.txt"), str(wheel)]
    python = str(folder / "bin" / "python")
    if uv := shutil.which("uv"):
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        install = [uv, "pip", "install", "--quiet", "--python", python, *what]
    else:
        make = [sys.executable, "-m", "venv", str(folder)]
        install = [python, "-m", "pip", "install", "--quiet", *what]
    subprocess.run(make, check=True, capture_output=True, timeout=300, env=without_ours())
    done = subprocess.run(
        install, capture_output=True, text=True, timeout=1200, env=without_ours(), check=False
    )
    if done.returncode and OFFLINE.search(done.stderr) and os.environ.get("CI") != "true":
        pytest.skip("no package index can be reached from here, so the wheel can't be installed")
    assert done.returncode == 0, done.stderr[-3000:]
    return Installed(folder=folder, home=shipped_home)
