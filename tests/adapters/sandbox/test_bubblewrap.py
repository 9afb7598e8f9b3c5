"""What a job does, what becomes of it, and what it can leave behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from harness.adapters.sandbox_bubblewrap import BubblewrapSandbox
from harness.adapters.workspace_folder import FolderWorkspace
from harness.errors import SandboxAbsent
from harness.seams_hands import SandboxJob, SandboxLimits
from harness.tools.python_shell import put_back
from tests.adapters.sandbox.conftest import LIMITS

HOSTILE = """
import os
os.symlink("/etc/passwd", "passwd")
os.symlink("/", "everything")
os.symlink("nowhere", "dangling")
os.mkfifo("pipe")
os.link("given.txt", "twin.txt")
import socket
with socket.socket(socket.AF_UNIX) as one:
    one.bind("socket")
for name in ("new\\nline", ".harness-x", "back\\\\slash", "\\u202egnp", b"\\xff\\xfe", "x" * 255):
    with open(name, "wb") as file:
        file.write(b"x")
os.makedirs("/".join("d" * 40))
open("/".join("d" * 40) + "/deep", "w").close()
os.makedirs("drafts")
open("drafts/a.md", "w").write("fine")
os.chmod("drafts/a.md", 0o4777)
"""


def python(sandbox: BubblewrapSandbox, code: str, **files: bytes):
    return sandbox.run(SandboxJob(kind="python", code=code, files=files))


def processes_with(mark: str) -> list[str]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if mark.encode() in (place / "cmdline").read_bytes():
                    found.append(place.name)
            except OSError:
                continue
    return found


def wait_until(what) -> bool:
    for _ in range(200):
        if what():
            return True
        time.sleep(0.05)
    return False


def test_a_script_sees_its_files_and_gives_back_what_it_wrote(bubblewrap: BubblewrapSandbox):
    code = (
        "import os\nprint(sorted(os.listdir()), open('a.txt').read())\n"
        "os.remove('b.txt')\nopen('c.txt', 'w').write('new')\n6 * 7"
    )
    result = python(bubblewrap, code, **{"a.txt": b"hello", "b.txt": b"bye"})
    assert result.end == "done"
    assert result.printed == "['a.txt', 'b.txt'] hello\n42\n"
    assert result.files == {"c.txt": b"new"}
    assert result.removed == ("b.txt",)


def test_an_error_names_the_line_of_the_script(bubblewrap: BubblewrapSandbox):
    result = python(bubblewrap, "x = 1\ny = x / 0\n")
    assert (result.end, result.code) == ("failed", 1)
    assert 'File "script.py", line 2' in result.errors
    assert "y = x / 0" in result.errors
    assert "inside.py" not in result.errors
    assert "SyntaxError" in python(bubblewrap, "x = (").errors


def test_the_libraries_for_data_work_are_there_and_figures_are_kept(bubblewrap):
    roomy = SandboxLimits(seconds=60)
    code = """
import pandas, numpy, openpyxl
import matplotlib.pyplot as plt
pandas.DataFrame({"a": [1, 2]}).to_excel("table.xlsx")
plt.plot([1, 2, 3])
plt.show()
plt.figure()
plt.bar(["a"], [1])
"""
    result = bubblewrap.run(SandboxJob(kind="python", code=code), limits=roomy)
    assert result.end == "done", result.errors
    assert set(result.files) == {"table.xlsx", "figure-1.png", "figure-2.png"}
    assert result.files["figure-1.png"].startswith(b"\x89PNG")


def test_the_list_of_fonts_is_made_once(tmp_path: Path, bubblewrap: BubblewrapSandbox):
    """By a script that stands in for matplotlib's, which takes seconds."""
    from harness.adapters.sandbox_fonts import FontList
    from harness.seams_hands import SandboxResult

    made: list[SandboxJob] = []

    def run(job: SandboxJob, _: SandboxLimits) -> SandboxResult:
        made.append(job)
        return SandboxResult(end="done", files={"fontlist-v1.json": b"{}"})

    job = SandboxJob(kind="python", code="import matplotlib")
    wanted = {"/tmp/.matplotlib/fontlist-v1.json": b"{}"}
    for _ in range(2):
        fonts = FontList(run, tmp_path)
        assert fonts.for_job(SandboxJob(kind="python", code="1 + 1")) == {}
        assert fonts.for_job(job) == fonts.for_job(job) == wanted
    assert len(made) == 1


def test_a_command_of_the_shell(bubblewrap: BubblewrapSandbox):
    job = SandboxJob(
        kind="shell", code="wc -l < a.txt; echo no >&2; exit 3", files={"a.txt": b"1\n2\n"}
    )
    result = bubblewrap.run(job)
    assert (result.end, result.code) == ("failed", 3)
    assert result.printed.strip() == "2"
    assert result.errors == "no\n"


def test_time_is_up_and_what_was_written_stays(bubblewrap: BubblewrapSandbox):
    code = "open('half.txt', 'w').write('half')\nimport time\ntime.sleep(60)"
    short = SandboxLimits(seconds=0.5, memory=LIMITS.memory, disk=LIMITS.disk)
    result = bubblewrap.run(SandboxJob(kind="python", code=code), limits=short)
    assert result.end == "timeout"
    assert result.files == {"half.txt": b"half"}


def test_memory_of_all_processes_together_is_bounded(bubblewrap: BubblewrapSandbox):
    code = f"""
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = bytearray(b"x") * {LIMITS.memory // 3}
        time.sleep(20)
time.sleep(20)
"""
    result = python(bubblewrap, code)
    assert result.end == "memory"
    assert result.peak < 4 * LIMITS.memory


def test_memory_that_processes_share_counts_once(bubblewrap: BubblewrapSandbox):
    code = f"""
import os, time
kept = bytearray(b"x") * {LIMITS.memory // 2}
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        time.sleep(0.4)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print("all well")
"""
    result = python(bubblewrap, code)
    assert result.printed == "all well\n", result


def test_a_flood_is_cut_in_the_middle_and_its_ends_stay(bubblewrap: BubblewrapSandbox):
    result = python(bubblewrap, "print('first')\nprint('x' * 3_000_000)\nprint('last')")
    assert result.end == "done"
    assert result.printed.startswith("first\n")
    assert result.printed.endswith("last\n")
    assert "bytes left out" in result.printed
    assert len(result.printed) < 1.1 * LIMITS.output


def test_stop_ends_a_job_and_everything_that_it_started(bubblewrap: BubblewrapSandbox):
    mark = f"98{uuid.uuid4().int % 10**9}"
    code = f"""
import os, subprocess, time
for _ in range(3):
    subprocess.Popen(["setsid", "sleep", "{mark}"])
open("started", "w").close()
time.sleep(60)
"""
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(bool(processes_with(mark)))
        return asked[-1]

    result = bubblewrap.run(SandboxJob(kind="python", code=code), stop=stop)
    assert result.end == "killed"
    assert any(asked), "it never ran"
    assert wait_until(lambda: not processes_with(mark))


def test_what_a_job_leaves_running_ends_with_it(bubblewrap: BubblewrapSandbox):
    mark = f"97{uuid.uuid4().int % 10**9}"
    code = f"setsid sleep {mark} & (setsid sleep {mark} &) ; echo gone"
    result = bubblewrap.run(SandboxJob(kind="shell", code=code))
    assert result.end == "done"
    assert wait_until(lambda: not processes_with(mark))


def test_a_job_ends_when_the_harness_is_killed(bubblewrap: BubblewrapSandbox):
    mark = f"96{uuid.uuid4().int % 10**9}"
    program = (
        "from harness.adapters.sandbox_bubblewrap import BubblewrapSandbox\n"
        "from harness.seams_hands import SandboxJob\n"
        f"BubblewrapSandbox().run(SandboxJob(kind='shell', code='sleep {mark}; true'))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as harness:
        inside = lambda: [one for one in processes_with(mark) if one != str(harness.pid)]  # noqa: E731
        assert wait_until(lambda: len(inside()) >= 2), "it never ran"
        harness.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not processes_with(mark))


def test_nothing_odd_is_left_behind_for_the_host(bubblewrap: BubblewrapSandbox, tmp_path: Path):
    result = python(bubblewrap, HOSTILE, **{"given.txt": b"given"})
    assert result.end == "done", result.errors
    workspace = FolderWorkspace(tmp_path / "run")
    kept, notes = put_back(workspace, result)
    assert "drafts/a.md" in kept
    every = [path for path in workspace.root.rglob("*") if not path.is_dir()]
    assert {path.relative_to(workspace.root).as_posix() for path in every} == set(kept)
    for path in every:
        assert path.is_file()
        assert not path.is_symlink()
        assert path.stat().st_nlink == 1
        assert not path.stat().st_mode & 0o7111
    told = "\n".join(notes)
    for name in ("passwd", "everything", "dangling", "pipe", "socket"):
        assert f"`{name}` is no plain file" in told
    for name in ("new\\nline", ".harness-x"):
        assert name in told
    assert not any("\n" in note for note in notes)
    assert workspace.oddities() == ()
    workspace.close()


def test_a_file_can_not_be_put_where_a_link_leads(bubblewrap: BubblewrapSandbox, tmp_path: Path):
    """The workspace may hold a link that somebody else made: it is not followed."""
    workspace = FolderWorkspace(tmp_path / "run")
    (tmp_path / "outside").mkdir()
    (workspace.root / "out").symlink_to(tmp_path / "outside")
    result = python(bubblewrap, "import os\nos.mkdir('out')\nopen('out/x', 'w').write('x')")
    kept, notes = put_back(workspace, result)
    assert kept == []
    assert "not a folder that may be entered" in notes[0]
    assert not any((tmp_path / "outside").iterdir())
    workspace.close()


def test_a_call_of_a_function_gets_and_gives_values(bubblewrap: BubblewrapSandbox):
    module = (
        "from datetime import date\nfrom decimal import Decimal\nfrom helper import twice\n"
        "def late(due: date, amount: Decimal, names: list[str] | None = None) -> dict:\n"
        "    print('beside')\n"
        "    return {'days': (date(2026, 3, 31) - due).days, 'amount': twice(amount), 'n': names}\n"
    )
    job = SandboxJob(
        kind="call",
        code=module,
        modules={"late.py": module, "helper.py": "def twice(x): return 2 * x"},
        file="tools/late.py",
        function="late",
        arguments={"due": "2026-03-01", "amount": "1.10"},
    )
    result = bubblewrap.run(job)
    assert result.end == "done", result.errors
    assert result.value == {"days": 30, "amount": "2.20", "n": None}
    assert result.printed == "beside\n"


def test_a_call_that_fails_names_file_and_line(bubblewrap: BubblewrapSandbox):
    job = SandboxJob(
        kind="call", code="def f():\n    return [][0]\n", file="tools/f.py", function="f"
    )
    result = bubblewrap.run(job)
    assert result.end == "failed"
    assert 'File "tools/f.py", line 2' in result.errors
    assert "harness" not in result.errors


def test_without_bubblewrap_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxAbsent, match="not installed"):
        BubblewrapSandbox().run(SandboxJob(kind="python", code="1"))


def test_a_bubblewrap_that_is_refused_says_why(tmp_path: Path):
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    with pytest.raises(SandboxAbsent, match="Permission denied") as caught:
        BubblewrapSandbox(bubblewrap=str(program)).run(SandboxJob(kind="python", code="1"))
    assert caught.value.mend


def test_no_descriptor_and_no_child_is_left(bubblewrap: BubblewrapSandbox):
    def left() -> tuple[int, set[str]]:
        lists = Path("/proc/self/task").glob("*/children")
        children = {child for one in lists for child in one.read_text().split()}
        return len([*Path("/proc/self/fd").iterdir()]), children

    python(bubblewrap, "1")
    before = left()
    for _ in range(3):
        python(bubblewrap, "1")
    assert left() == before
