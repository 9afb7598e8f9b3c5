"""At a terminal, a run asks the person who sits there: a process of its own, on a real pty."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.testing import ProviderServer, Request, ToolCall, Turn

DOMAIN = {
    "domain.yaml": "approvals:\n  ask: [write_file]\nmodel: openai:gpt-5-mini\n",
    "examples/cases.yaml": "- id: e1\n  input: My card is lost\n  output: Block the card.\n",
}
PATIENCE = 120.0
EDITOR = """
import pathlib, sys
file, mark = pathlib.Path(sys.argv[1]), pathlib.Path(__file__ + ".mark")
file.write_text(file.read_text().replace("third", "THIRD") if mark.exists() else "oh no")
mark.touch()
"""


def call(tool: str, **arguments: Any) -> Turn:
    return Turn(tool_calls=(ToolCall(name=tool, arguments=arguments),))


def script(request: Request) -> Turn:
    said = json.dumps(request.body)
    step = said.count('"function_call_output"') + said.count('"role": "tool"')
    return [
        call("write_file", path="a.md", text="first"),
        call("write_file", path="b.md", text="second"),
        call("write_file", path="c.md", text="third"),
        call("ask", question="Which colour?"),
        call("finish", answer="It is done."),
    ][step]


class Terminal:
    """A command on a terminal; what it prints there is read, what a person types is sent."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self.said = ""
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from harness.cli import main; main()", *words],
            stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, cwd=folder, text=True,
        )  # fmt: skip
        os.close(theirs)

    def wait_for(self, words: str) -> None:
        """Read on until these words stand there, behind what was waited for before."""
        end = time.monotonic() + PATIENCE
        while words not in self.said:
            assert time.monotonic() < end, self.said
            assert self._read() or words in self.said, self.said
        self.said = self.said.partition(words)[2]

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def ended(self) -> tuple[int, str]:
        """Return exit code and stdout."""
        while self._read():
            pass
        out, _ = self._process.communicate(timeout=PATIENCE)
        os.close(self._ours)
        return self._process.returncode, out

    def _read(self) -> bool:
        """Read what is there; False where the other end is closed."""
        ready, _, _ = select.select([self._ours], [], [], 1.0)
        if not ready:
            return self._process.poll() is None
        try:
            more = os.read(self._ours, 1 << 16)
        except OSError:  # how Linux says that the last process has left the terminal
            return False
        self.said += more.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(more)


def test_it_asks_the_person_at_the_terminal(
    write_domain: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VISUAL", f"{sys.executable} {tmp_path / 'editor.py'}")
    (tmp_path / "editor.py").write_text(EDITOR, "utf-8")
    folder = write_domain(**DOMAIN)
    with ProviderServer(script) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        terminal = Terminal(["run", str(folder), "Write two", "-o", str(tmp_path / "out")], folder)
        terminal.wait_for("+first")
        terminal.wait_for("Allow?")
        terminal.type("y")
        terminal.wait_for("a.md is written")
        terminal.wait_for("Allow?")
        terminal.type("no")
        terminal.wait_for("Why not write_file?")
        terminal.type("One is enough.")
        terminal.wait_for("One is enough.")
        terminal.wait_for("Allow?")
        terminal.type("e")
        terminal.wait_for("That is no JSON")
        terminal.wait_for("Allow?")
        terminal.type("e")
        terminal.wait_for("c.md is written")
        terminal.wait_for("Which colour?")
        terminal.wait_for("Your answer")
        terminal.type("blue")
        code, out = terminal.ended()
    assert (code, out) == (0, "It is done.\n"), terminal.said
    assert (tmp_path / "out" / "a.md").read_text() == "first"
    assert not (tmp_path / "out" / "b.md").exists()
    assert (tmp_path / "out" / "c.md").read_text() == "THIRD"
    sent = json.dumps(server.requests[-1].body)
    assert "One is enough." in sent
    assert "blue" in sent
