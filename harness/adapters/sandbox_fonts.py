"""Matplotlib's list of fonts, made once: each job would look through all fonts anew, in seconds.

It is made by a job of our own in the sandbox and handed to those that draw. It is read nowhere
but in the sandbox.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.seams_hands import SandboxJob, SandboxLimits, SandboxResult

__all__ = ["FontList"]

_FOLDER = "/tmp/.matplotlib"  # noqa: S108 - inside the sandbox
_CODE = f"""
import glob, shutil
import matplotlib.font_manager
for path in glob.glob("{_FOLDER}/fontlist-*.json"):
    shutil.copy(path, ".")
"""
_LIMITS = SandboxLimits(seconds=60, memory=1 << 30, disk=64 << 20)


class FontList:
    """Makes the list when the first job draws.

    Args:
        run: Runs a job in the sandbox.
        folder: Where it is kept between processes; None: nowhere.
    """

    def __init__(
        self, run: Callable[[SandboxJob, SandboxLimits], SandboxResult], folder: Path | None
    ) -> None:
        self._run = run
        self._folder = folder
        self._lock = threading.Lock()
        self._files: Mapping[str, bytes] | None = None

    def for_job(self, job: SandboxJob) -> Mapping[str, bytes]:
        """Return the files that a job gets beside its own: none, if it does not draw."""
        texts = (job.code, *job.modules.values())
        if not any("matplotlib" in text or ".plot" in text for text in texts):
            return {}
        with self._lock:
            if self._files is None:
                self._files = self._kept() or self._made()
            return self._files

    def _place(self) -> Path | None:
        """Return the folder for this Python, whose fonts and libraries are its own."""
        if self._folder is None:
            return None
        return (
            self._folder / hashlib.sha256(f"{sys.prefix} {sys.version}".encode()).hexdigest()[:16]
        )

    def _kept(self) -> Mapping[str, bytes]:
        place = self._place()
        if place is None or not place.is_dir():
            return {}
        with contextlib.suppress(OSError):
            return {f"{_FOLDER}/{one.name}": one.read_bytes() for one in place.glob("font*.json")}
        return {}

    def _made(self) -> Mapping[str, bytes]:
        result = self._run(SandboxJob(kind="python", code=_CODE), _LIMITS)
        found = {name: content for name, content in result.files.items() if name.endswith(".json")}
        place = self._place()
        if place is not None and found:
            with contextlib.suppress(OSError):
                place.mkdir(parents=True, exist_ok=True)
                for name, content in found.items():
                    (place / Path(name).name).write_bytes(content)
        return {f"{_FOLDER}/{Path(name).name}": content for name, content in found.items()}
