"""Files of a domain folder replaced whole, by one writer at a time, never over someone's change."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from harness.errors import DomainReadOnly, StateError

__all__ = ["locked", "read_current", "write_over"]

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: a lock file in the state folder instead
    fcntl = None

PATIENCE = 20.0
"""Seconds to wait for another writer, who needs a moment."""


@contextlib.contextmanager
def locked(folder: Path, home: Path) -> Iterator[None]:
    """Keep other writers of a domain folder away.

    The folder itself is locked, which leaves nothing in it and holds for writers with other
    state folders too.

    Args:
        folder: The domain folder.
        home: The state folder.

    Raises:
        StateError: Another writer does not finish.
    """
    if fcntl is None:
        import hashlib

        from filelock import FileLock, Timeout

        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        (home / "locks").mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(home / "locks" / f"{name}.lock", timeout=PATIENCE):
                yield
        except Timeout:
            raise _busy(folder) from None
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _wait(fcntl, descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _wait(fcntl: ModuleType, descriptor: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise _busy(folder) from None
            time.sleep(0.01)
        else:
            return


def _busy(folder: Path) -> StateError:
    return StateError(
        f"Somebody else is saving to {folder.name} and does not finish.", "Try again."
    )


def read_current(path: Path) -> bytes:
    """Return a file's bytes; nothing where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def write_over(path: Path, seen: bytes, data: bytes) -> bool:
    """Replace a file in one step if it still is as it was seen; say whether it was.

    Args:
        path: The file, which need not be there.
        seen: Its bytes when the change was worked out.
        data: Its bytes to be.

    Raises:
        DomainReadOnly: The folder can't be written.
    """
    path = path.resolve()
    staged = path.parent / f".{path.name}.{secrets.token_hex(6)}"
    try:
        path.parent.mkdir(exist_ok=True)
        with staged.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            staged.chmod(path.stat().st_mode & 0o777)
        if read_current(path) != seen:  # an editor saved meanwhile: it holds no lock of ours
            staged.unlink()
            return False
        staged.replace(path)
        _sync(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise DomainReadOnly(
            f"{path.name} in {path.parent} can't be written: {error.strerror}.",
            "Give permission to write to the domain folder, and see that there is room.",
        ) from error
    return True


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some systems open no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
