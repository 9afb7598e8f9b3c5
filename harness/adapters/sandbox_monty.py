"""Calculations in Monty: an interpreter that has no way out, in a process of its own.

Monty (`pydantic-monty`) is a Python in Rust without system calls: no files, no network, no
environment but what is handed to it. Its worker is a process of its own, kept warm; where
bubblewrap works, that process stands in an empty root without a network, too. Every limit is
opt-in in Monty, so all of them are set here.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.adapters.sandbox_pipes import Kept
from harness.adapters.sandbox_seccomp import seccomp_filter
from harness.errors import HarnessError, SandboxAbsent
from harness.seams_hands import SandboxEnd, SandboxLimits, SandboxResult

if TYPE_CHECKING:
    from pydantic_monty import Monty, ResourceLimits
    from pydantic_monty.os_access import OSAccess

__all__ = ["COMPUTE_LIMITS", "MontyCalculator"]

COMPUTE_LIMITS = SandboxLimits(seconds=10.0, memory=256 << 20, output=20_000)
RECURSION = 400
CALLS_OUT = 2_000
GRACE = 2.0
"""Seconds over its time after which a worker is killed."""
LATE = "it takes too long"
FULL = "it keeps too much"
_NAME = "<python-input-0>"


class MontyCalculator:
    """See `Calculator`.

    Args:
        limits: Seconds, memory and output of one calculation; it writes no files and starts no
            processes.
        bubblewrap: Where the program is; looked for by default. Empty: without it.
    """

    def __init__(
        self, limits: SandboxLimits = COMPUTE_LIMITS, *, bubblewrap: str | None = None
    ) -> None:
        self.limits = limits
        found = shutil.which("bwrap") if bubblewrap is None else bubblewrap
        self._bubblewrap = found or ""
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._pool: Monty | None = None
        self._folder: str = ""

    @property
    def name(self) -> str:
        """`monty`, and whether bubblewrap stands around it."""
        return "monty in bubblewrap" if self._bubblewrap else "monty"

    def run(
        self,
        code: str,
        *,
        files: Mapping[str, Callable[[], bytes]] | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> SandboxResult:
        """Run a calculation. See `Calculator`."""
        # One thread for all: a worker in bubblewrap dies with the thread that started it.
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="compute")
            future: Future[SandboxResult] = self._thread.submit(
                self._calculate, code, files or {}, functions or {}
            )
        return future.result()

    def close(self) -> None:
        """End the worker. See `Calculator`."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            ended = thread.submit(self._end)
        except RuntimeError:  # the program is ending, and its threads have ended before us
            self._end()
            return
        ended.result()
        thread.shutdown()

    # --- in the one thread -------------------------------------------------------------------

    def _calculate(
        self,
        code: str,
        files: Mapping[str, Callable[[], bytes]],
        functions: Mapping[str, Callable[..., Any]],
    ) -> SandboxResult:
        import pydantic_monty as monty

        began = time.monotonic()
        pool = self._started()
        printed = monty.CollectString(max_bytes=8 * self.limits.output)
        try:
            with pool.checkout(limits=self._bounds(), os_policy={"sleep": "zero"}) as session:
                value = session.feed_run(
                    code,
                    external_lookup={name: _guarded(one) for name, one in functions.items()},
                    print_callback=printed,
                    os=_files(files),
                )
                shown, wrong = _shown(value), ""
        except (
            monty.MontySyntaxError,
            monty.MontyRuntimeError,
            monty.MontyConversionError,
        ) as error:
            shown, wrong = "", _in_words(error, self.limits)
        except (monty.MontyCrashedError, TimeoutError) as error:
            self._end()
            late = isinstance(error, TimeoutError) or error.timed_out
            return SandboxResult(
                end="timeout" if late else "killed",
                code=-9,
                errors="It took too long." if late else "The interpreter broke down over it.",
                seconds=time.monotonic() - began,
            )
        end: SandboxEnd = "failed" if wrong else "done"
        if LATE in wrong or FULL in wrong:
            end = "timeout" if LATE in wrong else "memory"
        return SandboxResult(
            end=end,
            code=1 if wrong else 0,
            printed=self._cut(printed.output),
            errors=self._cut(wrong),
            value=self._cut(shown) if shown else None,
            seconds=time.monotonic() - began,
        )

    def _bounds(self) -> ResourceLimits:
        return {
            "max_feed_duration_secs": self.limits.seconds,
            "max_turn_duration_secs": self.limits.seconds,
            "max_memory": self.limits.memory,
            "max_recursion_depth": RECURSION,
            "max_suspensions": CALLS_OUT,
            "max_total_sleep_secs": 0.0,
        }

    def _cut(self, text: str) -> str:
        kept = Kept(self.limits.output)
        kept.add(text.encode("utf-8", "replace"))
        return kept.text()

    def _started(self) -> Monty:
        if self._pool is None:
            self._pool = self._begin()
        return self._pool

    def _begin(self) -> Monty:
        import pydantic_monty as monty
        from pydantic_monty._binary import find_monty_binary

        try:
            program = find_monty_binary()
            if self._bubblewrap:
                self._folder = tempfile.mkdtemp(prefix="harness-compute-")
                # Also where nobody closes it, at the end of the process.
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
                program = _wrapped(self._bubblewrap, program, Path(self._folder), self.limits)
            pool = monty.Monty(
                binary_path=program,
                max_processes=1,
                checkout_timeout=self.limits.seconds + GRACE,
                request_timeout=self.limits.seconds + GRACE,
                feed_duration_limit_grace=GRACE,
                turn_duration_limit_grace=GRACE,
            )
            self._pool = pool.__enter__()
            with pool.checkout(limits=self._bounds()) as session:
                session.feed_run("0")  # a worker that can't start shows only here
            return pool
        except (OSError, monty.MontyError, RuntimeError) as error:
            self._end()
            if self._bubblewrap:  # installed, and refused here: Monty's own wall stands alone
                self._bubblewrap = ""
                return self._begin()
            raise SandboxAbsent(
                f"`compute` does not start: {error}.", "Install pydantic-monty anew."
            ) from error

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with contextlib.suppress(Exception):  # it may be broken already
                pool.__exit__(None, None, None)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""


