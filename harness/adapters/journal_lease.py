"""Leases: which process may write a run, and whether that process is still there.

On one machine a process that is gone is known at once: by its id, the time it was born (ids are
used again), the machine's boot and the process namespace (two containers may have the same ids).
Of another machine, or another container, we only see the heartbeat. A wrong guess, by a clock
that jumped say, can't do harm: every append checks in its own transaction that the lease is
still its own.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["STALE", "Lease", "Pulse", "is_dead", "microseconds", "my_lease"]

STALE = 60.0
"""Seconds without a heartbeat after which a process elsewhere counts as gone."""
BEAT = 15.0
"""Seconds between heartbeats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """Who writes a run.

    Attributes:
        owner: Drawn anew for every writer.
        boot: Of machine and process namespace; ids of processes mean something within it.
        born: When the process started, in the machine's ticks; 0 where that can't be told.
    """

    owner: str
    host: str
    boot: str
    pid: int
    born: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def my_lease() -> Lease:
    """Return a new lease for this process."""
    return Lease(
        owner=secrets.token_hex(16),
        host=socket.gethostname(),
        boot=_boot(),
        pid=os.getpid(),
        born=_born(os.getpid()),
    )


def is_dead(lease: Lease, beat: int, now: int) -> bool:
    """Whether the lease's process is gone.

    Args:
        lease: Somebody's.
        beat: Its last heartbeat, microseconds since 1970.
        now: Microseconds since 1970.
    """
    if (lease.boot, lease.host) == (_boot(), socket.gethostname()):
        return _is_gone(lease)
    return now - beat > STALE * 1_000_000


def _is_gone(lease: Lease) -> bool:
    try:
        os.kill(lease.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return bool(lease.born) and _born(lease.pid) != lease.born


def _boot() -> str:
    """Return `boot/namespace`, or the empty text where the system has no such thing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:
        return ""


def _born(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
        # The name, in brackets, may hold anything; starttime is field 22, the 20th after it.
        fields = told[told.rindex(b")") + 2 :].split()
        return 0 if fields[0] == b"Z" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return 0


class Beating(Protocol):
    """What has a lease to keep fresh."""

    def beat(self) -> None:
        """Say that we are still there."""


class Pulse:
    """One quiet thread that keeps the leases of a process fresh while any is held."""

    def __init__(self, every: float = BEAT) -> None:
        self._every = every
        self._writers: weakref.WeakSet[Beating] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._wake: threading.Event | None = None

    def add(self, writer: Beating) -> None:
        """Begin to beat for a writer."""
        with self._lock:
            self._writers.add(writer)
            if self._wake is None:
                self._wake = threading.Event()
                thread = threading.Thread(
                    target=self._run, args=(self._wake,), name="journal-pulse", daemon=True
                )
                thread.start()

    def remove(self, writer: Beating) -> None:
        """Stop beating for a writer; the thread ends with the last."""
        with self._lock:
            self._writers.discard(writer)
            if not self._writers and self._wake is not None:
                self._wake.set()
                self._wake = None

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(self._every):
            with self._lock:
                writers = list(self._writers)
            for writer in writers:
                writer.beat()


def microseconds(clock: Callable[[], float] = time.time) -> int:
    """Return the time since 1970."""
    return int(clock() * 1_000_000)
