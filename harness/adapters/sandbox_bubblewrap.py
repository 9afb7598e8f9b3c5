"""Jobs in bubblewrap: namespaces without a network, files in memory, system calls filtered.

A job gets copies of its files through a pipe, and what it wrote comes back through another: no
folder of the host is ever open for it to write to, so it can leave no link, device or odd name
behind. Started by root, it becomes a user that exists nowhere else before its code begins.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import secrets
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.adapters.sandbox_command import MODULES, WORK, sandbox_command
from harness.adapters.sandbox_fonts import FontList
from harness.adapters.sandbox_pipes import FLOOD, Exchange, Kept, Results
from harness.adapters.sandbox_probe import why_not
from harness.adapters.sandbox_seccomp import seccomp_filter
from harness.adapters.sandbox_watch import MOST_NODES, ProcessTree, Use, host_is_short
from harness.errors import SandboxAbsent
from harness.seams_hands import SandboxEnd, SandboxJob, SandboxLimits, SandboxResult

__all__ = ["BubblewrapSandbox"]

LOOK = 0.02
"""Seconds between two looks at what a job uses."""
GRACE = 5.0
"""Seconds over its time after which a job is ended from outside."""
START = 10.0
_USERS = (1_900_000_000, 2_100_000_000)
"""Ids that no system hands out; systemd's end below them."""
_KEEPER = "/run/harness/inside.py"
_BEGIN = (
    "import marshal\n"
    "with open('/run/harness/inside', 'rb') as file:\n"
    "    keeper = marshal.load(file)\n"
    f"exec(keeper, {{'__name__': '__main__', '__file__': {_KEEPER!r}}})"
)
_FOLDERS = (WORK, "/tmp", "/dev/shm")  # noqa: S108 - inside


