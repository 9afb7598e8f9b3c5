"""A text in the person's own editor, or why there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.cli.editor import edited
from harness.errors import UsageError


def test_the_text_comes_back_as_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "my editor.py"
    program.write_text(
        "import sys; f = sys.argv[1]; assert f.endswith('.json')\n"
        "t = open(f, encoding='utf-8').read(); open(f, 'w', encoding='utf-8').write(t + 'ü')\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} '{program}'")
    monkeypatch.delenv("VISUAL", raising=False)
    assert edited("é", ending=".json") == "éü"


@pytest.mark.parametrize(
    ("editor", "path", "message"),
    [
        ("/nowhere/editor", None, "can't be started"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", None, "ended with code 3"),
        ("", "/nowhere", "There is no editor"),
    ],
)
def test_why_there_is_none(
    editor: str, path: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    monkeypatch.delenv("EDITOR", raising=False)
    if path:
        monkeypatch.setenv("PATH", path)
    with pytest.raises(UsageError, match=message) as raised:
        edited("text", ending=".txt")
    assert "export EDITOR" in str(raised.value)
