"""A server that is killed in the middle of an answer: what had come is there when it is back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.testing import Turn
from tests.ui.conftest import Server, Visit, make_office, serving

SLOW = Turn(text="Six months, in writing, says the lease. " * 120, pace=0.05, pieces=480)
"""Half a minute of text: it is far from its end when the server is killed."""


@pytest.fixture
def base(tmp_path: Path, few_authorities: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_USER", "ada")
    monkeypatch.setenv("SSL_CERT_FILE", str(few_authorities))
    make_office(tmp_path / "office")
    make_office(tmp_path / "desk")
    settings = tmp_path / "desk" / "domain.yaml"
    settings.write_text("model: openai:gpt-5\n", "utf-8")  # no tools: answered in one call
    return tmp_path


def ask(one: Visit, server: Server, question: str) -> None:
    server.script.append(SLOW)
    box = one.page.locator("[data-testid=stChatInputTextArea]")
    box.fill(question)
    box.press("Enter")


def says(one: Visit, least: int) -> None:
    """Wait until the answer has as many sentences."""
    said = "(document.querySelector('[data-testid=stMainBlockContainer]')?.innerText ?? '')"
    one.page.wait_for_function(f"{said}.split('says the lease').length > {least}")


def test_what_was_streamed_outlives_a_killed_server_and_a_stop(base: Path, browser: Any) -> None:
    asked: dict[str, str] = {}
    with serving(base, base / "desk", base / "office") as server:
        one = Visit(browser, server).go(domain="desk")
        ask(one, server, "How long is the notice?")
        says(one, 4)
        one.press("stop")
        one.sees("Stopped. What was there is kept.")
        asked["stopped"] = one.page.url
        one.press("new")
        ask(one, server, "And in which form?")
        other = Visit(browser, server).go(domain="office")
        ask(other, server, "Work it out, please.")
        for name, visit in (("cut", one), ("work", other)):
            says(visit, 16)
            asked[name] = visit.page.url
        server.kill()
        before = {name: address.partition("?")[2] for name, address in asked.items()}
        one.close()
        other.close()
    with serving(base, base / "desk", base / "office") as again:
        back = Visit(browser, again)
        for name, words in (
            ("stopped", "What had come until then is kept."),
            ("cut", "Cut off here: the program that answered has ended."),
            ("work", "Nobody works on it"),
        ):
            back.page.goto(f"{again.address}/?{before[name]}")
            back.sees(words)
            says(back, 4)  # of the others, all but what came in the last second
        again.script.append(Turn(text="Now in whole."))
        back.press("take-up")
        back.sees("Now in whole.")
        assert "says the lease" not in back.key("answer").inner_text()
        back.page.goto(f"{again.address}/?{before['cut']}")
        again.script.append(Turn(text="Now in whole."))
        back.press("ask-it-again")
        back.sees("Now in whole.")
        assert back.foreign == []
        back.close()
