"""Long work through the command line: a real provider client over loopback, killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import _run
from harness.sdk.records import Records
from harness.settings import Settings
from harness.testing import ProviderServer, Request, ToolCall, Turn

DOMAIN = {
    "domain.yaml": "approvals:\n  ask: [write_file]\nmodel: openai:gpt-5-mini\n",
    "examples/cases.yaml": "- id: e1\n  input: My card is lost\n  output: Block the card.\n",
    "references/fees.md": "# Fees\n\nThe fee is 5 EUR a month.\n",
}
SLOW = 60.0
"""Seconds that the provider takes for the step in which the process is killed."""


def turn(tool: str, said: str = "", /, **arguments: Any) -> Turn:
    return Turn(text=said, tool_calls=(ToolCall(name=tool, arguments=arguments),))


class Provider:
    """Answers by how many results of tools a request has: a killed run asks the same again."""

    def __init__(self) -> None:
        self.slow_at: int | None = 2
        self.over = threading.Event()

    def __call__(self, request: Request) -> Turn:
        said = json.dumps(request.body)
        step = said.count('"function_call_output"') + said.count('"role": "tool"')
        answer = 'Too much: [fees.md: "The fee is 5 EUR"]'
        turns = [
            turn("read_file", "I read the bill.", path="bill.txt"),
            turn("write_file", path="letter.md", text="You charged 7 EUR."),
            turn("list_files"),
            turn("finish", answer=answer),
        ]
        if step == self.slow_at:
            self.over.wait(SLOW)
        return turns[step]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    script = Provider()
    with ProviderServer(script) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        yield script
        script.over.set()


@pytest.fixture
def domain(
    tmp_path: Path, write_domain: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))  # no runs but its own
    (tmp_path / "bill.txt").write_text("Fee: 7 EUR\n", "utf-8")
    return write_domain(**DOMAIN)


def harness(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_started_steered_killed_resumed_checked_erased(
    provider: Provider, domain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = harness(
        "run", str(domain), "Check the bill", "--file", str(tmp_path / "bill.txt"),
        "--background", "--json",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    begun = json.loads(said.stdout)
    run = begun["run"]
    records = Records.of(Settings())
    until(lambda: records.journal.run(run).tally.state == "waiting")
    assert _run(["runs", "show", run[:18]]) == 0
    assert "+You charged 7 EUR." in capsys.readouterr().out
    assert _run(["runs", "steer", "last", "Be brief."]) == 0
    assert _run(["runs", "approve", "last", "--reason", "fine"]) == 0
    until(lambda: records.journal.run(run).tally.steps == 2 and not _waits(records, run))
    until(lambda: any(one.event.TYPE == "file.changed" for one in records.events(run)))
    until(lambda: list(records.events(run))[-1].event.TYPE == "model.requested")
    os.killpg(begun["process"], signal.SIGKILL)
    until(lambda: not records.journal.run(run).worker)

    provider.slow_at = None
    provider.over.set()
    assert _run(["runs", "steer", run, "And be kind."]) == 0
    assert f"harness runs resume {run}" in capsys.readouterr().err
    resumed = harness("runs", "resume", run, "-o", str(tmp_path / "out"))
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == 'Too much: [fees.md: "The fee is 5 EUR"]\n'
    for told in ("A call to the model was cut short", "✓ fees.md, Fees: “The fee is 5 EUR”"):
        assert told in resumed.stderr
    assert (tmp_path / "out" / "letter.md").read_text() == "You charged 7 EUR."
    assert (tmp_path / "out" / "answer.md").read_text() == resumed.stdout
    (tmp_path / "home" / "workspaces" / run / "files" / "letter.md").write_text(
        "You charged 9 EUR."
    )
    assert _run(["runs", "show", run, "-o", str(tmp_path / "later")]) == 0
    assert "letter.md  text/markdown  18 bytes" in (shown := capsys.readouterr().out)
    assert "by write_file; changed in the workspace since" in shown
    assert (tmp_path / "later" / "letter.md").read_text() == "You charged 7 EUR."

    types = [one.event.TYPE for one in records.events(run)]
    assert types.count("steer.received") == 2
    assert types.count("file.changed") == 1
    capsys.readouterr()
    for words in (["verify", run], ["replay", run], ["tail", run], ["list"]):
        assert _run(["runs", *words]) == 0, words
    shown = capsys.readouterr().out
    assert f"{run}: {len(types):,} events, clean" in shown
    assert "> " in shown
    assert _run(["runs", "export", run]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["type"] for one in lines] == types
    _exported(run, tmp_path / "run.md")
    _taught(run, domain, capsys)
    assert _run(["runs", "erase", run, "--yes"]) == 0
    assert _run(["runs", "verify", run]) == 0
    assert _run(["runs", "show", run]) == 1
    assert "Traceback" not in capsys.readouterr().err
    records.door.close()


def _exported(run: str, out: Path) -> None:
    assert _run(["runs", "export", run, "--format", "transcript", "-o", str(out)]) == 0
    assert "Be brief." in out.read_text("utf-8")


def _taught(run: str, domain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Make examples of a run, as it was and corrected."""
    capsys.readouterr()
    assert _run(["examples", "from", run, "--why", "The list says so.", "--json"]) == 0
    made = capsys.readouterr()
    example = json.loads(made.out)["example"]
    assert (example["input"], example["status"]) == ("Check the bill", "draft")
    assert example["output"] == 'Too much: [fees.md: "The fee is 5 EUR"]'
    assert any("You charged 7 EUR." in step for step in example["steps"])
    assert "! The run was given bill.txt; the example has the words alone." in made.err
    assert _run(["correct", run, "--steps", "--answer", "It is 2 EUR too much.", "--json"]) == 0
    corrected = json.loads(capsys.readouterr().out)["example"]
    assert (corrected["output"], corrected["steps"]) == ("It is 2 EUR too much.", example["steps"])
    assert _run(["review", str(domain)]) == 0
    assert "  Step 1:\n" in capsys.readouterr().out


