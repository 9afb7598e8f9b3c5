"""Functions that were granted the host, by name: each call is a process of its own.

No sandbox: the expert's code may open files and connections, as the user may. It does not share
the harness's memory or its secrets: of the environment it gets what a program needs to start, and
the variables that its docstring names.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.adapters.sandbox_pipes import Kept
from harness.seams_hands import SandboxJob, SandboxLimits, SandboxResult

__all__ = ["HostRunner", "plain_environment"]

_PASSED = (
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
    "https_proxy", "no_proxy", "APPDATA", "COMSPEC", "LOCALAPPDATA", "PATHEXT", "SYSTEMROOT",
    "USERPROFILE", "WINDIR",
)  # fmt: skip
_LOOK = 0.05


def plain_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that a program needs to start, and no secret.

    Args:
        more: Added to them.
    """
    found = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**found, **(more or {})}


class HostRunner:
    """Runs calls like a `Sandbox`, without one: only for what a user has granted by name.

    Args:
        folder: The domain's `tools/`: what a function imports from beside it.
        limits: Seconds and output of one call.
        variables: Secrets that are passed on, by name.
    """

    name = "host"

    def __init__(
        self,
        folder: Path,
        limits: SandboxLimits | None = None,
        *,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.limits = limits or SandboxLimits()
        self._variables = dict(variables or {})

    def run(
        self,
        job: SandboxJob,
        *,
        limits: SandboxLimits | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        """Call a function. See `Sandbox`; files are not handed over."""
        bounds = limits or self.limits
        began = time.monotonic()
        mark = f"\x1e{secrets.token_hex(16)}\x1e"
        said = {
            "folder": str(self.folder),
            "file": job.file,
            "code": job.code,
            "function": job.function,
            "arguments": dict(job.arguments),
            "mark": mark,
        }
        program = Path(__file__).with_name("sandbox_call.py")
        with subprocess.Popen(  # noqa: S603 - our own words; what it runs was granted
            [sys.executable, "-I", "-B", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=plain_environment(self._variables),
            cwd=self.folder,
            start_new_session=True,
        ) as process:
            feed: bytes | None = json.dumps(said).encode()
            ended = ""
            while True:
                try:
                    printed, errors = process.communicate(feed, timeout=_LOOK)
                    break
                except subprocess.TimeoutExpired:
                    feed = None
                    late = time.monotonic() - began > bounds.seconds
                    if not ended and (late or stop()):
                        ended = "timeout" if late else "killed"
                        _kill(process)
        text, _, value = printed.decode("utf-8", "replace").partition(mark)
        code = process.returncode
        return SandboxResult(
            end=ended or ("failed" if code else "done"),  # type: ignore[arg-type] # its words
            code=code,
            printed=_cut(text, bounds.output),
            errors=_cut(errors.decode("utf-8", "replace"), bounds.output),
            value=json.loads(value) if value and not code else None,
            seconds=time.monotonic() - began,
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _cut(text: str, most: int) -> str:
    kept = Kept(most)
    kept.add(text.encode("utf-8", "replace"))
    return kept.text()
