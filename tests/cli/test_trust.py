"""`harness trust` and what `harness doctor` says of the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.errors import ToolsNotTrusted

TOOL = '''def late(days: int) -> float:
    """Interest for a delay.

    Effect: read
    Secrets: RATES_TOKEN
    """
    return days * 0.1
'''


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "desk"
    (folder / "tools").mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: desk\ndescription: A desk.\n---\nBe kind.\n")
    (folder / "tools" / "late.py").write_text(TOOL)
    return folder


def trust(desk: Path, *words: str, stdin: str | None = None):
    home = str(desk.parent / "home")
    return CliRunner().invoke(app, ["trust", str(desk), "--home", home, *words], input=stdin)


def test_the_tools_are_shown_and_trusted(desk: Path):
    done = trust(desk, "--yes", "--host", "late")
    assert done.exit_code == 0, done.output
    assert "late  outside of the sandbox, effect read  (tools/late.py:1)" in done.output
    assert "Interest for a delay." in done.output
    assert "gets RATES_TOKEN from your environment" in done.output
    assert "Trusted as they are now" in done.output
    again = trust(desk, "--refuse")
    assert "You trusted them as they are on" in again.output
    assert "go on without" in again.output
    (desk / "tools" / "late.py").write_text(TOOL.replace("0.1", "0.2"))
    assert "They have changed since" in trust(desk, "--yes").output


def test_nobody_to_ask_is_no_yes(desk: Path):
    done = trust(desk)
    assert isinstance(done.exception, ToolsNotTrusted)
    assert not (desk.parent / "home" / "trust.json").exists()


@pytest.mark.parametrize(("word", "given"), [("y", True), ("yes", True), ("", False), ("n", False)])
def test_a_person_is_asked(desk: Path, monkeypatch, word: str, given: bool):
    import sys
    from io import StringIO

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    from harness.cli.trust import _sure

    monkeypatch.setattr(sys, "stdin", Terminal(f"{word}\n"))
    if given:
        _sure(yes=False)
    else:
        with pytest.raises(ToolsNotTrusted):
            _sure(yes=False)


def test_json_is_alone_on_stdout(desk: Path):
    done = trust(desk, "--yes", "--json")
    said = json.loads(done.stdout)
    assert said["trusted"] is True
    assert said["functions"] == [
        {"name": "late", "file": "tools/late.py", "line": 1, "effect": "read"}
    ]
    (desk / "tools" / "late.py").unlink()
    nothing = trust(desk)
    assert "brings no tools" in nothing.output
    assert json.loads(trust(desk, "--json").stdout)["trusted"] is False


def test_what_a_terminal_would_act_upon_is_taken_out(desk: Path):
    (desk / "tools" / "late.py").write_text(TOOL.replace("Interest", "\x1b[2JInterest"))
    assert "\x1b" not in trust(desk, "--yes").output
