"""What a job uses, seen from outside: its processes, their memory, the files it makes.

The kernel's own limits are for each process; what they add up to is measured here, many times a
second, from the host's /proc, which the job can't reach. Memory is first the sum of the resident
pages, which is never too low; only where that is over the limit are shared pages shared out.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass

__all__ = ["MOST_NODES", "ProcessTree", "Use", "host_is_short"]

MOST_NODES = 50_000
"""Files and folders that a job may make; each takes memory that no other limit counts."""
SCARCE = 0.04
"""Share of the machine's memory below which a job has to end, whatever it says of itself."""
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What a job uses at one moment.

    Attributes:
        processes: With all threads.
        memory: Resident bytes.
        nodes: Files and folders that it made.
    """

    processes: int
    memory: int
    nodes: int


class ProcessTree:
    """A process of this machine with all that descend from it.

    Args:
        root: The first process of a sandbox: orphans become its children.
    """

    def __init__(self, root: int) -> None:
        self.root = root
        # Held open, so that a number used anew is never taken for it.
        self._handle = os.pidfd_open(root)

    def use(self, folders: tuple[str, ...], most_memory: int) -> Use:
        """Return what it uses.

        Args:
            folders: Those that it can write to, as it sees them.
            most_memory: Bytes above which it is measured exactly.
        """
        pids = self._pids()
        threads = 0
        memory = 0
        for pid in pids:
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
                threads += int(fields[17])
                memory += int(fields[21]) * _PAGE
        if memory > most_memory:
            memory = sum(map(_proportional, pids))
        return Use(processes=threads, memory=memory, nodes=self._nodes(folders))

    def kill(self) -> None:
        """End it: with the first process of its namespace, the kernel ends all."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)

    def _pids(self) -> list[int]:
        found: list[int] = []
        waiting = [self.root]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - often
                    children = _text(f"/proc/{pid}/task/{thread}/children")
                    waiting += map(int, children.split())
        return found

    def _nodes(self, folders: tuple[str, ...]) -> int:
        total = 0
        for folder in folders:
            inside = f"/proc/{self.root}/root{folder}"
            with contextlib.suppress(OSError):
                if _device(inside) != _device(folder):  # the same until it is set up
                    about = os.statvfs(inside)
                    total += about.f_files - about.f_ffree
        return total


def host_is_short() -> bool:
    """Say whether this machine runs out of memory: what no measure of a job has caught."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        for line in _text("/proc/meminfo").splitlines()[:3]:
            name, _, rest = line.partition(":")
            found[name] = int(rest.split()[0])
    return found.get("MemAvailable", 1) < SCARCE * found.get("MemTotal", 1)


def _device(folder: str) -> int:
    try:
        return os.stat(folder).st_dev  # noqa: PTH116 - often
    except FileNotFoundError:
        return -1


def _proportional(pid: int) -> int:
    """Return a process's memory, with its part of what it shares."""
    try:
        for line in _text(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(_text(f"/proc/{pid}/statm").split()[1]) * _PAGE
    return 0


def _text(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - often
        return file.read()
