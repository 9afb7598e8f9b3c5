"""Fakes of what runs code: each answers as it was told and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import ServerFailed
from harness.seams_hands import (
    SandboxJob,
    SandboxLimits,
    SandboxResult,
    ServedContent,
    ServedTool,
)

__all__ = ["FakeCalculator", "FakeSandbox", "FakeToolServer"]


class FakeSandbox:
    """A `Sandbox` that runs nothing.

    Args:
        results: What comes of each job, in order; the last one again and again.
    """

    name = "fake"

    def __init__(self, *results: SandboxResult) -> None:
        self.limits = SandboxLimits()
        self.jobs: list[SandboxJob] = []
        self._results = results or (SandboxResult(end="done"),)

    def run(
        self,
        job: SandboxJob,
        *,
        limits: SandboxLimits | None = None,  # noqa: ARG002 - the seam's
        stop: Callable[[], bool] = lambda: False,  # noqa: ARG002
    ) -> SandboxResult:
        """Return the next result."""
        self.jobs.append(job)
        return self._results[min(len(self.jobs), len(self._results)) - 1]


class FakeCalculator:
    """A `Calculator` that calculates nothing.

    Args:
        result: What comes of each calculation.
    """

    name = "fake"

    def __init__(self, result: SandboxResult | None = None) -> None:
        self.codes: list[str] = []
        self.functions: Mapping[str, Callable[..., Any]] = {}
        self._result = result or SandboxResult(end="done")

    def run(
        self,
        code: str,
        *,
        files: Mapping[str, Callable[[], bytes]] | None = None,  # noqa: ARG002 - the seam's
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> SandboxResult:
        """Return the result."""
        self.codes.append(code)
        self.functions = functions or {}
        return self._result

    def close(self) -> None:
        """Nothing is running."""


class FakeToolServer:
    """A `ToolServer` in memory.

    Args:
        offered: Its tools.
        answer: What it says to a call.
    """

    def __init__(
        self,
        offered: Sequence[ServedTool],
        answer: Callable[[str, Mapping[str, Any]], ServedContent] = lambda name, _: name,
    ) -> None:
        self.offered = list(offered)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.started = 0
        self._answer = answer

    async def tools(self) -> Sequence[ServedTool]:
        """Return its tools."""
        self.started += 1
        return self.offered

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        expect: Callable[[ServedTool], bool] = lambda _: True,
    ) -> tuple[ServedContent, Any]:
        """Answer, where the tool is there and as expected."""
        self.started += 1
        found = next((one for one in self.offered if one.name == tool), None)
        if found is None or not expect(found):
            raise ServerFailed(f"The server has no such tool `{tool}`.")
        self.calls.append((tool, arguments))
        return self._answer(tool, arguments), None

    async def aclose(self) -> None:
        """Nothing is running."""
