"""A text in the user's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.errors import UsageError

__all__ = ["edited"]


def edited(text: str) -> str:
    """Return a text as the user leaves it in their editor.

    Raises:
        UsageError: There is no terminal or no editor, or nothing was changed.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command or not sys.stdin.isatty():
        raise UsageError("No answer is given.", "Give --answer, or set EDITOR at a terminal.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.md"
        file.write_text(text, "utf-8")
        try:
            done = subprocess.run([*shlex.split(command), str(file)], check=False)  # noqa: S603 -- the user's own
        except OSError as error:
            raise UsageError(
                f"The editor {command} can't be started: {error.strerror}.", "Give --answer."
            ) from error
        changed = file.read_text("utf-8").strip("\n")
    if done.returncode or changed == text.strip("\n"):
        raise UsageError("Nothing was changed, so nothing is corrected.", "Save another answer.")
    return changed
