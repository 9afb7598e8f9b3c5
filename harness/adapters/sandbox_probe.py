"""Why the sandbox does not work on this machine, and what mends it there."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["NEEDED", "version_of", "why_not"]

NEEDED = (0, 8)
"""The version of bubblewrap from which on it is tested."""
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_CLONE = Path("/proc/sys/kernel/unprivileged_userns_clone")
_MOST = Path("/proc/sys/user/max_user_namespaces")
_PROFILE = (
    "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap"
    " flags=(unconfined) { userns, }\\n' | sudo tee /etc/apparmor.d/bwrap"
    " && sudo systemctl reload apparmor"
)


def why_not(said: str = "") -> tuple[str, str]:
    """Return what is wrong and how to mend it on this system.

    Args:
        said: What bubblewrap said when it failed, if it was tried.
    """
    system = platform.system()
    if system != "Linux":
        name = {"Darwin": "macOS"}.get(system, system)
        return (
            f"`python`, `shell` and tools in `tools/*.py` need bubblewrap, which {name} does not"
            " have, so they are not run. `compute` works.",
            "Use `compute`, or run harness on Linux"
            + (" (WSL 2 will do)." if system == "Windows" else " (a virtual machine will do)."),
        )
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed, so nothing is run.", f"Install it: {_install()}."
    version = version_of("bwrap")
    if version and version < NEEDED:
        have = ".".join(map(str, version))
        need = ".".join(map(str, NEEDED))
        return (
            f"bubblewrap {have} is too old: {need} or newer is needed.",
            "Update the system: Debian 12 and Ubuntu 24.04 have it.",
        )
    return _refused(said)


def _refused(said: str) -> tuple[str, str]:
    what = f"bubblewrap can't make a sandbox here: {said or 'it ended at once'}."
    if _number(_APPARMOR) == 1 and os.geteuid() != 0:
        return what, f"AppArmor refuses user namespaces (Ubuntu). Allow bubblewrap: {_PROFILE}"
    if _number(_CLONE) == 0:
        return what, "Allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1"
    if _number(_MOST) == 0:
        return what, "Allow user namespaces: sudo sysctl user.max_user_namespaces=15000"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return (
            what,
            "This is a container that refuses namespaces. Start it so that it allows them"
            " (docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
            " --security-opt systempaths=unconfined), or run harness outside it.",
        )
    return what, "Run `bwrap --ro-bind / / --unshare-all true` to see what this system refuses."


def _install() -> str:
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        about = {}
    kinds = f"{about.get('ID', '')} {about.get('ID_LIKE', '')}"
    for kind, words in (
        ("debian", "sudo apt-get install bubblewrap"),
        ("fedora", "sudo dnf install bubblewrap"),
        ("rhel", "sudo dnf install bubblewrap"),
        ("suse", "sudo zypper install bubblewrap"),
        ("arch", "sudo pacman -S bubblewrap"),
        ("alpine", "sudo apk add bubblewrap"),
    ):
        if kind in kinds:
            return words
    return "the package is called bubblewrap"


def version_of(program: str) -> tuple[int, ...]:
    """Return the version of a bubblewrap; nothing where it does not say."""
    try:
        done = subprocess.run(  # noqa: S603 - the program that was looked for
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
        return tuple(int(part) for part in done.stdout.split()[-1].split("."))
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return ()


def _number(path: Path) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
