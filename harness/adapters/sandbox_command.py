"""The command line of bubblewrap: what a job sees of this machine, which is next to nothing.

A read-only system and Python, an empty folder to work in, nothing of the user's. bubblewrap itself
is started with an empty environment, since a job can read that of every process in its namespace.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import SandboxAbsent
from harness.seams_hands import SandboxLimits

__all__ = ["MODULES", "WORK", "python_folders", "sandbox_command"]

WORK = "/run/workspace"
MODULES = "/tmp/.modules"  # noqa: S108 - a folder inside the sandbox, made anew for each job
INSIDE = "/run/harness"
USER = 1000
SHARED_MEMORY = 64 << 20
_SYSTEM = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
_SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/fonts")
VARIABLES = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "module://harness_figures",
    "MPLCONFIGDIR": "/tmp/.matplotlib",  # noqa: S108
    "OPENBLAS_NUM_THREADS": "1",  # its threads reserve more memory than a job may have
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": "",
}


def sandbox_command(
    bubblewrap: str,
    *,
    limits: SandboxLimits,
    given: int,
    seccomp: int,
    info: int,
    texts: dict[str, int],
    block: int | None = None,
) -> list[str]:
    """Return the words that start bubblewrap, up to the command that is to run inside.

    Args:
        bubblewrap: Where it is.
        limits: The size of the folders that can be written.
        given: Bytes of the files that the job gets; its own limit is on top of that.
        seccomp: Descriptor of the filter.
        info: Descriptor that bubblewrap writes the job's process id to.
        texts: Descriptors of read-only files, by their name inside.
        block: Descriptor that bubblewrap waits on, where the users are mapped from outside.
    """
    words = [bubblewrap, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    words += ["--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    if block is None:
        words += ["--uid", str(USER), "--gid", str(USER)]
    else:  # to become a user without rights before the job begins
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_CHOWN"]
        words += ["--userns-block-fd", str(block)]
    for name, value in VARIABLES.items():
        if value:
            words += ["--setenv", name, value]
    words += _system()
    words += ["--proc", "/proc", "--dev", "/dev"]
    room = limits.disk * 3 // 4 + given + (1 << 20)
    for folder, size in (
        (WORK, room),
        ("/tmp", limits.disk // 8 + (1 << 20)),  # noqa: S108
        ("/dev/shm", min(SHARED_MEMORY, limits.disk // 8)),  # noqa: S108
    ):
        words += ["--perms", "1777", "--size", str(size), "--tmpfs", folder]
    folders = python_folders()
    for above in _above(folders):
        words += ["--perms", "0755", "--dir", above]
    for folder in folders:  # after /tmp, where a virtual environment may stand
        words += ["--ro-bind", folder, folder]
    for name, descriptor in texts.items():
        words += ["--perms", "0444", "--file", str(descriptor), f"{INSIDE}/{name}"]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
    return [*words, "--seccomp", str(seccomp), "--info-fd", str(info), "--"]


def _system() -> list[str]:
    words = ["--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc"]
    for folder in _SYSTEM:
        if os.path.islink(folder):  # noqa: PTH114 - strings go to a command line
            words += ["--symlink", os.readlink(folder), folder]  # noqa: PTH115
        elif os.path.isdir(folder):  # noqa: PTH112
            words += ["--ro-bind", folder, folder]
    for one in _SETTINGS:
        words += ["--ro-bind-try", one, one]
    return words


def python_folders() -> list[str]:
    """Return the folders, and links to them, that this Python needs and that are not in /usr.

    Raises:
        SandboxAbsent: One of them holds the user's own files too.
    """
    found: list[str] = []
    for one in (*_folders(), *_links(Path(sys.executable))):
        below = any(one == known or one.startswith(f"{known}/") for known in ("/usr", *found))
        if not below:
            _check_narrow(Path(one))
            found.append(one)
    return found


def _above(folders: list[str]) -> list[str]:
    """Return the folders on the way to these, which anyone in the sandbox may pass through."""
    found = {str(above) for one in folders for above in Path(one).parents[:-1]}
    return sorted(found - {"/tmp"})  # noqa: S108


def _folders() -> Iterator[str]:
    for one in (sys.base_prefix, sys.prefix):
        yield os.path.realpath(one)
        yield os.path.abspath(one)  # noqa: PTH100 - links stay


def _links(path: Path) -> Iterable[str]:
    """Yield each link on the way to the interpreter."""
    while path.is_symlink():
        target = path.parent / path.readlink()
        path = Path(os.path.normpath(target))
        yield os.fspath(path)


def _check_narrow(folder: Path) -> None:
    own = (Path.home(), Path.cwd())
    if folder == Path("/") or any(one == folder or folder in one.parents for one in own):
        raise SandboxAbsent(
            f"Python stands in {folder}, which also holds files of yours, so a sandbox would show"
            " them.",
            "Install harness into a virtual environment of its own (python -m venv).",
        )