def _waits(records: Records, run: str) -> bool:
    return bool(records.journal.run(run).tally.waiting)


def test_without_a_terminal_it_ends_waiting_and_json_is_a_line_an_event(
    provider: Provider, domain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.slow_at = None
    words = ["run", str(domain), "Check the bill", "--file", str(tmp_path / "bill.txt")]
    assert _run([*words, "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["type"] == "run.started"
    assert lines[-1]["event"]["stop"] == "needs_input"
    run = lines[0]["run"]
    assert _run(["runs", "deny", run, "--reason", "No letter."]) == 0
    assert _run(["runs", "resume", run]) == 0
    assert "Too much" in capsys.readouterr().out
    assert _run(["runs", "fork", run, "--step", "1", "--json"]) == 1  # it asks again
    capsys.readouterr()
    assert _run(["runs", "list", "--json"]) == 0
    relations = [one["relation"] for one in json.loads(capsys.readouterr().out)]
    assert relations == ["fork", ""]


def test_what_was_not_done_is_named(
    provider: Provider, domain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.slow_at = None
    words = ["run", str(domain), "Check the bill", "--file", str(tmp_path / "bill.txt")]
    assert _run([*words, "--approve", "never"]) == 0
    told = capsys.readouterr().err
    assert "  ✗ write_file: The call was not made: it needs a person's approval" in told
    assert "refused by policy" not in told  # it would say the same twice


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["runs", "show", "nothing"], 1, "no run"),
        (["runs", "resume", "last"], 1, "no run"),
        (["runs", "approve", "x", "--arguments", "[1]"], 64, "JSON object"),
        (["runs", "verify"], 0, ""),
        (["runs", "list", "--json"], 0, ""),
    ],
)
def test_what_is_not_there_is_said(
    domain: Path, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(words) == code
    assert message.lower() in capsys.readouterr().err.lower()
