"""No room, no permission: a clear sentence, no half index, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BankUnwritable

WORKER = Path(__file__).with_name("worker.py")


def run_worker(before: list[str], **asked: Any) -> dict[str, Any]:
    asked = {name: str(value) for name, value in asked.items()}
    done = subprocess.run(
        [*before, sys.executable, WORKER, json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def own_mounts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The words before a command that let it mount a disk of its own, seen by nobody else."""
    words = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else [])]
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path_factory.mktemp("mount")]
    if shutil.which("unshare"):
        tried = subprocess.run([*words, *mount], capture_output=True, check=False)
        if tried.returncode == 0:
            return words
    if os.environ.get("CI"):
        pytest.fail("CI has to let tests mount a disk: run as root, or allow user namespaces.")
    pytest.skip("this user may not mount a disk, so that none can be filled up")


def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "state"


def check_outcomes(outcomes: list[dict[str, Any]], right: dict[str, Any]) -> None:
    for outcome in outcomes:
        assert not outcome["staging"]
        if "error" in outcome:
            assert outcome["error"] == "BankUnwritable", outcome
            assert "can't be written (" in outcome["said"], outcome
            assert "Make room" in outcome["said"]
            assert not outcome["versions"]
        else:
            assert outcome["versions"] == [right["version"]]
            assert (outcome["items"], outcome["found"]) == (right["items"], right["found"])


def test_a_full_disk_leaves_no_half_index(shelf, questions, own_mounts, tmp_path):
    shelf.write(questions(120))
    done = run_worker(
        own_mounts, work="on_full_disks", folder=shelf.folder, home=disk(tmp_path), disk="4m"
    )
    after, outcomes = done["after"], done["outcomes"]
    assert (after["items"], len(after["found"])) == (120, 20)
    check_outcomes(outcomes, after)
    assert any("error" in one for one in outcomes)
    assert any("error" not in one for one in outcomes)
    assert not done["staging"]


def test_on_a_full_disk_what_is_indexed_can_be_asked(shelf, questions, own_mounts, tmp_path):
    shelf.write(questions(120))
    done = run_worker(
        own_mounts,
        work="on_a_full_disk_with_an_index",
        folder=shelf.folder,
        home=disk(tmp_path),
        disk="4m",
    )
    assert done["same"] == {**done["before"], "built": False, "embedded": 0}
    assert done["changed"]["error"] == "BankUnwritable"
    assert done["changed"]["versions"] == [done["before"]["version"]]
    assert done["read_only"]["error"] == "BankUnwritable"
    assert "Read-only file system" in done["read_only"]["said"]
    assert (done["roomy"]["items"], done["roomy"]["built"]) == (121, True)
    assert done["roomy"]["embedded"] <= 1
    assert not done["staging"]


def test_files_that_may_not_grow_leave_no_half_index(shelf, questions):
    shelf.write(questions(120))
    done = run_worker([], work="on_small_files", folder=shelf.folder, home=shelf.home)
    assert done["after"]["items"] == 120
    check_outcomes(done["outcomes"], done["after"])
    assert "error" in done["outcomes"][0]
    assert not done["staging"]


@pytest.mark.parametrize("home", ["file", "file/below", "file/far/below"])
def test_a_state_folder_that_cannot_be(shelf, questions, home):
    shelf.write(questions(3))
    (shelf.root / "file").write_text("I am no folder.", "utf-8")
    with pytest.raises(BankUnwritable, match=r"can't be written \(.*name another state folder"):
        shelf.sync(home=shelf.root / home)


def test_the_command_line_says_it_in_a_sentence(shelf, questions):
    shelf.write(questions(3))
    (shelf.root / "file").write_text("I am no folder.", "utf-8")
    command = "from harness.cli import main; main()"
    words = ["index", str(shelf.folder), "--home", str(shelf.root / "file")]
    done = subprocess.run(
        [sys.executable, "-c", command, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "harness: The index in" in done.stderr
    assert "can't be written" in done.stderr
    assert "Traceback" not in done.stderr
