"""Several processes on one state folder: one builds, the others wait or read on."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from harness.errors import BankBusy

WORKER = Path(__file__).with_name("worker.py")


@contextmanager
def workers(count: int, work: str, shelf) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have said that they are ready."""
    asked = json.dumps({"work": work, "folder": str(shelf.folder), "home": str(shelf.home)})
    started = [
        subprocess.Popen(
            [sys.executable, WORKER, asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout
            said = process.stdout.readline()
            assert said == "ready\n", process.communicate()[1]
        yield started
    finally:
        for process in started:
            process.kill()
            with process:
                pass


def go_on(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Tell all to go on, at once; return the next line of each."""
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.stdout.readline() for process in processes if process.stdout]


def results(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """Tell all to go on, and wait until they end; return what they did."""
    last = go_on(processes)
    done = []
    for process, said in zip(processes, last, strict=True):
        _, failed = process.communicate(timeout=120)
        assert process.returncode == 0, failed
        done.append(json.loads(said))
    return done


def test_of_two_that_index_at_once_one_builds_and_both_are_right(shelf, questions):
    shelf.write(questions(600))
    with workers(2, "sync_once", shelf) as both:
        first, second = results(both)
    assert sorted([first["built"], second["built"]]) == [False, True]
    assert sorted([first["embedded"], second["embedded"]]) == [0, 600]
    assert first["items"] == second["items"] == 600
    assert first["found"] == second["found"]
    assert len(shelf.versions) == 1
    assert not shelf.left_over


def test_four_open_one_index_at_once_five_times_and_read_on_while_others_build(shelf, questions):
    shelf.write(questions(200))
    shelf.synced()
    (first,) = shelf.versions
    with workers(4, "read_until_told", shelf) as readers:
        opened = [json.loads(line) for line in go_on(readers)]
        assert [len(one) for one in opened] == [5] * 4
        assert len({json.dumps(each) for one in opened for each in one}) == 1
        assert opened[0][0]["items"] == 200
        assert not opened[0][0]["built"]
        for count in (201, 202, 203):
            shelf.write(questions(count))
            assert shelf.synced() == (1, True)
            assert first in shelf.versions  # it is being read
        done = results(readers)
    assert [one["version"] for one in done] == [first.name] * 4
    assert min(one["rounds"] for one in done) > 0
    shelf.write(questions(204))
    shelf.synced()
    assert len(shelf.versions) == 1


def test_who_waits_too_long_is_told(shelf, questions, monkeypatch, caplog):
    shelf.write(questions(3))
    shelf.indexes.mkdir(parents=True)
    monkeypatch.setattr(importlib.import_module("harness.bank.sync"), "PATIENCE", 0.1)
    locked = FileLock(shelf.indexes / "build.lock")
    with locked, pytest.raises(BankBusy, match="has been building the index"):
        shelf.sync()
    assert "waiting for it" in caplog.text
    with closing(shelf.sync().bank) as bank:
        assert len(bank.items) == 3
