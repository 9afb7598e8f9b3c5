"""The hands of runs: sandbox, calculator and the domain's own tools, started when first used.

An open domain owns one set, and ends with it what was started; making it starts nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from harness.sdk import portal
from harness.sdk.jobs_owned import OwnedSandbox, RunningJobs
from harness.sdk.trust import Trust, trusted, unchanged
from harness.seams import Workspace
from harness.seams_hands import Calculator, Sandbox
from harness.settings import Settings
from harness.tools.own import own_function_tools
from harness.tools.servers import served_tools
from harness.wiring import make_calculator, make_host_runner, make_sandbox, make_server

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from harness.domain.own_tools import OwnTools
    from harness.seams_hands import ToolServer

__all__ = ["Hands"]

log = logging.getLogger(__name__)
_left_open: weakref.WeakSet[Hands] = weakref.WeakSet()
"""What nobody has closed; ended with the process."""


class Hands:
    """What runs of a state folder work with.

    Args:
        home: The state folder.
        settings: The process's settings; read anew by default.
        keys: The folder of keys; the user's own by default.
    """

    def __init__(
        self, home: Path, settings: Settings | None = None, *, keys: Path | None = None
    ) -> None:
        self._home = home
        self._settings = settings
        self._keys = keys
        self._sandbox: Sandbox | None = None
        self._calculator: Calculator | None = None
        self._servers: dict[tuple[Path, str], dict[str, ToolServer]] = {}
        self._jobs = RunningJobs()
        self._modules = ""
        if not _left_open:
            atexit.unregister(_let_go)
            atexit.register(_let_go)
        _left_open.add(self)

    @property
    def sandbox(self) -> Sandbox:
        """Where `python`, `shell` and the functions of `tools/*.py` run."""
        if self._sandbox is None:
            made = make_sandbox(self._settings or Settings(), self._home / "sandbox")
            self._sandbox = OwnedSandbox(made, self._jobs)
        return self._sandbox

    @property
    def calculator(self) -> Calculator:
        """Where `compute` runs."""
        if self._calculator is None:
            self._calculator = make_calculator()
        return self._calculator

    def own_tools(self, domain: Path, workspace: Workspace | None = None) -> list[BaseTool]:
        """Return the tools that a domain brings, as the user trusted them; nothing is started.

        Args:
            domain: Its folder.
            workspace: Whose files its functions find.

        Raises:
            ToolsNotTrusted: The user has not said yes or no to them as they are.
        """
        own, trust = trusted(domain, self._home, keys=self._keys)
        if trust is None:
            return []
        for problem in own.problems:
            log.warning("A tool is not offered: %s", problem)
        granted = [one for one in own.functions if one.name in trust.host]
        host = {
            one.name: OwnedSandbox(
                make_host_runner(
                    self._kept(own),
                    {name: os.environ[name] for name in one.secrets if name in os.environ},
                ),
                self._jobs,
            )
            for one in granted
        }
        functions = own_function_tools(own, sandbox=self.sandbox, host=host, workspace=workspace)
        return [*functions, *self._served(domain, own, trust)]

    def _served(self, domain: Path, own: OwnTools, trust: Trust) -> list[BaseTool]:
        named = {one.name: one for one in own.servers}
        pins = [one for one in trust.pins if one.server in named]
        key = (domain.resolve(), trust.digest)
        if key not in self._servers:
            check = unchanged(domain, trust.digest)
            folder = domain.resolve() / "tools"
            self._servers[key] = {
                name: make_server(one, folder, before_start=check) for name, one in named.items()
            }
        timeouts = {name: one.timeout for name, one in named.items()}
        return served_tools(pins, self._servers[key], timeouts)

    def _kept(self, own: OwnTools) -> Path:
        """Return a folder with the modules as they were trusted, whatever becomes of them."""
        if not self._modules:
            self._modules = tempfile.mkdtemp(prefix="harness-tools-")
        folder = Path(self._modules) / own.digest
        for name, text in own.modules.items():
            path = folder / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
        return folder

    async def aclose(self) -> None:
        """End what was started, and wait for it; what is used later is started anew."""
        servers = [one for named in self._servers.values() for one in named.values()]
        await asyncio.gather(*(one.aclose() for one in servers))
        await anyio.to_thread.run_sync(self._end)

    def close(self) -> None:
        """End what was started, for callers without an event loop of their own."""
        portal.call(self.aclose)

    def _end(self) -> None:
        self._jobs.end()
        if self._calculator is not None:
            self._calculator.close()
        if self._modules:
            shutil.rmtree(self._modules, ignore_errors=True)
            self._modules = ""


def _let_go() -> None:
    for one in list(_left_open):
        asyncio.run(one.aclose())
