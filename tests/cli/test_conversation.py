"""`harness ask --continue`: the next question of a conversation, from a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import _run
from harness.testing import ProviderServer, Turn


def test_it_goes_on_with_what_was_said_and_with_the_model_that_said_it(
    write_domain: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CANARY_TOKEN", "canary-0123456789")
    folder = str(write_domain(**{"references/fees.md": "# Fees\n\nThe fee is 5 EUR a month.\n"}))
    assert _run(["ask", folder, "--continue", "And?"]) == 1
    assert "Nothing was asked of" in capsys.readouterr().err
    with ProviderServer([Turn(text="5 EUR"), Turn(text="60 EUR")]) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        first = ["The fee, for canary-0123456789?", "--model", "openai:gpt-5-mini"]
        assert _run(["ask", folder, *first]) == 0
        assert _run(["ask", folder, "--continue", "And in a year?", "--json"]) == 0
    given = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert (given["text"], given["model"]) == ("60 EUR", "gpt-5-mini")
    sent = json.dumps(server.requests[-1].body)
    assert "The fee, for [secret:CANARY_TOKEN]?" in sent
    assert "And in a year?" in sent
    assert "canary-0123456789" not in json.dumps([one.body for one in server.requests])
