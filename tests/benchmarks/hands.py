"""What the hands of a run cost: a calculation, a script in the sandbox, MCP tools at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.material import Material
from tests.benchmarks.record import Record
from tests.benchmarks.timing import interleaved

__all__ = ["run"]

ROUNDS = 30
TOOLS = 20


def run(material: Material, record: Record) -> None:
    """Measure in turn, so that whatever else the machine does meets all ways alike."""
    rounds = range(2 if material.quick else ROUNDS)
    _compute(rounds, record)
    _python(rounds, record)
    _servers(rounds, material.folder, record)
    record.note("Medians of calls made in turn. Cold: with the start of the worker.")


def _compute(rounds: range, record: Record) -> None:
    from harness.adapters.sandbox_monty import MontyCalculator

    warm = MontyCalculator()
    warm.run("1 + 1")

    def cold(bubblewrap: str | None) -> None:
        made = MontyCalculator(bubblewrap=bubblewrap)
        made.run("1 + 1")
        made.close()

    ways: dict[str, Callable[[int], object]] = {
        f"compute, cold, {warm.name}": lambda _: cold(None),
        "compute, cold, bare": lambda _: cold(""),
        "compute, warm": lambda _: warm.run("1 + 1"),
    }
    wanted = {f"compute, cold, {warm.name}": 0.030, "compute, warm": 0.001}
    for name, timing in interleaved(ways, rounds).items():
        record.add(name, timing.p50 * 1000, "ms", at_most=_thousand(wanted.get(name)))
    warm.close()


def _thousand(value: float | None) -> float | None:
    return None if value is None else value * 1000


def _python(rounds: range, record: Record) -> None:
    from harness.adapters.sandbox_bubblewrap import BubblewrapSandbox
    from harness.errors import SandboxAbsent
    from harness.seams_hands import SandboxJob

    sandbox = BubblewrapSandbox()
    job = SandboxJob(kind="python", code="print(1)", files={"a.csv": b"x" * 100_000})
    try:
        sandbox.run(job)
    except SandboxAbsent as error:
        record.note(f"The sandbox is absent here: {error}")
        return
    plain = [sys.executable, "-I", "-B", "-c", "print(1)"]
    timings = interleaved(
        {
            "python -c": lambda _: subprocess.run(plain, check=True, stdout=subprocess.DEVNULL),
            "the tool python": lambda _: sandbox.run(job),
        },
        rounds,
    )
    for name, timing in timings.items():
        record.add(name, timing.p50 * 1000, "ms")
    more = timings["the tool python"].p50 - timings["python -c"].p50
    record.add("the tool python, over plain CPython", more * 1000, "ms", at_most=30)


def _servers(rounds: range, folder: Path, record: Record) -> None:
    """Twenty tools of a server that a run does not use, beside a domain without any."""
    from harness.domain.own_servers import OwnServer
    from harness.sdk.hands import Hands
    from harness.sdk.trust import look_at, record_trust
    from harness.seams_hands import ServedTool
    from harness.tools.servers import pin_tools

    home, keys = folder / "hands" / "home", folder / "hands" / "keys"
    domains = {}
    for name in ("with", "without"):
        domains[name] = folder / "hands" / name
        (domains[name] / "tools").mkdir(parents=True)
    text = json.dumps({"mcpServers": {"desk": {"command": "no-such-program"}}})
    (domains["with"] / "tools" / "mcp.json").write_text(text, "utf-8")
    schema = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}
    offered = [
        ServedTool(name=f"tool_{number}", description="Tell something. " * 10, schema=schema)
        for number in range(TOOLS)
    ]
    own, _ = look_at(domains["with"], home, keys=keys)
    pins = pin_tools(OwnServer(name="desk", command="no-such-program"), offered)
    record_trust(domains["with"], home, own, pins=pins, keys=keys)
    hands = Hands(home, keys=keys)
    assert len(hands.own_tools(domains["with"])) == TOOLS
    timings = interleaved(
        {name: lambda _, path=path: hands.own_tools(path) for name, path in domains.items()}, rounds
    )
    more = timings["with"].p50 - timings["without"].p50
    record.add(f"{TOOLS} MCP tools that a run does not use", more * 1000, "ms a run", at_most=10)
    loaded = "langchain_mcp_adapters" in sys.modules or "mcp" in sys.modules
    record.add("MCP libraries loaded, servers started", float(loaded), "of them", at_most=0)
    hands.close()
