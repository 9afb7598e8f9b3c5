"""The command as a process: signals, pipes, streams that are no terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.settings import Settings
from harness.testing import ProviderServer, Turn
from harness.wiring import make_eval_store

ENTRY = (sys.executable, "-c", "from harness.cli import main; main()")


@pytest.fixture
def start():
    """Start a command line in a session of its own; whatever is left of it ends with the test."""
    running = []

    def begin(*words, **how):
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        process = subprocess.Popen([*ENTRY, *map(str, words)], start_new_session=True, **how)
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_help_is_plain_and_short(spawn):
    ran = spawn("--help", env={"COLUMNS": "80", "FORCE_COLOR": "1"})
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "..." not in ran.out.split("Commands:")[1]


def test_no_escape_codes_where_there_is_no_terminal(spawn, mail, tmp_path):
    ran = spawn("ask", mail, "where is my letter", "--home", tmp_path / "fresh")
    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err
    assert "\r" not in ran.out + ran.err


def test_a_question_of_another_script_comes_through_in_a_c_locale(spawn, mail):
    ran = spawn(
        *("context", mail, "-", "--text", "--policy", "none"),
        stdin="\ufeffOù est سيارتي 🚗?".encode(),
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert ran.code == 0, ran.err
    assert "<question>\nOù est سيارتي 🚗?\n</question>" in ran.out


def test_words_that_are_no_utf8_are_no_crash(spawn, run, mail):
    ran = run("ask", mail, os.fsdecode(b"where is \xff"))
    assert ran.code in (0, 1, 64)
    ran = spawn("ask", mail, "-", stdin=b"where is \xff")
    assert ran.code == 64
    assert "Standard input is not UTF-8" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("schema",),
        ("context", "DOMAIN", "hello", "--json"),
        ("--help",),
    ],
)
def test_a_reader_who_leaves_is_no_error(start, mail, words):
    process = start(*[mail if word == "DOMAIN" else word for word in words])
    process.stdout.close()  # as `head` does once it has its line
    err = process.stderr.read()
    assert process.wait(60) == 0
    assert err == b""


def test_a_stderr_that_is_closed_is_no_error(start, mail, tmp_path):
    home = tmp_path / "fresh"  # so that there is progress to tell
    process = start("index", mail, "--home", home, "--json", preexec_fn=lambda: os.close(2))
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["embedded"] > 0


def test_a_full_disk_under_stdout_is_said(start):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        process = start("schema", stdout=full)
        err = process.stderr.read().decode()
    assert process.wait(60) == 1
    assert err.startswith("harness: No space left on device.")
    assert "Traceback" not in err


def test_ctrl_c_ends_an_eval_and_keeps_what_is_done(start, mail, cli_home):
    store = make_eval_store(cli_home, Settings())
    before = {run for run, *_ in store.records()}
    asked = []

    def answer(request):
        asked.append(request)
        if len(asked) == 3:  # two are answered, the third is under way: the user has enough
            os.killpg(process.pid, signal.SIGINT)
            return Turn(text="billing", delay=30)
        return Turn(text="billing")

    with ProviderServer(answer) as server:
        process = start(
            *("eval", mail, "-j", "1", "--model", "openai:gpt-4o-mini", "--json"),
            env={**os.environ, **server.env()},
        )
        out, err = process.communicate(timeout=90)
    assert process.returncode == 130
    assert out == b""
    # The second answer may still be on its way into the database when the third is asked for.
    stopped = re.search(rb"Stopped early: ([12]) of 6 cases are done", err)
    assert stopped
    assert err.endswith(b"harness: stopped.\n")
    assert b"Traceback" not in err
    [kept] = {run for run, *_ in store.records()} - before
    answers = [one.work.text for one in store.generations(kept)]
    assert int(stopped[1]) <= len(answers) <= 2
    assert set(answers) == {"billing"}
    assert not store.record(kept).finished


def test_ctrl_c_ends_a_question(start, mail):
    def answer(_):
        os.killpg(process.pid, signal.SIGINT)
        return Turn(text="billing", delay=30)

    with ProviderServer(answer) as server:
        process = start(
            *("ask", mail, "hello", "--model", "openai:gpt-4o-mini"),
            env={**os.environ, **server.env()},
        )
        out, err = process.communicate(timeout=90)
    assert (process.returncode, out) == (130, b"")
    assert err == b"harness: stopped.\n"


def test_ctrl_c_while_indexing_leaves_nothing_half_done(start, spawn, write_domain, tmp_path):
    rows = "".join(f"e{n},the words of case number {n},out {n % 7}\n" for n in range(1500))
    folder = write_domain("many", **{"examples/a.csv": "id,input,output\n" + rows})
    home = tmp_path / "own-home"
    process = start("index", folder, "--home", home)
    while not list(home.glob("cache/embeddings.db*")):  # embedding has begun
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 130
    assert err.endswith(b"harness: stopped.\n")
    assert b"Traceback" not in err
    again = spawn("index", folder, "--home", home, "--json")
    assert again.json["items"]["examples"] == 1500
