"""The backends that are on this machine, and a host with something to steal."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from harness.adapters.sandbox_bubblewrap import BubblewrapSandbox
from harness.adapters.sandbox_command import python_folders
from harness.adapters.sandbox_monty import MontyCalculator
from harness.adapters.sandbox_seccomp import _MACHINES
from harness.errors import SandboxAbsent
from harness.seams_hands import SandboxJob, SandboxLimits, SandboxResult

MARK = "harness-test-mark"
SECRET = "sk-harness-test-secret"
LIMITS = SandboxLimits(seconds=2.5, memory=160 << 20, disk=32 << 20, processes=48, output=20_000)
"""A fiftieth of what users have, so that the battery is quick; the proof is the same."""


class Backend(Protocol):
    """What the battery is run against."""

    name: str

    def run(self, code: str) -> SandboxResult: ...


@dataclass
class InBubblewrap:
    name: str = "bubblewrap"

    def run(self, code: str) -> SandboxResult:
        return BubblewrapSandbox(LIMITS).run(SandboxJob(kind="python", code=code))


@dataclass
class InMonty:
    name: str
    bubblewrap: str | None

    def run(self, code: str) -> SandboxResult:
        limits = SandboxLimits(seconds=1.0, memory=32 << 20, output=20_000)
        calculator = MontyCalculator(limits, bubblewrap=self.bubblewrap)
        try:
            return calculator.run(code)
        finally:
            assert calculator.name == self.name
            calculator.close()


BACKENDS = ("bubblewrap", "monty", "monty in bubblewrap")


def why_absent(name: str) -> str:
    """Return why a backend is not on this machine; nothing where it is."""
    if "bubblewrap" not in name:
        return ""
    try:
        BubblewrapSandbox(LIMITS).run(SandboxJob(kind="python", code="1"))
    except SandboxAbsent as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def absent() -> Mapping[str, str]:
    return {name: why_absent(name) for name in BACKENDS}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, absent: Mapping[str, str]) -> Backend:
    why = absent[request.param]
    if why:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{request.param} is absent here: {why}")
        pytest.skip(f"{request.param} is absent here: {why}")
    if request.param == "bubblewrap":
        return InBubblewrap()
    return InMonty(request.param, None if "bubblewrap" in request.param else "")


@pytest.fixture
def bubblewrap(absent: Mapping[str, str]) -> BubblewrapSandbox:
    why = absent["bubblewrap"]
    if why and os.environ.get("CI") != "true":
        pytest.skip(f"bubblewrap is absent here: {why}")
    return BubblewrapSandbox(LIMITS)


@dataclass(kw_only=True)
class Host:
    """What stands on the host, for attacks to reach for."""

    words: dict[str, object]
    udp: socket.socket
    victim: subprocess.Popen[bytes]

    def fill(self, code: str) -> str:
        """Return a script with the host's names in it."""
        for name, value in self.words.items():
            code = code.replace(f"{{{name}!r}}", repr(value)).replace(f"{{{name}}}", str(value))
        return code

    def untouched(self) -> bool:
        """Say whether nothing reached the host."""
        try:
            self.udp.recv(100)
        except BlockingIOError:
            return self.victim.poll() is None
        return False


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    for folder in ("home", "sibling", "plain"):
        (tmp_path / folder).mkdir()
    (tmp_path / "home" / "letter.txt").write_text(MARK)
    (tmp_path / "sibling" / "secret.txt").write_text(MARK)
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0harness-{os.getpid()}-{id(tmp_path)}")
    abstract.listen()
    by_path = socket.socket(socket.AF_UNIX)
    place = Path(f"/tmp/harness-{os.getpid()}-{id(tmp_path)}.sock")  # paths of sockets are short
    by_path.bind(str(place))
    by_path.listen()
    victim = subprocess.Popen([shutil.which("sleep") or "sleep", "1000.125"])
    numbers = _MACHINES[os.uname().machine]
    calls = {
        name: number
        for name, number in numbers.refused.items()
        if name not in ("ustat", "sysfs", "uselib", "_sysctl", "modify_ldt")
    }
    folders = python_folders()
    home = Path.home()
    yield Host(
        words={
            "private": str(tmp_path / "home" / "letter.txt"),
            "sibling": str(tmp_path / "sibling" / "secret.txt"),
            "mark": MARK,
            "home": str(home),
            "shown": sorted({Path(one).relative_to(home).parts[0] for one in folders
                             if Path(one).is_relative_to(home)}),
            "folder": str(tmp_path / "plain"),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "abstract": abstract.getsockname()[1:].decode(),
            "socket": str(place),
            "secret": SECRET,
            "marker": "1000.125",
            "pid": victim.pid,
            "clone": numbers.clone,
            "ptrace": numbers.refused["ptrace"],
            "readv": numbers.refused["process_vm_readv"],
            "calls": calls,
            "disk": LIMITS.disk,
            "memory": LIMITS.memory,
        },
        udp=udp,
        victim=victim,
    )  # fmt: skip
    victim.kill()
    victim.wait()
    for one in (tcp, udp, abstract, by_path):
        one.close()
    place.unlink()


def run_bare(code: str, folder: Path) -> str:
    """Run a script without a sandbox; return what it said."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout
