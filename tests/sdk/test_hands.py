"""What tools start belongs to the open domain: closed, it leaves no process behind."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import Harness
from harness.adapters import mcp_server
from harness.errors import SandboxAbsent
from harness.sdk.hands import Hands
from harness.sdk.jobs_owned import OwnedSandbox, RunningJobs
from harness.sdk.trust import look_at, pinned_now, record_trust
from harness.seams_hands import SandboxJob, SandboxLimits, SandboxResult
from harness.testing import HashEmbedder, ScriptedModel, ToolCall, Turn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")
SERVER = """
import json, sys
def say(**said): print(json.dumps({"jsonrpc": "2.0", **said}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    method = asked.get("method")
    if method == "initialize":
        say(id=asked["id"], result={"protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}})
    elif method == "tools/list":
        say(id=asked["id"], result={"tools": [
            {"name": "knock", "description": "Knock.", "inputSchema": {"type": "object"}}]})
    elif method == "tools/call":
        say(id=asked["id"], result={"content": [{"type": "text", "text": "Come in."}]})
"""
USED = [
    Turn(tool_calls=(ToolCall(name="compute", arguments={"code": "6 * 7"}),)),
    Turn(tool_calls=(ToolCall(name="door__knock", arguments={}),)),
    Turn(text="42"),
]


def processes() -> set[int]:
    """Return the ids of all that descends from this process and is alive."""
    found: set[int] = set()
    waiting = [Path("/proc/self")]
    while waiting:
        for task in waiting.pop().glob("task/*/children"):
            try:
                children = [int(one) for one in task.read_text().split()]
                alive = [one for one in children if _state(one) != "Z"]
            except OSError:
                continue  # it ended just now
            found.update(alive)
            waiting += [Path(f"/proc/{one}") for one in alive]
    return found


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_domain: Callable[..., Path]
) -> Callable[[], Harness]:
    monkeypatch.setenv("HARNESS_KEYS", str(tmp_path / "keys"))
    command = {"command": sys.executable, "args": ["-I", "-S", "-c", SERVER], "effect": "read"}
    folder = write_domain(
        **{
            "SKILL.md": "---\nname: desk\ndescription: A desk.\n---\nBe kind.\n",
            "domain.yaml": "tools: [compute]\n",
            "examples/cases.yaml": "- id: e1\n  input: My card is lost\n  output: Block it.\n",
            "tools/mcp.json": json.dumps({"mcpServers": {"door": command}}),
        }
    )
    own, _ = look_at(folder, tmp_path / "home")
    record_trust(folder, tmp_path / "home", own, pins=asyncio.run(pinned_now(own, folder)))
    return lambda: Harness(
        folder, home=tmp_path / "home", model=ScriptedModel(USED), embedder=HashEmbedder()
    )


def test_a_closed_domain_leaves_no_process(desk: Callable[[], Harness]) -> None:
    before = processes()
    with desk() as harness:
        result = harness.run("What is six times seven?").result
        assert (result.text, result.stop) == ("42", "completed")
        assert len(processes() - before) >= 2  # a calculator and a server, at least
    assert processes() - before == set()


def test_an_async_caller_leaves_none_either(desk: Callable[[], Harness]) -> None:
    before = processes()

    async def work() -> str:
        async with desk() as harness:
            result = await harness.arun("What is six times seven?").aresult()
            assert len(processes() - before) >= 2
        return result.text

    assert asyncio.run(work()) == "42"
    assert processes() - before == set()


def test_a_server_whose_event_loop_waits_for_the_close_is_killed(
    desk: Callable[[], Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "ELSEWHERE", 0.1)
    before = processes()

    async def work() -> None:
        harness = desk()
        await harness.arun("What is six times seven?").aresult()
        harness.close()  # as a notebook's cell does
        assert processes() - before == set()

    asyncio.run(work())


def test_a_closed_domain_can_be_used_again(desk: Callable[[], Harness]) -> None:
    before = processes()
    harness = desk()
    for _ in range(2):
        harness.models = desk().models  # the script from its beginning
        harness.__dict__.pop("runs", None)
        assert harness.run("What is six times seven?").result.text == "42"
        harness.close()
        assert processes() - before == set()


def test_a_job_at_work_ends_with_its_owner(tmp_path: Path) -> None:
    hands = Hands(tmp_path / "home", keys=tmp_path / "keys")
    before = processes()
    ended: list[str] = []

    def work() -> None:
        try:
            job = SandboxJob(kind="python", code="import time; time.sleep(60)")
            ended.append(hands.sandbox.run(job).end)
        except SandboxAbsent:
            ended.append("killed")

    thread = threading.Thread(target=work)
    thread.start()
    while not ended and not processes() - before:
        threading.Event().wait(0.01)
    hands.close()
    thread.join()
    assert ended == ["killed"]
    assert processes() - before == set()


class Waiting:
    """A sandbox whose jobs run until they are told to stop."""

    name = "waiting"
    limits = SandboxLimits()

    def run(
        self,
        job: SandboxJob,
        *,
        limits: SandboxLimits | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        while not stop():
            threading.Event().wait(0.001)
        return SandboxResult(end="killed")


def test_a_caller_can_stop_one_job_and_later_jobs_run() -> None:
    jobs = RunningJobs()
    sandbox = OwnedSandbox(Waiting(), jobs)
    assert (sandbox.name, sandbox.limits) == ("waiting", Waiting.limits)
    jobs.end()  # there are none
    told = threading.Event()
    thread = threading.Timer(0.05, told.set)
    thread.start()
    assert sandbox.run(SandboxJob(kind="python", code=""), stop=told.is_set).end == "killed"
    thread.join()
