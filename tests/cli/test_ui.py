"""`harness ui` and `harness people` from the command line."""

from __future__ import annotations

import socket


def test_a_port_that_is_taken_is_said_at_once(run) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        ran = run("ui", "--port", str(port))
    assert ran.code == 64
    assert f"Port {port} of 127.0.0.1 can't be had" in ran.err


def test_a_first_administrator(run, tmp_path) -> None:
    home = ("--home", tmp_path / "state")
    assert "Nobody has a role" in run("people", "list", *home).out
    assert run("people", "grant", "Ada@example.org", "admin", *home).code == 0
    assert run("people", "list", "--json", *home).json == {"*": {"ada@example.org": "admin"}}
    granted = run("people", "grant", "*", "reader", "--domain", "mail", *home, "--json").json
    assert granted["mail"] == {"*": "reader"}
    assert "admin" in run("people", "list", *home).out
    run("people", "grant", "ada@example.org", "nobody", *home)
    assert run("people", "list", "--json", *home).json == {"mail": {"*": "reader"}}
    assert run("people", "grant", "ada@example.org", "boss", *home).code == 64
    assert run("people", "grant", " ", "admin", *home).code == 64
    (tmp_path / "state" / "people.json").write_text("{", "utf-8")
    assert "Mend it" in run("people", "list", *home).err
