"""Several people on one server: they sign in, and each may do what their role says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness import Harness
from harness.domain.scaffold import scaffold
from harness.sdk.people import People
from tests.ui.conftest import Server, Visit, free_port, serving
from tests.ui.sign_in_provider import SignInProvider

ADA, BEN, EVE = "ada@example.org", "ben@example.org", "eve@example.org"
QUESTION = "The courier left my parcel in the rain"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Server]:
    """The app as an organisation runs it: people sign in, two of them review."""
    base = tmp_path_factory.mktemp("organisation")
    scaffold(base / "desk", name="desk", template="labels")
    with (base / "desk" / "domain.yaml").open("a", encoding="utf-8") as file:
        file.write("\nreview: two_people\n")
    port = free_port()
    with SignInProvider([ADA, BEN, EVE]) as provider:
        (base / ".streamlit").mkdir()
        (base / ".streamlit" / "secrets.toml").write_text(
            "[auth]\n"
            f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            'cookie_secret = "a long random text for a test"\n'
            f'client_id = "{provider.client}"\nclient_secret = "{provider.secret}"\n'
            f'server_metadata_url = "{provider.address}/.well-known/openid-configuration"\n',
            "utf-8",
        )
        with serving(base, base / "desk", port=port) as server:
            yield server


def sign_in(browser: Any, server: Server, who: str) -> Visit:
    one = Visit(browser, server)
    one.go()
    assert "Sign in with your organisation's account" in one.text()
    one.key("sign-in").locator("button").click()
    one.page.get_by_role("link", name=who).click()
    one.page.wait_for_selector(".st-key-sign-out")
    one.settle()
    return one


def test_who_signs_in_does_what_their_role_allows_and_is_on_record(
    shared: Server, browser: Any
) -> None:
    people = People(shared.home)
    people.grant("desk", ADA, "expert", by="setup")
    people.grant("desk", BEN, "reader", by="setup")
    people.grant("*", EVE, "admin", by="setup")

    ada = sign_in(browser, shared, ADA)
    ada.turn_to("correct")
    ada.write("question-new", QUESTION)
    box = ada.key("answer-new").locator("input")
    box.fill("complaint")
    box.press("Enter")
    ada.settle()
    ada.press("save")
    ada.sees("Saved as a draft")
    ada.turn_to("review")
    assert "needs the role reviewer" in ada.text()
    assert ada.key("accept").count() == 0

    ben = sign_in(browser, shared, BEN)
    ben.turn_to("correct")
    assert "needs the role expert" in ben.text()
    ben.turn_to("people")
    assert ben.key("grant-do").count() == 0

    eve = sign_in(browser, shared, EVE)
    eve.turn_to("people")
    eve.write("grant-who", BEN)
    eve.key("grant-role").locator("input").fill("reviewer")
    eve.key("grant-role").locator("input").press("Enter")
    eve.key("grant-do").locator("button").click()
    for _ in range(50):
        if people.role("desk", BEN) == "reviewer":
            break
        eve.page.wait_for_timeout(100)
    assert people.role("desk", BEN) == "reviewer"

    ben.turn_to("review")
    assert "So far: ada@example.org" in ben.text()
    ben.press("accept")
    ben.sees("is accepted")
    with Harness(shared.domain, home=shared.home) as h:
        records = [(one.deed, one.by) for one in h.examples.log if one.id.startswith("corr")]
        assert records == [("proposed", ADA), ("accepted", BEN)]
        assert all(one.at for one in h.examples.log)
    rows = YAML(typ="safe").load(
        Path(shared.domain / "examples" / "corrections.yaml").read_text("utf-8")
    )
    assert [(row["author"], row["status"]) for row in rows] == [(ADA, "approved")]

    ben.press("sign-out")
    ben.page.wait_for_selector(".st-key-sign-in")
    assert QUESTION not in ben.text()

    people.grant("desk", ADA, "nobody", by="setup")
    for page in ("examples", "people", "domain"):
        ada.go(page)
        ada.sees("You have no role here yet")
        assert QUESTION not in ada.text()
        assert ada.key("table").count() == ada.key("new-do").count() == 0
    for one in (ada, ben, eve):
        one.close()
