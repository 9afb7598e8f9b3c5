"""The seams of a run's hands: what runs code that is not trusted, and what serves tools.

Like `harness.seams`: adapters implement them, `harness.testing` has a fake of each, and
`harness.wiring` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

__all__ = [
    "Calculator",
    "Sandbox",
    "SandboxEnd",
    "SandboxJob",
    "SandboxLimits",
    "SandboxResult",
    "ServedContent",
    "ServedTool",
    "ToolServer",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxLimits:
    """What one job may use; every limit is always set.

    Attributes:
        seconds: Wall clock.
        memory: Bytes of all its processes together.
        disk: Bytes of all files that it writes together.
        processes: Of the job at once, threads counted.
        output: Characters that are kept of what it prints; the middle goes first.
    """

    seconds: float = 120.0
    memory: int = 2 << 30
    disk: int = 512 << 20
    processes: int = 64
    output: int = 40_000


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxJob:
    """Code that a model or an expert wrote, and all that it gets to see.

    Attributes:
        kind: `python` runs a script, `shell` a command, `call` a function of a module.
        code: The script or command; of a `call`, the module's text.
        files: The files in the folder that it works in, by path.
        modules: Texts of modules that it can import, by file name.
        file: What a module is called in tracebacks.
        function: Of a `call`.
        arguments: Of a `call`, as JSON can say them.
    """

    kind: Literal["python", "shell", "call"]
    code: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    file: str = "tool.py"
    function: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


SandboxEnd = Literal["done", "failed", "timeout", "memory", "processes", "disk", "output", "killed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxResult:
    """What became of a job. All of it was made by the job, and is believed no further.

    Attributes:
        end: `failed` ended by itself with an error; the rest but `done` was ended by a limit.
        code: Exit status; below 0, the signal that ended it.
        printed: Its output, standard error apart.
        value: Of a `call` that came to its end: what the function returned.
        files: Files written, by path.
        removed: Files that it was given and took away.
        oddities: In words, what it left behind that is no plain file, or is too much.
        seconds: Wall clock, the sandbox's own start included.
        peak: Most bytes of memory that were seen in use.
    """

    end: SandboxEnd
    code: int = 0
    printed: str = ""
    errors: str = ""
    value: Any = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    seconds: float = 0.0
    peak: int = 0


class Sandbox(Protocol):
    """Runs code that is not trusted: no network, no file of the host, no secret, bounded."""

    @property
    def name(self) -> str:
        """Of what stands behind it: `bubblewrap`."""

    @property
    def limits(self) -> SandboxLimits:
        """What a job may use where nothing else is said."""

    def run(
        self,
        job: SandboxJob,
        *,
        limits: SandboxLimits | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        """Run a job to its end; nothing of it is left running after that.

        Args:
            job: What to run.
            limits: Other ones than the sandbox's own.
            stop: Asked many times a second; true ends the job.

        Raises:
            SandboxAbsent: Nothing can be run safely on this machine.
        """


class Calculator(Protocol):
    """Runs small calculations in an interpreter that can do nothing else."""

    @property
    def name(self) -> str:
        """Of what stands behind it: `monty in bubblewrap`."""

    def run(
        self,
        code: str,
        *,
        files: Mapping[str, Callable[[], bytes]] | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> SandboxResult:
        """Run a calculation; its last expression is the result's `value`, as text.

        Args:
            code: In the interpreter's Python.
            files: What the code can open for reading, by path.
            functions: What the code may call in this process: they have to mistrust it.

        Raises:
            SandboxAbsent: It can't be run safely on this machine.
        """

    def close(self) -> None:
        """End what is running; a later calculation starts anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedTool:
    """A tool as a server describes it: its schema is JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, Any]


ServedContent = str | Sequence[Mapping[str, Any]]
"""What a server says: text; LangChain's content blocks where there is more than text."""


class ToolServer(Protocol):
    """A server of tools, started when it is first needed and again when it has died."""

    async def tools(self) -> Sequence[ServedTool]:
        """Return what it offers.

        Raises:
            ServerFailed: It is not there, hangs, died, or says what makes no sense.
        """

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        expect: Callable[[ServedTool], bool] = lambda _: True,
    ) -> tuple[ServedContent, Any]:
        """Call a tool; return what it says, and what it gave beside.

        Args:
            tool: Its name.
            arguments: As JSON.
            expect: Says whether the server still describes the tool as it should.

        Raises:
            ServerFailed: See `tools`; or it does not describe the tool as expected.
            ToolError: The tool says that it failed.
        """

    async def aclose(self) -> None:
        """Stop it."""
