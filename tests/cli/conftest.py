"""The command line as a user meets it: words in; exit code, stdout and stderr out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cli import _run
from harness.domain.scaffold import scaffold

ENTRY = (sys.executable, "-c", "from harness.cli import main; main()")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What came of one command line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as JSON: fails where anything else stands there."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def cli_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all tests of the command line, so that a domain is indexed once."""
    return tmp_path_factory.mktemp("cli") / "home"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(
    _own_world: None, tmp_path: Path, cli_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HARNESS_HOME", str(cli_home))


@pytest.fixture(scope="session")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A label domain of 19 examples, 6 eval cases and a reference: never written to."""
    folder = tmp_path_factory.mktemp("domains") / "mail"
    scaffold(folder, name="mail", template="labels")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def in_process(*words: str | Path) -> Ran:
        capsys.readouterr()
        code = _run([str(word) for word in words])
        said = capsys.readouterr()
        return Ran(code=code, out=said.out, err=said.err)

    return in_process


@pytest.fixture
def spawn() -> Run:
    """Run a command line as a process of its own, the way a shell does."""

    def in_a_process(
        *words: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b"", **how: Any
    ) -> Ran:
        done = subprocess.run(
            [*ENTRY, *map(str, words)],
            input=stdin,
            capture_output=True,
            timeout=120,
            env={**os.environ, **(env or {})},
            check=False,
            **how,
        )
        return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())

    return in_a_process