def _wrapped(bubblewrap: str, program: str, folder: Path, limits: SandboxLimits) -> str:
    """Return a script that starts Monty where there is nothing but Monty."""
    real = os.path.realpath(program)
    (folder / "calls").write_bytes(seccomp_filter())
    words = [bubblewrap, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    words += ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    words += ["--ro-bind", real, "/monty"]
    for one in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo"):
        words += ["--ro-bind-try", one, one]
    words += ["--remount-ro", "/", "--seccomp", "9", "--", "/monty"]
    script = folder / "monty"
    script.write_text(
        "#!/bin/sh\n"
        f"ulimit -v {(limits.memory + (1 << 30)) // 1024}\n"
        "ulimit -c 0\nulimit -f 0\n"
        f'exec env -i {shlex.join(words)} "$@" 9<{shlex.quote(str(folder / "calls"))}\n',
        "utf-8",
    )
    script.chmod(0o700)
    return str(script)


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose errors are such as the calculation can catch and show."""

    def guarded(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except HarnessError as error:
            raise ValueError(str(error)) from None

    return guarded


def _files(files: Mapping[str, Callable[[], bytes]]) -> OSAccess:
    from pydantic_monty.os_access import CallbackFile, OSAccess

    class ReadOnly(OSAccess):
        """Files that can be read; a write is refused, not lost."""

        def path_open(self, path: Any, mode: str) -> Any:
            if set(mode) & set("wax+"):
                raise _refused()
            return super().path_open(path, mode)

        def _write_file(self, *_: Any) -> None:
            raise _refused()

        def _append(self, *_: Any) -> None:
            raise _refused()

    def reader(read: Callable[[], bytes]) -> Callable[[Any], bytes]:
        def look(_: Any) -> bytes:
            try:
                return read()
            except HarnessError as error:
                raise OSError(str(error)) from None

        return look

    def refuse(*_: Any) -> None:
        raise _refused()

    return ReadOnly([CallbackFile(f"/{path}", reader(one), refuse) for path, one in files.items()])


def _refused() -> PermissionError:
    return PermissionError("compute can only read files; `write_file` writes them.")


def _shown(value: Any) -> str:
    """Return a result as text: what Python would show, and a text as it is."""
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)


def _in_words(error: Any, limits: SandboxLimits) -> str:
    text = str(error.display() if hasattr(error, "display") else error)
    text = text.replace(_NAME, "calculation")
    if f"> {8 * limits.output} bytes" in text:
        return "It printed more than can be kept. Print less, or only the result."
    if "time limit exceeded" in text:
        return f"It was ended after {limits.seconds:g} seconds: {LATE}."
    if "memory limit exceeded" in text:
        return f"It was ended: more than {limits.memory >> 20:,} MB of memory: {FULL}.\n{text}"
    return text