class BubblewrapSandbox:
    """See `Sandbox`.

    Args:
        limits: What a job may use where nothing else is said.
        bubblewrap: Where the program is; looked for by default.
        cache: A folder for what takes long to make and is the same each time.
    """

    name = "bubblewrap"

    def __init__(
        self,
        limits: SandboxLimits | None = None,
        *,
        bubblewrap: str = "",
        cache: Path | None = None,
    ) -> None:
        self.limits = limits or SandboxLimits()
        self._fonts = FontList(self._run, cache)
        self._bubblewrap = bubblewrap or shutil.which("bwrap") or ""

    def run(
        self,
        job: SandboxJob,
        *,
        limits: SandboxLimits | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        """Run a job to its end. See `Sandbox`."""
        if not self._bubblewrap:
            raise SandboxAbsent(*why_not())
        return self._run(job, limits or self.limits, self._fonts.for_job(job), stop)

    def _run(
        self,
        job: SandboxJob,
        limits: SandboxLimits,
        beside: Mapping[str, bytes] = MappingProxyType({}),
        stop: Callable[[], bool] = lambda: False,
    ) -> SandboxResult:
        with _Running(self._bubblewrap, job, limits, beside) as running:
            return running.to_the_end(stop)


class _Running:
    """One job, from its start to its end."""

    def __init__(
        self,
        bubblewrap: str,
        job: SandboxJob,
        limits: SandboxLimits,
        beside: Mapping[str, bytes],
    ) -> None:
        self._job = job
        self._files = {
            **{f"{MODULES}/{name}": text.encode() for name, text in job.modules.items()},
            **beside,
            **job.files,
        }
        self._limits = limits
        self._began = time.monotonic()
        self._stack = contextlib.ExitStack()
        self._printed, self._errors = Kept(limits.output), Kept(limits.output)
        given = sum(map(len, self._files.values()))
        self._results = Results(limits.disk + given + (1 << 20))
        self._crowded = False
        self._tree: ProcessTree | None = None
        try:
            self._start(bubblewrap, given)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> _Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._stack.close()

    # --- the start ---------------------------------------------------------------------------

    def _start(self, bubblewrap: str, given: int) -> None:
        as_root = os.geteuid() == 0
        user = secrets.choice(range(*_USERS)) if as_root else 0
        with contextlib.ExitStack() as handed:  # what only bubblewrap needs
            results_in, results_out = self._pipe(handed)
            info_in, info_out = self._pipe(handed)
            block_out = -1
            block: int | None = None
            if as_root:
                block, block_out = os.pipe()
                handed.callback(os.close, block)
                self._stack.callback(_close_quietly, block_out)
            texts = {
                name: handed.enter_context(_in_memory(name, content))
                for name, content in _inside_texts()
            }
            seccomp = handed.enter_context(_in_memory("seccomp", seccomp_filter()))
            words = sandbox_command(
                bubblewrap,
                limits=self._limits,
                given=given,
                seccomp=seccomp,
                info=info_out,
                texts=texts,
                block=block,
            )
            words += [sys.executable, "-I", "-S", "-B", "-c", _BEGIN, str(results_out)]
            passed = [results_out, info_out, seccomp, *texts.values()]
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                pass_fds=[*passed, block] if block is not None else passed,
                start_new_session=True,
            )
        self._tree = self._found(info_in)
        if as_root:
            self._map_users(user, block_out)
        self._open_exchange(results_in, user)

    def _pipe(self, handed: contextlib.ExitStack) -> tuple[int, int]:
        """Return a pipe's ends: the first is ours, the second is closed when it is handed on."""
        ours, theirs = os.pipe()
        self._stack.callback(_close_quietly, ours)
        handed.callback(os.close, theirs)
        return ours, theirs

    def _found(self, info: int) -> ProcessTree:
        """Return the job's processes; bubblewrap says which is the first."""
        said = b""
        until = time.monotonic() + START
        while b"}" not in said:
            ready, _, _ = select.select([info], [], [], max(until - time.monotonic(), 0))
            piece = os.read(info, 4096) if ready else b""
            if not piece:
                raise SandboxAbsent(*why_not(self._why_it_ended()))
            said += piece
        try:
            tree = ProcessTree(int(json.loads(said)["child-pid"]))
        except OSError as error:
            raise SandboxAbsent(*why_not(self._why_it_ended())) from error
        self._stack.callback(tree.close)
        return tree

    def _map_users(self, user: int, block: int) -> None:
        """Give the job root's id, to be set up with, and the one that it then becomes."""
        assert self._tree is not None  # noqa: S101 - it was just made
        for kind in ("uid_map", "gid_map"):
            path = Path(f"/proc/{self._tree.root}/{kind}")
            try:
                path.write_text(f"0 0 1\n{user} {user} 1\n", "ascii")
            except OSError as error:
                raise SandboxAbsent(*why_not(f"{kind}: {error.strerror}")) from error
        os.write(block, b"go")
        _close_quietly(block)

    def _why_it_ended(self) -> str:
        self._process.kill()
        _, errors = self._process.communicate()
        return errors.decode("utf-8", "replace").strip()[:500]

    def _open_exchange(self, results: int, user: int) -> None:
        process = self._process
        assert process.stdin  # noqa: S101 - all are pipes
        assert process.stdout  # noqa: S101
        assert process.stderr  # noqa: S101
        self._exchange = Exchange(
            os.dup(process.stdin.fileno()),
            [_head(self._job, self._files, self._limits, user), *self._files.values()],
            [
                (os.dup(process.stdout.fileno()), self._printed),
                (os.dup(process.stderr.fileno()), self._errors),
                (os.dup(results), self._results),
            ],
        )
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        self._stack.callback(self._exchange.close)

    # --- to the end --------------------------------------------------------------------------

    def to_the_end(self, stop: Callable[[], bool]) -> SandboxResult:
        """Move the pipes and keep watch until the job has ended or is ended."""
        assert self._tree is not None  # noqa: S101 - it has started
        until = time.monotonic() + self._limits.seconds + GRACE
        ended: SandboxEnd | None = None
        peak = 0
        look = 0.0
        while not self._exchange.done:
            self._exchange.step(LOOK)
            now = time.monotonic()
            if now < look:
                continue
            look = now + LOOK
            use = self._tree.use(_FOLDERS, self._limits.memory)
            peak = max(peak, use.memory)
            ended = self._over(use) or ("killed" if stop() else None)
            if ended is None and now > until:
                ended = "timeout"
            if ended:
                break
        self._kill()
        return self._result(ended, peak)

    def _over(self, use: Use) -> SandboxEnd | None:
        if use.memory > self._limits.memory or host_is_short():
            return "memory"
        if use.processes > self._limits.processes + 8:  # the kernel's own limit comes before
            return "processes"
        crowded, self._crowded = self._crowded, use.nodes > MOST_NODES
        if crowded and self._crowded:  # once may be another's disk, seen while mounts are made
            return "disk"
        if self._printed.total + self._errors.total > FLOOD:
            return "output"
        return None

    def _kill(self) -> None:
        if self._tree is not None:
            self._tree.kill()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _result(self, ended: SandboxEnd | None, peak: int) -> SandboxResult:
        results = self._results
        code = results.code
        if ended is None:
            if code is None or results.broken:
                ended = "killed"
            else:
                ended = "timeout" if results.timed_out else "failed" if code else "done"
        return SandboxResult(
            end=ended,
            code=-int(signal.SIGKILL) if code is None else code,
            printed=self._printed.text(),
            errors=self._errors.text(),
            value=results.value,
            files=results.files,
            removed=tuple(one for one in results.removed if one in self._job.files),
            oddities=tuple(results.oddities),
            seconds=time.monotonic() - self._began,
            peak=peak,
        )


def _head(job: SandboxJob, files: Mapping[str, bytes], limits: SandboxLimits, user: int) -> bytes:
    said: dict[str, Any] = {
        "kind": job.kind,
        "code": job.code,
        "files": [(path, len(content)) for path, content in files.items()],
        "packages": [one for one in sys.path if one.endswith(("site-packages", "dist-packages"))],
        "drop": user,
        "seconds": limits.seconds,
        "rlimits": {
            "RLIMIT_AS": limits.memory + (1 << 30),
            "RLIMIT_FSIZE": limits.disk,
            "RLIMIT_NPROC": limits.processes,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 1 << 16,
        },
    }
    if job.kind == "call":
        said |= {"file": job.file, "function": job.function, "arguments": dict(job.arguments)}
    head = marshal.dumps(said)
    return struct.pack("!Q", len(head)) + head


@lru_cache
def _inside_texts() -> tuple[tuple[str, bytes], ...]:
    """Return what stands inside: the keeper as bytecode, which saves compiling it each time."""
    here = Path(__file__).parent
    keeper = (here / "sandbox_inside.py").read_text("utf-8")
    return (
        ("inside", marshal.dumps(compile(keeper, _KEEPER, "exec", dont_inherit=True))),
        ("harness_call.py", (here / "sandbox_call.py").read_bytes()),
        ("harness_figures.py", (here / "sandbox_figures.py").read_bytes()),
    )


@contextlib.contextmanager
def _in_memory(name: str, content: bytes) -> Iterator[int]:
    """Yield a descriptor of a file that is nowhere on disk."""
    descriptor = os.memfd_create(name)
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _close_quietly(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
