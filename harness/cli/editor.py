"""A text in the person's own editor: `VISUAL`, `EDITOR`, or one that the machine has."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import UsageError

__all__ = ["edited"]

USUAL = ("sensible-editor", "nano", "vi", "notepad")


def edited(text: str, *, ending: str) -> str:
    """Return a text as the person left it.

    Args:
        text: To begin with.
        ending: Of the file's name, by which editors know what it is.

    Raises:
        UsageError: There is no editor, or it failed.
    """
    words = _editor()
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        file = Path(folder) / f"edit{ending}"
        file.write_text(text, "utf-8", newline="\n")
        try:
            # It draws on stderr: stdout may be a pipe, and is the answer's alone.
            done = subprocess.run([*words, str(file)], stdout=2, check=False)  # noqa: S603
        except OSError as error:
            raise UsageError(
                f"The editor {words[0]} can't be started: {error.strerror}.", _MEND
            ) from error
        if done.returncode:
            raise UsageError(f"The editor {words[0]} ended with code {done.returncode}.", _MEND)
        return file.read_text("utf-8")


def _editor() -> list[str]:
    """Return the command of the person's editor.

    Raises:
        UsageError: There is none.
    """
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        return shlex.split(named, posix=os.name != "nt")
    found = next((one for one in USUAL if shutil.which(one)), None)
    if found is None:
        raise UsageError("There is no editor on this machine.", _MEND)
    return [found]


_MEND = "Name one: export EDITOR=nano."
